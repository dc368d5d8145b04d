"""What docs/http.md promises for each thing that a request may get wrong."""

import json
from typing import Any

import numpy as np
import onnxruntime
import pytest

from serinus.lambda_handlers.inference.scoring import Response, Scorer

VECTOR = [[1.0, 2.0], [3.0, 4.0]]
ROWS: dict[str, dict[str, Any]] = {
    "iris": {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2},
    "churn": {"tenure": 2, "charge": 95.5, "contract": "monthly", "region": "north"},
    "energy": {"outside_celsius": 18.5, "floors": 3, "heated": True},
    "ratio": {"total": 6, "count": 3, "vector": VECTOR},
}


def send(scorer: Scorer, *rows: Any) -> tuple[Response, Any]:
    answer = scorer.predict(json.dumps({"rows": rows}).encode(), "application/json")
    return answer, json.loads(answer.body)


def refused(scorer: Scorer, *rows: Any) -> list[dict[str, Any]]:
    answer, problem = send(scorer, *rows)
    assert answer.status == problem["status"] == 422
    assert answer.headers["content-type"] == "application/problem+json"
    faults: list[dict[str, Any]] = problem["errors"]
    return faults


@pytest.mark.parametrize("name", ROWS)
def test_a_row_by_name_and_as_an_array_score_alike(scorers: dict[str, Scorer], name: str) -> None:
    row = ROWS[name]
    array = list(row.values())
    by_name, as_arrays, mixed = (
        send(scorers[name], *rows)[0] for rows in ([row, row], [array, array], [row, array])
    )
    assert by_name.status == 200
    assert by_name == as_arrays == mixed


@pytest.mark.parametrize("name", ROWS)
def test_answers_are_the_graphs_own(scorers: dict[str, Scorer], name: str) -> None:
    scorer = scorers[name]
    _, answer = send(scorer, ROWS[name], ROWS[name])
    feeds = {
        "iris": {"X": np.array([[5.1, 3.5, 1.4, 0.2]] * 2, np.float32)},
        "churn": {
            "tenure": np.array([[2.0]] * 2, np.float32),
            "charge": np.array([[95.5]] * 2, np.float32),
            "contract": np.array([["monthly"]] * 2, object),
            "region": np.array([["north"]] * 2, object),
        },
        "energy": {"numbers": np.array([[18.5, 3.0, 1.0]] * 2)},
        "ratio": {
            "total": np.array([[6.0]] * 2, np.float32),
            "count": np.array([[3]] * 2),
            "vector": np.array([VECTOR] * 2, np.float32),
        },
    }[name]
    session = onnxruntime.InferenceSession(str(scorer.model.folder / "model.onnx"))
    expected = [output.tolist() for output in session.run(None, feeds)]
    if name in ("iris", "churn"):
        assert [answer["labels"], answer["probabilities"]] == expected
    elif name == "energy":
        assert [answer["values"]] == expected
    else:
        assert answer["values"] == [2.0, 2.0]
        assert answer["outputs"] == {"echo": [VECTOR, VECTOR]}


def test_every_answer_names_model_version_and_function(scorers: dict[str, Scorer]) -> None:
    for answer in (send(scorers["iris"], ROWS["iris"])[0], send(scorers["iris"], {})[0]):
        assert answer.headers["x-serinus-model"] == "iris"
        assert answer.headers["x-serinus-model-version"] == scorers["iris"].model.manifest.short_version
        assert answer.headers["x-serinus-function-version"] == "7"


def test_missing_is_refused_where_the_graph_does_not_impute(scorers: dict[str, Scorer]) -> None:
    rest = {name: value for name, value in ROWS["churn"].items() if name != "tenure"}
    assert refused(scorers["churn"], ROWS["churn"], rest) == [{"rule": "is required", "row": 1, "field": "tenure"}]
    assert refused(scorers["churn"], {**rest, "tenure": None}) == [
        {"rule": "may not be null", "row": 0, "field": "tenure", "value": None}
    ]


@pytest.mark.parametrize("name", ["churn", "energy"])
def test_missing_by_null_and_by_absence_score_alike_where_imputed(scorers: dict[str, Scorer], name: str) -> None:
    field = {"churn": "charge", "energy": "floors"}[name]
    absent = {key: value for key, value in ROWS[name].items() if key != field}
    by_absence, _ = send(scorers[name], absent)
    by_null, _ = send(scorers[name], {**absent, field: None})
    assert by_absence.status == by_null.status == 200
    assert by_absence.body == by_null.body


def test_missing_string_reaches_the_graph_as_its_missing_string(scorers: dict[str, Scorer]) -> None:
    absent = {key: value for key, value in ROWS["churn"].items() if key != "region"}
    assert send(scorers["churn"], absent)[1] == send(scorers["churn"], {**absent, "region": ""})[1]


def test_extra_fields_are_refused_by_name(scorers: dict[str, Scorer]) -> None:
    assert refused(scorers["iris"], {**ROWS["iris"], "age": 4}) == [
        {"rule": "is not a feature of this model", "row": 0, "field": "age", "value": 4}
    ]


@pytest.mark.parametrize(
    ("name", "field", "value", "rule"),
    [
        ("iris", "sepal_width", "3.5", "must be a number"),
        ("iris", "sepal_width", True, "must be a number"),
        ("iris", "sepal_width", [3.5], "must be a number"),
        ("iris", "sepal_width", 1e39, "must be a finite number from -3.4028235e+38 to 3.4028235e+38"),
        ("iris", "sepal_width", 10**60, "must be a finite number from -3.4028235e+38 to 3.4028235e+38"),
        ("energy", "floors", 3.5, "must be an integer"),
        ("energy", "floors", False, "must be an integer"),
        ("energy", "floors", 2**63, f"must be an integer from {-(2**63)} to {2**63 - 1}"),
        ("energy", "heated", 1, "must be true or false"),
        ("energy", "heated", "true", "must be true or false"),
        ("churn", "region", 4, "must be a string"),
        ("churn", "region", "\ud800", "must be valid Unicode, without lone surrogates"),
        ("churn", "contract", "weekly", "must be one of 'monthly', 'one year', 'two years'"),
        ("ratio", "vector", [[1, 2], [3]], "must be nested arrays of shape [2, 2]"),
        ("ratio", "vector", [[1, 2], [3, None]], "may not hold null"),
    ],
)
def test_mistyped_values_are_refused_by_rule(
    scorers: dict[str, Scorer], name: str, field: str, value: Any, rule: str
) -> None:
    (fault,) = refused(scorers[name], {**ROWS[name], field: value})
    assert (fault["row"], fault["field"], fault["rule"]) == (0, field, rule)


@pytest.mark.parametrize("literal", ["1e999", "-1e999", "9" * 400, "9" * 5000])
@pytest.mark.parametrize(
    ("name", "field"), [("iris", "sepal_width"), ("energy", "outside_celsius"), ("ratio", "count")]
)
def test_numbers_beyond_every_type_are_refused(
    scorers: dict[str, Scorer], name: str, field: str, literal: str
) -> None:
    body = json.dumps({"rows": [{**ROWS[name], field: "#"}]}).replace('"#"', literal)
    answer = scorers[name].predict(body.encode(), None)
    assert answer.status == 422
    assert json.loads(answer.body)["errors"][0]["field"] == field


def test_whole_floats_are_integers_and_integers_are_floats(scorers: dict[str, Scorer]) -> None:
    assert (
        send(scorers["energy"], {**ROWS["energy"], "floors": 3.0})[1] == send(scorers["energy"], ROWS["energy"])[1]
    )
    assert send(scorers["iris"], [5, 3, 1, 0])[1] == send(scorers["iris"], [5.0, 3.0, 1.0, 0.0])[1]


def test_unseen_categories_are_accepted_where_the_encoder_ignores_them(scorers: dict[str, Scorer]) -> None:
    assert send(scorers["churn"], {**ROWS["churn"], "region": "east"})[0].status == 200


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b'{"rows":[NaN]}', b'{"rows":[[Infinity]]}', b"\xff", b"[" * 9000]
)
def test_what_is_not_json_is_refused_with_400(scorers: dict[str, Scorer], body: bytes) -> None:
    answer = scorers["iris"].predict(body, "application/json")
    assert answer.status == 400
    assert json.loads(answer.body)["type"] == "urn:serinus:malformed-body"


@pytest.mark.parametrize(
    "body", [b"[]", b"4", b"{}", b'{"rows":[]}', b'{"rows":{}}', b'{"rows":[4]}', b'{"rows":[[1]]}']
)
def test_json_of_another_shape_is_refused_with_422(scorers: dict[str, Scorer], body: bytes) -> None:
    assert scorers["iris"].predict(body, "application/json").status == 422


def test_other_members_beside_rows_are_refused(scorers: dict[str, Scorer]) -> None:
    body = json.dumps({"rows": [ROWS["iris"]], "id": 7}).encode()
    assert json.loads(scorers["iris"].predict(body, None).body)["errors"] == [
        {"rule": "the body must hold only `rows`", "field": "id", "value": 7}
    ]


def test_of_repeated_names_the_last_wins(scorers: dict[str, Scorer]) -> None:
    last = b'{"rows":[{"outside_celsius":1,"floors":3,"heated":true}]}'
    for first in (b"2", b'"wrong"'):
        twice = last.replace(b'"outside_celsius":1', b'"outside_celsius":' + first + b',"outside_celsius":1')
        assert scorers["energy"].predict(twice, None).body == scorers["energy"].predict(last, None).body


def test_too_many_rows_and_too_many_bytes_are_refused_with_413(scorers: dict[str, Scorer]) -> None:
    assert send(scorers["iris"], *[[1, 2, 3, 4]] * 20)[0].status == 200
    answer, problem = send(scorers["iris"], *[[1, 2, 3, 4]] * 21)
    assert (answer.status, problem["detail"].partition(";")[0]) == (413, "The body holds 21 rows")
    answer = scorers["iris"].predict(b" " * 20_001, None)
    assert (answer.status, json.loads(answer.body)["type"]) == (413, "urn:serinus:body-too-large")


def test_content_type_may_be_absent_or_json_with_parameters(scorers: dict[str, Scorer]) -> None:
    body = json.dumps({"rows": [ROWS["iris"]]}).encode()
    for accepted in (None, "", "application/json", "Application/JSON; charset=utf-8"):
        assert scorers["iris"].predict(body, accepted).status == 200
    for other in ("text/csv", "application/jsonl", "application/json, text/csv"):
        assert scorers["iris"].predict(body, other).status == 415


def test_only_the_first_errors_are_listed(scorers: dict[str, Scorer]) -> None:
    _, problem = send(scorers["iris"], *[["a", "b", "c", "d"]] * 7)
    assert (len(problem["errors"]), problem["errors_omitted"]) == (20, 8)
    assert problem["detail"].startswith("28 errors.")


def test_echoed_values_are_cut(scorers: dict[str, Scorer]) -> None:
    (fault,) = refused(scorers["iris"], {**ROWS["iris"], "sepal_width": "x" * 1000})
    assert fault["value"] == "x" * 64 + "…"
    extra = {"k" * 1000: 1, "\ud800": {"a": 1}}
    assert {fault["field"] for fault in refused(scorers["iris"], {**ROWS["iris"], **extra})} == {
        "k" * 64 + "…",
        "\\ud800",
    }


def test_predictions_that_are_not_finite_are_null_and_counted(scorers: dict[str, Scorer]) -> None:
    rows = [{**ROWS["ratio"], "count": 0}, ROWS["ratio"], {**ROWS["ratio"], "total": 0, "count": 0}]
    answer, content = send(scorers["ratio"], *rows)
    assert (answer.status, content["values"]) == (200, [None, 2.0, None])
    assert answer.headers["x-serinus-non-finite-rows"] == "2"
    assert "x-serinus-non-finite-rows" not in send(scorers["ratio"], ROWS["ratio"])[0].headers


def test_a_graph_that_fails_is_a_500_that_says_nothing_of_the_cause(
    scorers: dict[str, Scorer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    misnamed = {"no such input": np.zeros((1, 4), np.float32)}
    monkeypatch.setattr(scorers["iris"], "_encode", lambda _rows: misnamed)
    answer, problem = send(scorers["iris"], ROWS["iris"])
    assert (answer.status, problem["type"]) == (500, "urn:serinus:internal-error")
    assert "no such input" not in answer.body.decode()
    assert "no such input" in caplog.text
