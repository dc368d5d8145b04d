"""Requests as MLflow's and SageMaker's documentation shows them, over HTTP.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#local-inference-server-specification
"""

import io
from typing import Any

import httpx
import pandas as pd
import pytest

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("endpoint")]


def invoke(deployed: Any, **request: Any) -> httpx.Response:
    headers = {**deployed.headers, **request.pop("headers", {})}
    return httpx.post(f"{deployed.url}/invocations", headers=headers, trust_env=False, timeout=30, **request)


def frame(deployed: Any) -> pd.DataFrame:
    return pd.DataFrame(deployed.rows).astype({"charge": float})


def test_ping_says_that_the_container_is_healthy(deployed):
    answer = httpx.get(f"{deployed.url}/ping", headers=deployed.headers, trust_env=False, timeout=30)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("orient", ["split", "records"])
def test_a_dataframe_as_pandas_writes_it(deployed, orient):
    table = frame(deployed)
    body = f'{{"dataframe_{orient}": {table.to_json(orient=orient)}}}'
    answer = invoke(deployed, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"] == deployed.source.predict(table).tolist()


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_tensorflow_servings_forms(deployed, form):
    rows = deployed.rows
    data = rows if form == "instances" else {name: [row[name] for row in rows] for name in rows[0]}
    answer = invoke(deployed, json={form: data})
    assert answer.json()["predictions"] == deployed.source.predict(frame(deployed)).tolist()


def test_csv_as_pandas_writes_and_reads_it(deployed):
    table = frame(deployed)
    answer = invoke(
        deployed,
        content=table.to_csv(index=False).encode(),
        headers={"Content-Type": "text/csv", "Accept": "text/csv"},
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    read = pd.read_csv(io.StringIO(answer.text))
    assert read["prediction"].tolist() == deployed.source.predict(table).tolist()
    probabilities = read[["probability_leaves", "probability_stays"]].to_numpy()
    assert probabilities == pytest.approx(deployed.source.predict_proba(table), abs=1e-4)


def test_long_answers_are_compressed_on_the_wire(deployed):
    answer = invoke(deployed, json={"dataframe_records": deployed.rows * 5})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["predictions"]) == 200
