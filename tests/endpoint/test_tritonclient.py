"""The stock tritonclient, unmodified, with the endpoint's base path as its URL and the key in its headers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("endpoint")]


@pytest.fixture(scope="module")
def client(deployed: Any) -> Iterator[Any]:
    with triton.InferenceServerClient(url=deployed.base) as opened:
        yield opened


def tensor(name: str, column: Any, *, binary: bool) -> Any:
    made = triton.InferInput(name, column.shape, np_to_triton_dtype(column.dtype))
    made.set_data_from_numpy(column, binary_data=binary)
    return made


def inputs(rows: list[dict[str, Any]], *, binary: bool) -> list[Any]:
    """The rows as the graph's own tensors."""
    numbers = np.array([[row["tenure"], row["charge"]] for row in rows], "float64")
    strings = np.array([[row["contract"]] for row in rows], "object")
    return [tensor("numbers", numbers, binary=binary), tensor("strings", strings, binary=binary)]


def test_server_and_model_are_ready_and_described(client, deployed):
    headers = deployed.headers
    assert client.is_server_live(headers=headers)
    assert client.is_server_ready(headers=headers)
    assert client.is_model_ready("churn", headers=headers)
    assert "binary_tensor_data" in client.get_server_metadata(headers=headers)["extensions"]
    described = client.get_model_metadata("churn", headers=headers)
    assert [(each["name"], each["datatype"], each["shape"]) for each in described["inputs"]] == [
        ("numbers", "FP64", [-1, 2]),
        ("strings", "BYTES", [-1, 1]),
    ]
    assert described["inputs"][0]["parameters"]["features"] == ["tenure", "charge"]
    (version,) = described["versions"]
    assert client.is_model_ready("churn", version, headers=headers)
    assert not client.is_model_ready("other", headers=headers)


def test_configuration_and_repository_are_described_and_statistics_are_not(client, deployed):
    headers = deployed.headers
    configuration = client.get_model_config("churn", headers=headers)
    assert (configuration["backend"], configuration["max_batch_size"]) == ("onnxruntime", 1000)
    assert configuration["input"] == [
        {"name": "numbers", "data_type": "TYPE_FP64", "dims": [2]},
        {"name": "strings", "data_type": "TYPE_STRING", "dims": [1]},
    ]
    (served,) = client.get_model_repository_index(headers=headers)
    (version,) = client.get_model_metadata("churn", headers=headers)["versions"]
    assert served == {"name": "churn", "version": version, "state": "READY", "reason": ""}
    for absent, reason in (
        (client.get_inference_statistics, "Statistics are in CloudWatch"),
        (client.load_model, "which a deploy changes"),
    ):
        with pytest.raises(InferenceServerException, match="is not a route of this endpoint") as raised:
            absent("churn", headers=headers)
        assert raised.value.status() == "404"
        assert "GET /v2/models/MODEL with /ready and /config" in raised.value.message()
        assert reason in raised.value.message()


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("binary_in", [True, False])
def test_inference_agrees_with_the_source_model(client, deployed, binary_in, binary_out, compression):
    # JSON has no NaN, and the client would write one.
    rows = deployed.rows if binary_in else [row for row in deployed.rows if row["charge"] is not None]
    outputs = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in ("label", "probabilities")]
    result = client.infer(
        "churn",
        inputs(rows, binary=binary_in),
        outputs=outputs,
        request_id="r-1",
        headers=deployed.headers,
        request_compression_algorithm=compression,
        response_compression_algorithm=compression,
    )
    assert result.get_response()["id"] == "r-1"
    frame = pd.DataFrame(rows).astype({"charge": float})
    expected = deployed.source.predict_proba(frame)
    np.testing.assert_allclose(result.as_numpy("probabilities"), expected, atol=1e-4)
    labels = [text.decode() if isinstance(text, bytes) else text for text in result.as_numpy("label")]
    assert labels == deployed.source.predict(frame).tolist()


def test_outputs_are_binary_where_none_is_named(client, deployed):
    result = client.infer("churn", inputs(deployed.rows, binary=True), headers=deployed.headers)
    assert "data" not in result.get_output("probabilities")
    assert result.as_numpy("probabilities").shape == (len(deployed.rows), 2)


def test_features_may_be_sent_as_tensors_of_their_own(client, deployed):
    columns = {
        "tenure": np.array([row["tenure"] for row in deployed.rows], "int32"),
        "charge": np.array([row["charge"] for row in deployed.rows], "float32"),
        "contract": np.array([row["contract"] for row in deployed.rows], "object"),
    }
    sent = [tensor(name, column, binary=True) for name, column in columns.items()]
    result = client.infer("churn", sent, headers=deployed.headers)
    whole = client.infer("churn", inputs(deployed.rows, binary=True), headers=deployed.headers)
    np.testing.assert_allclose(result.as_numpy("probabilities"), whole.as_numpy("probabilities"), atol=1e-6)


def test_what_does_not_fit_is_the_clients_own_exception_with_the_reason(client, deployed):
    wrong = inputs([{**deployed.rows[0], "contract": "weekly", "charge": 1.0}], binary=True)
    with pytest.raises(InferenceServerException, match="must be one of 'monthly'") as caught:
        client.infer("churn", wrong, headers=deployed.headers)
    assert caught.value.status() == "422"


def test_without_its_key_the_client_is_refused(client):
    assert not client.is_server_live()
