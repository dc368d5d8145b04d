"""The Open Inference Protocol's routes in the OpenAPI document."""

from typing import Any

from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.signature import Feature, Signature, Tensor
from serinus.lambda_handlers.inference.openapi_parts import problem_responses, ref, report
from serinus.lambda_handlers.inference.openapi_schemas import feature_schema
from serinus.lambda_handlers.inference.protocols.datatypes import NAMES
from serinus.lambda_handlers.inference.protocols.infer import OCTETS
from serinus.lambda_handlers.inference.protocols.infer_request import HEADER_JSON_BYTES
from serinus.lambda_handlers.inference.protocols.model_metadata import row_shape
from serinus.lambda_handlers.inference.protocols.routes import model_paths
from serinus.lambda_handlers.inference.scoring import JSON, Scorer

_TAG = "Open Inference Protocol"


def paths(scorer: Scorer) -> dict[str, Any]:
    """The routes, those of the model with its name and without a version."""
    model = model_paths(scorer)[0]
    return {
        "/v2": {"get": report("server", "The server and its extensions", _TAG)},
        "/v2/health/live": {"get": report("live", "Whether the server is up", _TAG)},
        "/v2/health/ready": {"get": report("ready", "Whether the model is loaded", _TAG)},
        model: {"get": report("modelMetadata", "Inputs and outputs of the model as tensors", _TAG)},
        f"{model}/config": {"get": report("modelConfiguration", "The model as Triton configures it", _TAG)},
        f"{model}/ready": {"get": report("modelReady", "Whether the model is loaded", _TAG)},
        f"{model}/infer": {"post": _infer(scorer)},
        "/v2/repository/index": {"post": report("repositoryIndex", "The models that are served", _TAG, "array")},
    }


def schemas(signature: Signature) -> dict[str, Any]:
    """The schemas that the routes refer to."""
    return {"InferRequest": _request(signature), "InferAnswer": _ANSWER}


def _infer(scorer: Scorer) -> dict[str, Any]:
    length = {"schema": {"type": "integer", "minimum": 0}, "description": "Length of the body's JSON in bytes."}
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        "operationId": "infer",
        "tags": [_TAG],
        "summary": "Predict from tensors",
        "parameters": [{"name": HEADER_JSON_BYTES, "in": "header", "required": False, **length}],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": ref("InferRequest"), "example": _example(scorer)}, OCTETS: binary},
        },
        "responses": {
            "200": {
                "description": "Tensors, in JSON or as bytes after it.",
                "headers": {HEADER_JSON_BYTES: length},
                "content": {JSON: {"schema": ref("InferAnswer")}, OCTETS: binary},
            },
            **problem_responses(),
        },
    }


def _request(signature: Signature) -> dict[str, Any]:
    """The inputs as the graph's tensors; a client may name single features instead."""
    required = [
        tensor
        for tensor in signature.addressed_tensors()
        if any(_required(signature, name) for name in tensor.features)
    ]
    inputs = {
        "type": "array",
        "minItems": max(1, len(required)),
        "maxItems": len(signature.addressed_tensors()),
        "items": {"anyOf": [_input(signature, tensor) for tensor in signature.addressed_tensors()]},
    }
    output = {
        "type": "object",
        "properties": {
            "name": {"enum": [output.name for output in signature.outputs]},
            "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
        },
        "required": ["name"],
    }
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}},
            "inputs": inputs,
            "outputs": {"type": "array", "items": output},
        },
        "required": ["inputs"],
    }


def _input(signature: Signature, tensor: Tensor) -> dict[str, Any]:
    features = [feature for feature in signature.features if feature.name in tensor.features]
    return {
        "type": "object",
        "properties": {
            "name": {"const": tensor.name},
            "datatype": {"const": NAMES[tensor.dtype]},
            "shape": {
                "type": "array",
                "prefixItems": [
                    {"type": "integer", "minimum": 1},
                    *({"const": n} for n in row_shape(signature, tensor)),
                ],
                "items": False,
                "minItems": 1 + len(row_shape(signature, tensor)),
            },
            "data": {
                "type": "array",
                "description": "Flat, or nested by the shape.",
                "items": _value(features),
            },
            "parameters": {
                "type": "object",
                "properties": {"binary_data_size": {"type": "integer", "minimum": 0}},
            },
        },
        "required": ["name", "datatype", "shape"],
    }


def _value(features: list[Feature]) -> dict[str, Any]:
    """One value, of any feature: their schemas, each once, without descriptions; or arrays."""
    distinct: list[dict[str, Any]] = []
    for feature in features:
        schema = feature_schema(feature)
        while "items" in schema:
            schema = schema["items"]
        bare = {key: value for key, value in schema.items() if key not in ("description", "examples")}
        if bare not in distinct:
            distinct.append(bare)
    return {"anyOf": [*distinct, {"type": "array"}]}


def _required(signature: Signature, name: str) -> bool:
    return any(feature.name == name and feature.missing == "refused" for feature in signature.features)


def _example(scorer: Scorer) -> dict[str, Any]:
    """The first golden row as tensors."""
    signature = scorer.model.manifest.signature
    row = read_golden(scorer.model.folder).rows[0]
    inputs = []
    for tensor in signature.addressed_tensors():
        data = [row.get(name) for name in tensor.features]
        inputs.append(
            {
                "name": tensor.name,
                "datatype": NAMES[tensor.dtype],
                "shape": [1, *row_shape(signature, tensor)],
                "data": data,
            }
        )
    return {"inputs": inputs}


_ANSWER = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
        "id": {"type": "string"},
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "datatype": {"enum": list(NAMES.values())},
                    "shape": {"type": "array", "items": {"type": "integer"}},
                    "data": {"type": "array"},
                    "parameters": {"type": "object"},
                },
                "required": ["name", "datatype", "shape"],
            },
        },
    },
    "required": ["model_name", "model_version", "outputs"],
}
