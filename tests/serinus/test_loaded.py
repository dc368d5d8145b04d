"""The package as a notebook imports it."""

import collections
import datetime
import decimal
import json
import math
import pydoc
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import serinus
from serinus.infra.errors import ReleaseError
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.inference.cors import Cors
from serinus.lambda_handlers.inference.endpoint import Endpoint

EVENT = Path(__file__).resolve().parents[1] / "events" / "rest_predict.json"


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        np.random.default_rng(3).normal(size=(120, 3)).round(2), columns=["tenure", "charge", "calls"]
    )


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> Any:
    return LogisticRegression().fit(rows, rows["charge"] > rows["calls"])


@pytest.fixture(scope="module")
def project(rows: pd.DataFrame, model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    joblib.dump(model, folder / "model.joblib")
    rows.to_csv(folder / "sample.csv", index=False)
    serinus.package(
        serinus.PackageRequest(folder / "model.joblib", name="churn", sample=folder / "sample.csv", project=folder)
    )
    return folder


def test_a_pinned_model_predicts_what_its_source_does(project: Path, rows: pd.DataFrame, model: Any) -> None:
    loaded = serinus.load("churn", project=project)
    answer = loaded.predict(rows.to_dict("records"))
    assert answer["model"] == loaded.manifest.name == "churn"
    assert answer["labels"] == model.predict(rows).tolist()
    np.testing.assert_allclose(answer["probabilities"], model.predict_proba(rows), atol=1e-6)


def test_a_bundle_is_opened_by_its_folder(project: Path) -> None:
    (bundle,) = (project / "bundles" / "churn").iterdir()
    assert serinus.load(bundle).manifest == serinus.load(str(bundle)).manifest
    assert len(serinus.load(bundle).predict([[1.0, 2.0, 3.0]])["labels"]) == 1


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """A number and a text that may be missing, and a whole number."""
    random = np.random.default_rng(4)
    table = pd.DataFrame({"age": random.normal(40, 9, 90).round(1), "visits": random.integers(0, 9, 90)})
    table["city"] = random.choice(["Oslo", "Rome"], 90)
    table.loc[::7, "age"] = np.nan
    table.loc[::11, "city"] = np.nan
    return table


@pytest.fixture(scope="module")
def pipeline(people: pd.DataFrame) -> Any:
    city = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="nowhere"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = make_column_transformer((city, ["city"]), (SimpleImputer(), ["age", "visits"]))
    return make_pipeline(columns, LogisticRegression()).fit(
        people, people["visits"] > people["age"].fillna(40) / 10
    )


@pytest.fixture(scope="module")
def visits(people: pd.DataFrame, pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> serinus.LoadedModel:
    folder = tmp_path_factory.mktemp("visits")
    joblib.dump(pipeline, folder / "model.joblib")
    people.to_csv(folder / "sample.csv", index=False)
    request = serinus.PackageRequest(
        str(folder / "model.joblib"), "visits", str(folder / "sample.csv"), str(folder), drop=[]
    )
    return serinus.load(str(serinus.package(request).bundle))


def over_http(model: serinus.LoadedModel, rows: list[Any]) -> dict[str, Any]:
    """The endpoint's answer to ``rows``, written as any client writes them."""
    endpoint = Endpoint(model._scorer, Cors.from_environment({}), docs=False, auth="none", hot_route=True)
    event = json.loads(EVENT.read_text()) | {"body": json.dumps({"rows": rows}), "isBase64Encoded": False}
    answer: dict[str, Any] = json.loads(endpoint(event, None)["body"])
    return answer


def test_a_frame_predicts_what_its_source_and_the_endpoint_do(
    visits: serinus.LoadedModel, people: pd.DataFrame, pipeline: Any
) -> None:
    over_json = over_http(visits, json.loads(people.to_json(orient="records", double_precision=15)))
    expected = pipeline.predict_proba(people)
    for rows in (
        people,
        people[["city", "visits", "age"]].set_index(pd.Index(range(500, 590))),
        people.astype({"city": "category", "age": "Float64", "visits": "Int32"}),
        people.astype({"city": "string", "visits": object}),
        people.astype({"visits": np.float32}),
        people.to_dict("records"),
        [
            {name: pd.NA if pd.isna(value) else value for name, value in row.items()}
            for row in people.to_dict("records")
        ],
        list(people[["city", "visits", "age"]].itertuples(index=False)),
        collections.deque(people[list(visits.signature.feature_names())].to_numpy().tolist()),
        people[list(visits.signature.feature_names())].to_numpy(),
        (row for row in people.to_dict("records")),
    ):
        answer = visits.predict(rows)
        assert answer == over_json
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)


@pytest.mark.parametrize("number", [np.float32(2.5), np.float64(2.5), np.float16(2.5), np.longdouble(2.5)])
@pytest.mark.parametrize("whole", [np.int64(3), np.int8(3), np.uint16(3), np.float32(3)])
def test_numpys_scalars_are_numbers(visits: serinus.LoadedModel, number: Any, whole: Any) -> None:
    plain = [{"age": 2.5, "visits": 3, "city": "Oslo"}]
    assert visits.predict([{"age": number, "visits": whole, "city": np.str_("Oslo")}]) == over_http(visits, plain)
    assert visits.predict([{**plain[0], "age": np.array(2.5)}]) == over_http(visits, plain)


@pytest.mark.parametrize(
    ("field", "value", "spelt", "message"),
    [
        ("age", math.inf, 1e999, "row 0: age must be a finite number from"),
        ("age", -math.inf, -1e999, "row 0: age must be a finite number from"),
        ("age", np.float32("inf"), 1e999, "row 0: age must be a finite number from"),
        pytest.param("age", 10**5000, 1e999, "row 0: age must be a finite number from", id="huge"),
        pytest.param("visits", -(10**5000), -1e999, "row 0: visits must be", id="huge whole"),
        ("visits", 2**70, 2**70, "row 0: visits must be"),
        ("age", np.True_, True, "row 0: age must be a number"),
        ("city", "a\ud800", "a\ud800", "row 0: city must be valid Unicode, without lone surrogates"),
        ("city\ud800", 1, 1, r"row 0: city\\ud800 is not a feature of this model"),
        ("city", 3, 3, "row 0: city must be a string"),
        ("city", {"a": 1}, {"a": 1}, "row 0: city must be a string"),
        ("age", [1, (2,)], [1, [2]], "row 0: age must be a number"),
    ],
)
def test_values_beyond_a_feature_are_rejected_as_over_http(
    visits: serinus.LoadedModel, field: str, value: Any, spelt: Any, message: str
) -> None:
    row = {"age": 2.5, "visits": 3, "city": "Oslo"}
    with pytest.raises(serinus.RequestRejected, match=f"^{message}.*`model.signature` shows") as caught:
        visits.predict([row | {field: value}])
    assert "GET /model" not in str(caught.value)
    body = json.dumps([row | {field: spelt}]).replace("Infinity", "1e999")
    endpoint = Endpoint(visits._scorer, Cors.from_environment({}), docs=False, auth="none", hot_route=True)
    event = json.loads(EVENT.read_text()) | {"body": f'{{"rows": {body}}}', "isBase64Encoded": False}
    assert json.loads(endpoint(event, None)["body"]) == json.loads(caught.value.problem.to_bytes())


def test_more_rows_than_an_endpoint_takes_are_refused_in_pythons_words(
    visits: serinus.LoadedModel, people: pd.DataFrame
) -> None:
    with pytest.raises(serinus.RequestRejected, match=r"holds 1080 rows; the limit is 1000\. Predict in parts\.$"):
        visits.predict(pd.concat([people] * 12))


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"age": 1.0}, r"rows is of type dict, which is one row\. Pass a list: predict\(\[row\]\)"),
        ({1.0, 2.0}, "rows is of type set; it must be a list of rows, such as .*or a pandas DataFrame"),
        ("rows.csv", "rows is of type str; it must be a list of rows"),
        (None, "rows is of type NoneType; it must be a list of rows"),
        (pd.Series([1.0]), r"rows is a Series.*\[series\.to_dict\(\)\]"),
        (pd.DataFrame({("a", "b"): [1]}), r"column \('a', 'b'\) of the DataFrame is of type tuple"),
        (pd.DataFrame([[1, 2]]), "column 0 of the DataFrame is of type int"),
        (pd.DataFrame([[1, 2]], columns=["age", "age"]), "the DataFrame has several columns 'age'"),
        (pd.DataFrame({"age": [pd.Timestamp(0)]}), "row 0: age is of type Timestamp, which no feature holds"),
        (np.zeros(3), r"rows is an array of shape \[3\].*array\.reshape\(1, -1\)"),
        (np.zeros(2, dtype=[("age", float)]), "rows is an array of records; pass a DataFrame"),
        ([pd.Series({"age": 1.0})], r"row 0 is a Series; pass series\.to_dict\(\)"),
        ([{1: 2.0}], "row 0 has the key 1, of type int"),
        ([{"age": 1.0}, {1.0}], "row 1 is of type set, which no feature holds"),
        ([{"age": {1.0}}], "row 0: age is of type set, which no feature holds"),
        ([{"age": decimal.Decimal(1)}], "row 0: age is of type Decimal, which no feature holds"),
        ([{"age": datetime.date(2026, 1, 1)}], "row 0: age is of type date, which no feature holds"),
        ([{"age": b"1"}], "row 0: age is of type bytes, which no feature holds"),
        ([{"age": 1j}], "row 0: age is of type complex, which no feature holds"),
        ([{"age": np.datetime64(0, "s")}], "row 0: age is of type datetime64, which no feature holds"),
        (CYCLE, "row 0 is nested deeper than 200 levels"),
    ],
)
def test_what_is_not_rows_is_refused_by_name(visits: serinus.LoadedModel, rows: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}"):
        visits.predict(rows)


def test_rows_that_an_endpoint_rejects_are_rejected(project: Path) -> None:
    with pytest.raises(serinus.RequestRejected, match="charge") as caught:
        serinus.load("churn", project=project).predict([{"tenure": 1.0, "charge": "dear", "calls": 2.0}])
    assert caught.value.problem.status == 422
    with pytest.raises(serinus.RequestRejected):
        serinus.load("churn", project=project).predict([])


def test_what_is_no_bundle_is_an_error(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReleaseError, match="other"):
        serinus.load("other", project=project)
    with pytest.raises(ContractError, match="model\\.json"):
        serinus.load(tmp_path)
    with pytest.raises(ContractError, match=r"^there is no folder .*absent"):
        serinus.load(tmp_path / "absent")
    for file in (project / "model.joblib", str(project / "model.joblib")):
        with pytest.raises(
            ContractError, match=r"model\.joblib is a file, not a bundle\. Package it first: serinus\.p"
        ):
            serinus.load(file)
    with pytest.raises(ReleaseError, match=rf"^{tmp_path} holds no serinus\.lock.*project=\.\.\."):
        serinus.load("churn", project=tmp_path)
    monkeypatch.chdir(project)
    with pytest.raises(ContractError, match=r"^bundles is not a bundle: model\.json is missing"):
        serinus.load("bundles")
    (tmp_path / "model.json").write_text('{"format": 1}')
    with pytest.raises(ContractError, match=r"model\.json is damaged: 'name'"):
        serinus.load(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"model": ""},
            ContractError,
            "model is ''; it must be the name of a packaged model, or its bundle's folder",
        ),
        ({"model": "a\0"}, ContractError, "model is 'a.*'; it must be the name of a packaged model"),
        (
            {"model": None},
            TypeError,
            "model is None; it must be the name of a packaged model, or its bundle's folder",
        ),
        ({"model": 3}, TypeError, "model is of type int; it must be"),
        ({"model": "churn", "project": None}, TypeError, "project is None; it must be the project's folder"),
        ({"model": "churn", "environment": 1}, TypeError, "environment is of type int; it must be the name"),
    ],
)
def test_what_load_does_not_take_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        serinus.load(**arguments)


def test_errors_are_caught_by_their_names_in_the_package(tmp_path: Path) -> None:
    request = serinus.PackageRequest("absent.joblib", "churn", "absent.csv", str(tmp_path))
    with pytest.raises(serinus.SourceError) as caught:
        serinus.package(request)
    assert isinstance(caught.value, serinus.ModelpackError)
    assert serinus.ContractError is ContractError
    assert serinus.ReleaseError is ReleaseError
    documented = serinus.__doc__ or ""
    assert all(name in documented for name in serinus.__all__ if name.endswith(("Error", "Rejected")))


def test_help_begins_with_what_the_package_offers() -> None:
    text = pydoc.render_doc(serinus, renderer=pydoc.plaintext)
    places = [text.index(f"\n    {name}(") for name in ("load", "package", "predict")]
    assert text.index("\nFUNCTIONS\n") < places[0] < places[1] < places[2]
    assert "__getattr__" not in text.split("\nFUNCTIONS\n")[1]
    assert "__dir__" not in text.split("\nFUNCTIONS\n")[1]
    assert dir(serinus) == serinus.__all__


def test_names_are_imported_when_they_are_used() -> None:
    assert {*serinus.__all__} <= set(dir(serinus))
    for name in serinus.__all__:
        assert getattr(serinus, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'deploy'"):
        serinus.deploy  # noqa: B018
    code = "import sys; before = {*sys.modules}; import serinus; print(sorted({*sys.modules} - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=Path(serinus.__file__).parents[1], capture_output=True, text=True
    )
    assert done.stdout.strip() == "['serinus']"
