"""The OpenAPI 3.1 document, generated from the signature, with a real request and its response as example."""

import json
from typing import Any

import msgspec

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.inference.openapi_parts import problem_responses, ref, report
from serinus.lambda_handlers.inference.openapi_schemas import feature_schema, problem_schema, response_schema
from serinus.lambda_handlers.inference.openapi_security import requirements, schemes, with_refusals
from serinus.lambda_handlers.inference.protocols import openapi_invocations, openapi_open_inference
from serinus.lambda_handlers.inference.scoring import Scorer

_TAG = "Predictions"


def describe(scorer: Scorer, root: str, auth: str) -> dict[str, Any]:
    """The document for an endpoint that callers see below ``root`` ("" or "/prod") and that authenticates them by
    ``auth``, one of `signals.AUTH_KINDS`."""
    manifest = scorer.model.manifest
    return {
        "openapi": "3.1.0",
        "info": {
            "title": manifest.name,
            "version": manifest.short_version,
            "description": f"Predictions of the {manifest.signature.task} model {manifest.name}.",
        },
        "servers": [{"url": root or "/"}],
        "security": requirements(auth),
        "paths": with_refusals(_paths(scorer), auth),
        "components": {
            "schemas": _schemas(scorer),
            "securitySchemes": schemes(auth),
            "headers": {name: _header(text) for name, text in _HEADERS.items()},
        },
    }


def _paths(scorer: Scorer) -> dict[str, Any]:
    explain = {}
    if scorer.explain_limits is not None:
        from serinus.lambda_handlers.inference import openapi_explain  # where explanations are on

        explain = openapi_explain.paths(scorer, _TAG)
    return {
        "/predict": {"post": _predict(scorer)},
        **explain,
        "/model": {"get": report("model", "Signature, versions and limits of the model", _TAG)},
        "/health": {"get": report("health", "Whether the model is ready", _TAG)},
        **openapi_open_inference.paths(scorer),
        **openapi_invocations.paths(scorer),
    }


_HEADERS = {
    signals.HEADER_MODEL: "Name of the model",
    signals.HEADER_MODEL_VERSION: "Version of the model: 12 hex digits",
    signals.HEADER_FUNCTION_VERSION: "Version of the Lambda function",
    signals.HEADER_NON_FINITE_ROWS: "Number of rows with null for a number that is not finite; absent if 0",
}


def _predict(scorer: Scorer) -> dict[str, Any]:
    names = scorer.model.manifest.signature.feature_names()
    rows = [{name: row.get(name) for name in names} for row in read_golden(scorer.model.folder).rows[:2]]
    request = {"rows": rows}
    response = scorer.predict(msgspec.json.encode(request), None)
    return {
        "operationId": "predict",
        "tags": [_TAG],
        "summary": "Predict for one or many rows",
        "requestBody": {"required": True, "content": _json("PredictRequest", request)},
        "responses": {
            "200": {
                "description": "Predictions, in the order of the rows.",
                "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS},
                "content": _json("PredictAnswer", json.loads(response.body)),
            },
            **problem_responses(),
        },
    }


def _json(schema: str, example: Any) -> dict[str, Any]:
    return {"application/json": {"schema": ref(schema), "example": example}}


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}}


def _schemas(scorer: Scorer) -> dict[str, Any]:
    signature = scorer.model.manifest.signature
    explain = {}
    if scorer.explain_limits is not None:
        from serinus.lambda_handlers.inference import openapi_explain

        explain = openapi_explain.schemas(signature, scorer.explain_limits)
    return {
        "Row": _row(signature.features),
        "RowArray": _row_array(signature.features),
        "PredictRequest": {
            "type": "object",
            "properties": {
                "rows": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": scorer.limits.max_rows,
                    "items": {"anyOf": [ref("Row"), ref("RowArray")]},
                }
            },
            "required": ["rows"],
            "additionalProperties": False,
        },
        "PredictAnswer": response_schema(signature),
        **explain,
        "Problem": problem_schema(),
        **openapi_open_inference.schemas(signature),
        **openapi_invocations.schemas(signature),
    }


def _row(features: tuple[Feature, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Values by feature name.",
        "properties": {feature.name: feature_schema(feature) for feature in features},
        "required": [feature.name for feature in features if feature.missing == "refused"],
        "additionalProperties": False,
    }


def _row_array(features: tuple[Feature, ...]) -> dict[str, Any]:
    return {
        "type": "array",
        "description": "Values in the order of the signature.",
        "prefixItems": [feature_schema(feature) for feature in features],
        "items": False,
        "minItems": len(features),
    }
