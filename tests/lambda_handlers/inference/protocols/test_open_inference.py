"""The Open Inference Protocol, JSON and binary: same rules and same numbers as /predict."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from serinus.lambda_handlers.inference.http import Request
from serinus.lambda_handlers.inference.protocols.datatypes import unpack
from serinus.lambda_handlers.inference.protocols.routes import compile_routes

PATH = "/v2/models/{}/infer"
VECTOR = [[1.0, 2.0], [3.0, 4.0]]


def tensor(name: str, datatype: str, data: Any, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


INPUTS = {
    "iris": [tensor("X", "FP32", [[5.1, 3.5, 1.4, 0.2], [6.7, 3, 5.2, 2.3]], [2, 4])],
    "churn": [
        tensor("tenure", "FP32", [2, 60], [2, 1]),
        tensor("charge", "FP32", [95.5, None], [2, 1]),
        tensor("contract", "BYTES", ["monthly", "two years"], [2, 1]),
        tensor("region", "BYTES", [["north"], ["east"]], [2, 1]),
    ],
    "energy": [tensor("numbers", "FP64", [18.5, 3, 1, -2.25, 1, 0], [2, 3])],
    "ratio": [
        tensor("total", "FP32", [6, 1], [2, 1]),
        tensor("count", "INT64", [3, 2], [2, 1]),
        tensor("vector", "FP32", [VECTOR, VECTOR], [2, 2, 2]),
    ],
}
ROWS: dict[str, list[Any]] = {
    "iris": [[5.1, 3.5, 1.4, 0.2], [6.7, 3, 5.2, 2.3]],
    "churn": [[2, 95.5, "monthly", "north"], [60, None, "two years", "east"]],
    "energy": [[18.5, 3, True], [-2.25, 1, False]],
    "ratio": [[6, 3, VECTOR], [1, 2, VECTOR]],
}


def outputs(answer: Any) -> dict[str, Any]:
    return {output["name"]: output for output in json.loads(answer.body)["outputs"]}


def values(scorer: Any, rows: list[Any]) -> list[Any]:
    """What /predict answers, flat, in signature order."""
    answer = json.loads(scorer.predict(json.dumps({"rows": rows}).encode(), None).body)
    fields = [answer[name] for name in ("labels", "values", "probabilities") if name in answer]
    return [np.array(field).reshape(-1).tolist() for field in [*fields, *answer.get("outputs", {}).values()]]


@pytest.mark.parametrize("name", INPUTS)
def test_tensors_score_as_rows_do(post, scorers, name):
    answer = post(name, PATH.format(name), {"id": "a", "inputs": INPUTS[name]})
    assert answer.status == 200
    document = json.loads(answer.body)
    assert (document["model_name"], document["id"]) == (name, "a")
    assert [output["data"] for output in document["outputs"]] == values(scorers[name], ROWS[name])


@pytest.mark.parametrize("name", INPUTS)
def test_shapes_and_datatypes_are_those_of_the_metadata(post, scorers, name):
    metadata = compile_routes(scorers[name])["GET", f"/v2/models/{name}"](Request(b"", {}.get))
    described = {output["name"]: output for output in json.loads(metadata.body)["outputs"]}
    for output in outputs(post(name, PATH.format(name), {"inputs": INPUTS[name]})).values():
        assert output["datatype"] == described[output["name"]]["datatype"]
        assert output["shape"][0] == 2
        assert output["shape"][1:] == described[output["name"]]["shape"][1:]
        assert len(output["data"]) == np.prod(output["shape"])


def test_columns_of_a_tensor_may_be_sent_as_features(post):
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    columns = zip(*ROWS["iris"], strict=True)
    by_feature = [tensor(n, "FP64", list(column), [2]) for n, column in zip(names, columns, strict=True)]
    path = PATH.format("iris")
    assert post("iris", path, {"inputs": by_feature}).body == post("iris", path, {"inputs": INPUTS["iris"]}).body


def test_a_feature_that_may_be_missing_may_be_left_out(post):
    inputs = [sent for sent in INPUTS["churn"] if sent["name"] != "charge"]
    assert post("churn", PATH.format("churn"), {"inputs": inputs}).status == 200


def strings(*texts: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def binary(inputs: list[dict[str, Any]], blobs: list[bytes], **more: Any) -> tuple[bytes, str]:
    """A body with tensors behind the JSON, and the header that says where they begin."""
    bare = [
        {
            "name": i["name"],
            "shape": i["shape"],
            "datatype": i["datatype"],
            "parameters": {"binary_data_size": len(b)},
        }
        for i, b in zip(inputs, blobs, strict=True)
    ]
    head = json.dumps({"inputs": bare, **more}).encode()
    return head + b"".join(blobs), str(len(head))


CHURN_BLOBS = [
    struct.pack("<2f", 2, 60),
    struct.pack("<2f", 95.5, float("nan")),
    strings(b"monthly", b"two years"),
    strings(b"north", b"east"),
]


def test_bytes_in_and_out_hold_the_same_values_as_json(post):
    body, length = binary(INPUTS["churn"], CHURN_BLOBS, parameters={"binary_data_output": True})
    answer = post("churn", PATH.format("churn"), body, inference_header_content_length=length)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    head_bytes = int(answer.headers["inference-header-content-length"])
    document, data = json.loads(answer.body[:head_bytes]), answer.body[head_bytes:]
    expected = outputs(post("churn", PATH.format("churn"), {"inputs": INPUTS["churn"]}))
    for output in document["outputs"]:
        size = output["parameters"]["binary_data_size"]
        assert unpack(output["datatype"], data[:size]) == expected[output["name"]]["data"]
        data = data[size:]
    assert data == b""


def test_outputs_are_chosen_by_name_each_in_its_form(post):
    asked = [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "label"}]
    answer = post("iris", PATH.format("iris"), {"inputs": INPUTS["iris"], "outputs": asked})
    head = json.loads(answer.body[: int(answer.headers["inference-header-content-length"])])
    assert [output["name"] for output in head["outputs"]] == ["probabilities", "label"]
    assert head["outputs"][1]["data"] == [0, 2]
    assert len(answer.body) - int(answer.headers["inference-header-content-length"]) == 2 * 3 * 4


def test_numbers_that_are_not_finite_are_null_and_counted(post):
    inputs = [tensor("total", "FP32", [1, 0], [2]), tensor("count", "INT64", [0, 1], [2]), INPUTS["ratio"][2]]
    answer = post("ratio", PATH.format("ratio"), {"inputs": inputs})
    assert outputs(answer)["mean"]["data"] == [None, 0.0]
    assert answer.headers["x-serinus-non-finite-rows"] == "1"


X = INPUTS["iris"][0]
REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({}, "is not an inference request"),
    ({"inputs": 3}, "is not an inference request"),
    ({"inputs": []}, "number of rows"),
    ({"inputs": [{**X, "name": "Y"}]}, "Y is not an input of this model, which accepts X"),
    ({"inputs": [{**X, "shape": [2, 5]}]}, "X shape must be [-1, 4]"),
    ({"inputs": [{**X, "shape": [2.5, 4]}]}, "Expected `int`"),
    ({"inputs": [{**X, "shape": [0, 4], "data": []}]}, "at least 1"),
    ({"inputs": [{**X, "shape": [-1, 4]}]}, "at least 1"),
    ({"inputs": [{**X, "shape": [3, 4]}]}, "X data must be flat"),
    ({"inputs": [{**X, "data": [1.0] * 9}]}, "8"),
    ({"inputs": [{**X, "data": [[1, 2, 3, 4], [1, 2, 3]]}]}, "nested by its shape"),
    ({"inputs": [{**X, "data": [[1, 2, 3, 4], 5]}]}, "nested by its shape"),
    ({"inputs": [{**X, "data": None}]}, "neither data nor binary_data_size"),
    ({"inputs": [{**X, "datatype": "BF16"}]}, "datatype must be one of"),
    ({"inputs": [X, X]}, "appears twice"),
    ({"inputs": [{**X, "data": ["a"] * 8}]}, "row 0: sepal_length must be a number"),
    ({"inputs": [{**X, "data": [1e39] * 8}]}, "finite number"),
    ({"inputs": [{**X, "data": [None] * 8}]}, "may not be null"),
    ({"inputs": [{**X, "parameters": {"binary_data_size": 32}}]}, "0 are left"),
    ({"inputs": [{**X, "parameters": {"shared_memory_region": "a"}}]}, "not supported"),
    ({"inputs": [X], "parameters": {"sequence_id": 3}}, "not supported"),
    ({"inputs": [X], "outputs": [{"name": "logits"}]}, "logits is not an output of this model"),
    ({"inputs": [X], "outputs": [{"name": "label", "parameters": {"classification": 1}}]}, "not supported"),
]


@pytest.mark.parametrize(("body", "told"), REFUSALS)
def test_what_does_not_fit_is_refused_in_words_that_clients_of_the_protocol_read(post, body, told):
    answer = post("iris", PATH.format("iris"), body)
    problem = json.loads(answer.body)
    assert (answer.status, problem["status"]) == (422, 422)
    assert told in problem["error"]


@pytest.mark.parametrize(
    ("blob", "told"),
    [
        (b"\0" * 31, "not a whole number of FP32"),
        (b"\0" * 28, "as many values as its shape implies"),
        (struct.pack("<8f", *[float("inf")] * 8), "finite number"),
    ],
)
def test_bytes_that_are_no_tensor_are_refused(post, blob, told):
    body, length = binary([X], [blob])
    answer = post("iris", PATH.format("iris"), body, inference_header_content_length=length)
    assert answer.status == 422
    assert told in json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("blob", "told"),
    [
        (b"\xff\xff\xff\xff", "ends beyond"),
        (b"\1\0", "ends beyond"),
        (strings(b"\xff", b"a"), "not valid UTF-8"),
        (strings(b"weekly", b"monthly"), "must be one of 'monthly'"),
    ],
)
def test_strings_that_are_none_are_refused(post, blob, told):
    body, length = binary(INPUTS["churn"], [*CHURN_BLOBS[:2], blob, CHURN_BLOBS[3]])
    answer = post("churn", PATH.format("churn"), body, inference_header_content_length=length)
    assert answer.status == 422
    assert told in json.loads(answer.body)["error"]


@pytest.mark.parametrize("length", ["", "-1", "x", "1e3", "99999999999", "²", "100000"])
def test_a_length_of_the_json_that_is_none_is_a_malformed_body(post, length):
    answer = post("iris", PATH.format("iris"), {"inputs": [X]}, inference_header_content_length=length)
    assert answer.status == 400
    assert "inference-header-content-length" in json.loads(answer.body)["error"]


def test_bytes_that_no_input_claims_are_refused(post):
    body, length = binary([X], [b"\0" * 32])
    answer = post("iris", PATH.format("iris"), body + b"more", inference_header_content_length=length)
    assert (answer.status, "4 bytes" in json.loads(answer.body)["error"]) == (422, True)


def test_too_many_rows_are_refused_before_any_is_made(post):
    answer = post("iris", PATH.format("iris"), {"inputs": [{**X, "shape": [10**15, 4]}]})
    assert answer.status == 413


@pytest.mark.parametrize("wrong", ["version", "model"])
def test_other_models_and_versions_are_no_routes(scorers, wrong):
    routes = compile_routes(scorers["iris"])
    version = scorers["iris"].model.manifest.version
    assert ("POST", f"/v2/models/iris/versions/{version[:12]}/infer") in routes
    assert ("GET", f"/v2/models/iris/versions/{version}/ready") in routes
    path = {"version": "/v2/models/iris/versions/1/infer", "model": "/v2/models/churn/infer"}[wrong]
    assert ("POST", path) not in routes
