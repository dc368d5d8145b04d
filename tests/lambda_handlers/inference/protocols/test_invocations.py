"""/invocations as MLflow and SageMaker define it: every form scores as /predict does."""

import json
from typing import Any

import pytest

COLUMNS = ["tenure", "charge", "contract", "region"]
DATA: list[list[Any]] = [[2, 95.5, "monthly", "north"], [60, None, "two years", "east"]]
RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in DATA]
FORMS: list[dict[str, Any]] = [
    {"dataframe_split": {"columns": COLUMNS, "data": DATA}},
    {"dataframe_split": {"columns": COLUMNS[::-1], "data": [row[::-1] for row in DATA], "index": [7, 8]}},
    {"dataframe_records": RECORDS},
    {"instances": RECORDS},
    {"instances": DATA},
    {"inputs": {name: [row[name] for row in RECORDS] for name in COLUMNS}},
    {"inputs": DATA, "params": {}},
]
CSV = b"tenure,charge,contract,region\r\n2,95.5,monthly,north\r\n60,,two years,east\r\n"


def predict(scorers, name: str, rows: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scorers[name].predict(json.dumps({"rows": rows}).encode(), None).body)
    return found


@pytest.mark.parametrize("body", FORMS)
def test_every_form_scores_as_rows_do(post, scorers, body):
    answer = post("churn", "/invocations", body, content_type="application/json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    expected = predict(scorers, "churn", DATA)
    assert json.loads(answer.body) == {
        "predictions": expected["labels"],
        "classes": ["leaves", "stays"],
        "probabilities": expected["probabilities"],
    }


@pytest.mark.parametrize(
    ("csv", "content_type"),
    [
        (CSV, "text/csv"),
        (CSV, "text/csv; charset=utf-8; header=present"),
        (b"\xef\xbb\xbf" + CSV, "text/csv"),
        (CSV.partition(b"\n")[2], "text/csv"),
        (CSV.partition(b"\n")[2], "text/csv;header=absent"),
        (b'region,contract,charge,tenure\n"north","monthly",95.5,2\n\neast,two years,NaN,6e1\n', "text/csv"),
    ],
)
def test_csv_scores_as_rows_do(post, scorers, csv, content_type):
    answer = post("churn", "/invocations", csv, content_type=content_type)
    assert json.loads(answer.body)["predictions"] == predict(scorers, "churn", DATA)["labels"]


def test_csv_of_every_kind_of_number_is_read_by_the_features(post, scorers):
    answer = post("energy", "/invocations", b"18.5,3,true\n-2.25,,False\n", content_type="text/csv")
    expected = predict(scorers, "energy", [[18.5, 3, True], [-2.25, None, False]])
    assert json.loads(answer.body) == {"predictions": expected["values"]}


def test_an_answer_is_csv_where_that_is_asked_for(post, scorers):
    answer = post("churn", "/invocations", CSV, content_type="text/csv", accept="text/csv, application/json;q=0.5")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    expected = predict(scorers, "churn", DATA)
    rows = zip(expected["labels"], expected["probabilities"], strict=True)
    lines = [f"{label},{first},{second}" for label, (first, second) in rows]
    assert answer.body.decode() == "\n".join(["prediction,probability_leaves,probability_stays", *lines, ""])


def test_several_targets_and_tensors_have_a_column_each(post):
    regressor = post("energy", "/invocations", b"18.5,3,true\n", content_type="text/csv", accept="text/csv")
    assert regressor.body.startswith(b"prediction_0,prediction_1\n")
    tensors = post("ratio", "/invocations", {"instances": [[1, 0, [[1, 2], [3, 4]]]]}, accept="text/csv")
    assert tensors.body == b"prediction,echo_0,echo_1,echo_2,echo_3\n,1.0,2.0,3.0,4.0\n"
    assert tensors.headers["x-serinus-non-finite-rows"] == "1"


@pytest.mark.parametrize(
    ("accept", "told"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/json;q=0.1, text/csv;q=0.2", "text/csv; charset=utf-8"),
        ("application/xml", None),
        ("application/json;q=0, text/csv;q=x", None),
    ],
)
def test_what_the_caller_takes_decides_the_form(post, accept, told):
    headers = {} if accept is None else {"accept": accept}
    answer = post("churn", "/invocations", FORMS[0], **headers)
    if told is None:
        assert (answer.status, json.loads(answer.body)["type"]) == (406, "urn:serinus:not-acceptable")
    else:
        assert (answer.status, answer.headers["content-type"]) == (200, told)


REFUSALS: list[tuple[Any, str]] = [
    ([], "must be an object with one of dataframe_split"),
    ({}, "must be an object with one of dataframe_split"),
    ({"instances": [], "inputs": []}, "must be an object with one of"),
    ({"instances": DATA, "params": {"temperature": 1}}, "accepts no params"),
    ({"instances": DATA, "signature_name": "x"}, "only `instances`"),
    ({"instances": []}, "at least one row"),
    ({"instances": {}}, "array of rows"),
    ({"instances": [3]}, "a row must be an object"),
    ({"inputs": {}}, "object of columns"),
    ({"inputs": {"tenure": [1, 2], "contract": ["monthly"]}}, "columns of equal length"),
    ({"inputs": {"tenure": [1], "age": [2], "contract": ["monthly"]}}, "is not a feature"),
    ({"dataframe_records": [DATA[0]]}, "array of objects"),
    ({"dataframe_split": DATA}, "`columns`"),
    ({"dataframe_split": {"columns": COLUMNS}}, "`columns`"),
    ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, "each once"),
    ({"dataframe_split": {"columns": COLUMNS, "data": [[1]]}}, "a row must have 4 values"),
    ({"dataframe_split": {"columns": COLUMNS, "data": [], "dtypes": []}}, "`columns`"),
    ({"instances": [[2, 95.5, "weekly", "north"]]}, "must be one of 'monthly'"),
    ({"instances": [["2", 95.5, "monthly", "north"]]}, "must be a number"),
]


@pytest.mark.parametrize(("body", "rule"), REFUSALS)
def test_what_does_not_fit_is_refused(post, body, rule):
    answer = post("churn", "/invocations", body)
    assert answer.status == 422
    assert any(rule in fault["rule"] for fault in json.loads(answer.body)["errors"])


@pytest.mark.parametrize(
    ("csv", "status"),
    [
        (b"", 422),
        (b"tenure,charge,contract,region\n", 422),
        (b"tenure,tenure,contract,region\n", 422),
        (b"tenure,region\n", 422),
        (b"2,95.5,monthly\n", 422),
        (b"two,95.5,monthly,north\n", 422),
        (b"1_0,95.5,monthly,north\n", 422),
        (b"inf,95.5,monthly,north\n", 422),
        (b"1e999,95.5,monthly,north\n", 422),
        (b"\xff,95.5,monthly,north\n", 400),
        (b'"2,95.5,monthly,north\n', 400),
        (b'"2"x,95.5,monthly,north\n', 400),
        (b"2,95.5,monthly,north\n" * 21, 413),
        (b"2,95.5,monthly,\0\n", 200),
    ],
)
def test_csv_that_does_not_fit_has_a_defined_answer(post, csv, status):
    assert post("churn", "/invocations", csv, content_type="text/csv").status == status


def test_a_lone_surrogate_is_refused(post):
    answer = post("churn", "/invocations", b'{"instances": [[2, 95.5, "monthly", "\\ud800"]]}')
    assert (answer.status, "surrogates" in answer.body.decode()) == (422, True)


def test_json_that_is_none_is_a_malformed_body(post):
    for body in (b"", b"{", b'{"instances": [[NaN]]}', b"[" * 19_000, b"\xff"):
        assert post("churn", "/invocations", body).status == 400, body[:20]
