"""Features whose names hold any character that JSON can say: in every format of a request, and in what is written
about them."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from serinus.lambda_handlers.contract.bundle import CARD, read_manifest
from serinus.lambda_handlers.inference.endpoint import Endpoint, open_endpoint
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

Post = Callable[..., Any]

NAMES = [
    'size 12"',
    "a\\b",
    "line\nbreak",
    "tab\there",
    "nul\x00l",
    " both ends ",
    "ümläut 東京 🧪",
    "a,b",
    "a|b`c*",
    "'=[x]<y>{z}:/%",
    "rows",
    "a\u2028b",
]


@pytest.fixture(params=NAMES, ids=range(len(NAMES)))
def served(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Any, Path, Endpoint]:
    """The name, the model, its bundle and its endpoint."""
    name: str = request.param
    random = np.random.default_rng(0)
    table = pd.DataFrame({name: random.normal(size=80), "city": random.choice(["Bern", "Chur"], 80)})
    columns = ColumnTransformer([("n", StandardScaler(), [name]), ("c", OneHotEncoder(), ["city"])])
    model = make_pipeline(columns, LogisticRegression()).fit(table, table[name] > 0)
    joblib.dump(model, tmp_path / "model.joblib")
    table.to_parquet(tmp_path / "sample.parquet", index=False)
    settings = PackageRequest(tmp_path / "model.joblib", "names", tmp_path / "sample.parquet", tmp_path)
    bundle = package(settings).bundle
    environ = {"SERINUS_MODEL_DIR": str(bundle), "SERINUS_DOCS": "1"}
    return name, model, bundle, open_endpoint(environ)


def _csv(rows: list[list[Any]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()


def test_every_format_holds_the_name(served: tuple[str, Any, Path, Endpoint], post: Post) -> None:
    name, model, _, endpoint = served

    def send(path: str, body: str, content_type: str = "application/json") -> Any:
        answer = post(endpoint, path, body, content_type)
        assert answer["statusCode"] == 200, answer["body"]
        return json.loads(answer["body"])

    rows: list[list[Any]] = [[0.5, "Bern"], [-0.5, "Chur"]]
    expected = model.predict(pd.DataFrame(rows, columns=[name, "city"])).tolist()
    records = [dict(zip([name, "city"], row, strict=True)) for row in rows]
    assert send("/predict", json.dumps({"rows": records}))["labels"] == expected
    assert send("/predict", json.dumps({"rows": rows}, ensure_ascii=False))["labels"] == expected
    split = {"dataframe_split": {"columns": [name, "city"], "data": rows}}
    for body in (split, {"dataframe_records": records}, {"inputs": {name: [0.5, -0.5], "city": ["Bern", "Chur"]}}):
        assert send("/invocations", json.dumps(body))["predictions"] == expected
    table = _csv([[name, "city"], *rows])
    assert send("/invocations", table, "text/csv; header=present")["predictions"] == expected
    tensors = [
        {"name": name, "shape": [2, 1], "datatype": "FP64", "data": [0.5, -0.5]},
        {"name": "city", "shape": [2, 1], "datatype": "BYTES", "data": ["Bern", "Chur"]},
    ]
    outputs = send("/v2/models/names/infer", json.dumps({"inputs": tensors}))["outputs"]
    assert next(item["data"] for item in outputs if item["name"] == "label") == expected


def test_what_is_written_about_a_feature_holds_its_name(served: tuple[str, Any, Path, Endpoint]) -> None:
    from serinus.lambda_handlers.contract.bundle import read_baseline
    from serinus.lambda_handlers.contract.monitored import KEY
    from serinus.lambda_handlers.inference.openapi import describe

    name, _, bundle, endpoint = served
    assert read_manifest(bundle).signature.feature_names() == (name, "city")
    schemas = json.dumps(describe(endpoint.scorer, "", "api_key")["components"]["schemas"], ensure_ascii=False)
    assert json.dumps(name, ensure_ascii=False) in schemas
    baseline = read_baseline(bundle)
    assert name in baseline["features"]
    assert name in {column["name"] for column in baseline[KEY]["columns"]}
    inputs = (bundle / CARD).read_text().split("## Inputs\n")[1].split("\n## ")[0].strip().splitlines()
    assert len(inputs) == 4  # heads and a line each, whatever the name
