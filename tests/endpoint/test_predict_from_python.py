"""`serinus.predict`: what an endpoint answers over HTTP, as a table or records; which endpoint, and errors."""

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import serinus
from serinus import deployed as deployed_module
from serinus.cli.prediction.sending import EndpointClient
from serinus.cli.request_auth import ApiKeyAuth
from serinus.deployed import prediction_fields

LIMIT = 15


@pytest.fixture
def requests(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each request that is sent to the endpoint, of which it takes `LIMIT`."""
    limits = {"max_rows": LIMIT, "max_body_bytes": 4_000_000}
    _serve(monkeypatch, deployed.url, deployed.key, **limits)
    sent: list[int] = []
    post = EndpointClient.post

    def counted(client: EndpointClient, body: bytes, first_row: int = 0) -> dict[str, Any]:
        sent.append(body.count(b'"tenure"'))
        return post(client, body, first_row)

    monkeypatch.setattr(EndpointClient, "post", counted)
    return sent


def _serve(monkeypatch: pytest.MonkeyPatch, url: str, key: str, *, max_rows: int, max_body_bytes: int) -> None:
    """Name the endpoint at ``url``, as the stack's outputs would: `test_main_job` reads real ones."""
    endpoint = deployed_module._DeployedEndpoint(url, ApiKeyAuth(key), False, max_rows, max_body_bytes)
    monkeypatch.setattr(deployed_module, "_find", lambda *_: endpoint)


def test_a_table_returns_a_table(deployed: Any, requests: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    rows = pd.DataFrame(deployed.rows[:10], index=[f"c{number}" for number in range(10)])
    predicted = serinus.predict("churn", rows)
    assert list(predicted.columns) == ["predicted_label", "probability_leaves", "probability_stays"]
    assert predicted.index.equals(rows.index)
    assert predicted["predicted_label"].tolist() == deployed.source.predict(rows).tolist()
    np.testing.assert_allclose(predicted.iloc[:, 1:], deployed.source.predict_proba(rows), atol=1e-6)
    assert (requests, capsys.readouterr().err) == ([10], "")


def test_records_return_records(deployed: Any, requests: list[int]) -> None:
    (predicted,) = serinus.predict("churn", deployed.rows[:1])
    assert list(predicted) == ["predicted_label", "probability_leaves", "probability_stays"]
    as_list = [[deployed.rows[0][name] for name in ("tenure", "charge", "contract")]]
    assert serinus.predict("churn", as_list) == [predicted]


def test_more_rows_than_a_request_holds_are_sent_in_several(
    deployed: Any, requests: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.DataFrame(deployed.rows)
    predicted = serinus.predict("churn", rows)
    assert predicted["predicted_label"].tolist() == deployed.source.predict(rows).tolist()
    assert requests == [LIMIT, LIMIT, 10]
    assert capsys.readouterr().err.splitlines()[-1] == "predicted 40 rows in 3 requests"
    serinus.predict("churn", rows, progress=False)
    assert capsys.readouterr().err == ""


def test_a_request_that_is_too_large_is_halved(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame(deployed.rows * 30)
    expected = deployed.source.predict(rows).tolist()
    _serve(monkeypatch, deployed.url, deployed.key, max_rows=5000, max_body_bytes=4_000_000)
    assert serinus.predict("churn", rows)["predicted_label"].tolist() == expected  # the endpoint takes 1,000
    _serve(monkeypatch, deployed.url, deployed.key, max_rows=5000, max_body_bytes=5_000)
    assert serinus.predict("churn", rows[:200])["predicted_label"].tolist() == expected[:200]


def test_rejected_rows_are_counted_from_the_first_of_all(deployed: Any, requests: list[int]) -> None:
    rows = [*deployed.rows[:22], deployed.rows[22] | {"charge": "dear"}]
    with pytest.raises(serinus.RequestRejected, match=r"^row 22: charge must be a number") as caught:
        serinus.predict("churn", rows)
    assert caught.value.problem.status == 422
    assert "GET /model" in str(caught.value)
    with pytest.raises(serinus.RequestRejected, match="at least one row"):
        serinus.predict("churn", [])


def test_a_wrong_key_and_an_endpoint_that_is_gone_are_errors(
    deployed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"max_rows": 10, "max_body_bytes": 4_000_000}
    _serve(monkeypatch, deployed.url, "wrong", **limits)
    with pytest.raises(serinus.EndpointError, match=r"/predict answered 403: Forbidden\. `serinus logs`"):
        serinus.predict("churn", deployed.rows)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _serve(monkeypatch, f"http://127.0.0.1:{port}", "key", **limits)
    with pytest.raises(serinus.EndpointError, match=rf"127\.0\.0\.1:{port} did not answer: "):
        serinus.predict("churn", deployed.rows)


@pytest.mark.parametrize(
    ("response", "fields"),
    [
        ({"values": [1.0, 2.0]}, {"predicted_value": [1.0, 2.0]}),
        ({"values": [[1.0, 2.0]]}, {"predicted_value_0": [1.0], "predicted_value_1": [2.0]}),
        (
            {"classes": [0, 1], "labels": [1], "probabilities": [[0.2, 0.8]]},
            {"predicted_label": [1], "probability_0": [0.2], "probability_1": [0.8]},
        ),
        ({"labels": [[0, 1]]}, {"predicted_label": [[0, 1]]}),
        ({"outputs": {"vector": [[0.1, 0.2]]}}, {"predicted_vector": [[0.1, 0.2]]}),
    ],
)
def test_each_output_has_its_field(response: dict[str, Any], fields: dict[str, Any]) -> None:
    assert prediction_fields({"model": "churn", "version": "1"} | response) == fields


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {},
            serinus.EndpointError,
            r"^no offline cloud of this project is running.*or pass env=\"dev\" to use AWS\.$",
        ),
        ({"env": "local"}, serinus.EndpointError, "no offline cloud of this project is running"),
        ({"env": "prod"}, serinus.EndpointError, "no environment 'prod'"),
        ({"project": "/"}, serinus.EndpointError, r"^no serinus\.toml in /"),
        ({"rows": {"tenure": 1}}, TypeError, r"^rows is of type dict, which is one row"),
        ({"rows": "rows.csv"}, TypeError, r"must be a list of rows, such as \[\{'feature': …\}\]"),
    ],
)
def test_what_cannot_be_sent_is_an_error(
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "serinus.toml").write_text('[project]\nname = "shop"\n[endpoint.churn]\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        serinus.predict(**{"endpoint": "churn", "rows": [{"tenure": 1}]} | arguments)
