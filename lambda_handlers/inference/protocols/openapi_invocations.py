"""/invocations and /ping in the OpenAPI document."""

import csv
import io
from typing import Any

from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.openapi_parts import problem_responses, ref, report
from serinus.lambda_handlers.inference.openapi_schemas import feature_schema
from serinus.lambda_handlers.inference.protocols.invocations import CSV
from serinus.lambda_handlers.inference.scoring import JSON, Scorer

_TAG = "MLflow and SageMaker"


def paths(scorer: Scorer) -> dict[str, Any]:
    """The two routes."""
    return {
        "/ping": {"get": report("ping", "Whether the model is ready", _TAG)},
        "/invocations": {"post": _invoke(scorer)},
    }


def schemas(signature: Signature) -> dict[str, Any]:
    """The schemas that the routes refer to."""
    rows = {"type": "array", "minItems": 1, "items": {"anyOf": [ref("Row"), ref("RowArray")]}}
    return {
        "Invocation": {
            "oneOf": [
                _alone("dataframe_split", _split(signature)),
                _alone("dataframe_records", {"type": "array", "minItems": 1, "items": ref("Row")}),
                _alone("instances", rows),
                _alone("inputs", {"anyOf": [rows, _columns(signature)]}),
            ]
        },
        "Predictions": {
            "type": "object",
            "properties": {
                "predictions": {"type": "array", "description": "One entry for each row."},
                "classes": {"type": "array"},
                "probabilities": {"type": "array"},
            },
            "required": ["predictions"],
        },
    }


def _invoke(scorer: Scorer) -> dict[str, Any]:
    names = scorer.model.manifest.signature.feature_names()
    rows = [{name: row.get(name) for name in names} for row in read_golden(scorer.model.folder).rows[:2]]
    text = {"schema": {"type": "string"}}
    return {
        "operationId": "invoke",
        "tags": [_TAG],
        "summary": "Predict from a table",
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": ref("Invocation"), "example": {"dataframe_records": rows}},
                CSV: {**text, "example": _csv(rows)},
            },
        },
        "responses": {
            "200": {
                "description": "Predictions, in the media type that Accept names.",
                "content": {JSON: {"schema": ref("Predictions")}, CSV: text},
            },
            "406": problem_responses()["415"] | {"description": "Accept allows neither JSON nor CSV."},
            **problem_responses(),
        },
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _alone(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema, "params": {"type": "object", "maxProperties": 0}},
        "required": [name],
        "additionalProperties": False,
    }


def _split(signature: Signature) -> dict[str, Any]:
    names = list(signature.feature_names())
    return {
        "type": "object",
        "properties": {
            "columns": {"const": names, "description": "In any order."},
            "data": {"type": "array", "minItems": 1, "items": ref("RowArray")},
            "index": {"type": "array"},
        },
        "required": ["columns", "data"],
        "additionalProperties": False,
    }


def _columns(signature: Signature) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "A column for each feature, all of equal length.",
        "properties": {
            feature.name: {"type": "array", "minItems": 1, "items": feature_schema(feature)}
            for feature in signature.features
        },
        "required": [feature.name for feature in signature.features if feature.missing == "refused"],
        "additionalProperties": False,
    }
