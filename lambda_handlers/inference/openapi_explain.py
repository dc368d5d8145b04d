"""/explain in the OpenAPI document; imported where explanations are on."""

import json
from typing import Any

import msgspec

from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.explained import explained_output
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.limits import ExplainLimits
from serinus.lambda_handlers.inference.openapi_parts import problem_responses, ref
from serinus.lambda_handlers.inference.scoring import JSON, Scorer

_NUMBERS = {"type": "array", "items": {"type": ["number", "null"]}}


def paths(scorer: Scorer, tag: str) -> dict[str, Any]:
    """The route, with a real request and its response as example."""
    names = scorer.model.manifest.signature.feature_names()
    rows = [{name: row.get(name) for name in names} for row in read_golden(scorer.model.folder).rows[:1]]
    request = {"rows": rows, "top": min(3, len(names))}
    response = scorer.explain(msgspec.json.encode(request), JSON)
    slow = {
        "413": problem_responses()["413"] | {"description": "Too many bytes or rows, or too many milliseconds."}
    }
    operation = {
        "operationId": "explain",
        "tags": [tag],
        "summary": "Explain predictions by the features",
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": ref("ExplainRequest"), "example": request}},
        },
        "responses": {
            "200": {
                "description": "Explanations, in the order of the rows. Base and values sum to the prediction.",
                "content": {JSON: {"schema": ref("Explanations"), "example": json.loads(response.body)}},
            },
            **problem_responses(),
            **slow,
        },
    }
    return {"/explain": {"post": operation}}


def schemas(signature: Signature, limits: ExplainLimits) -> dict[str, Any]:
    """The schemas that the route refers to."""
    is_probability = explained_output(signature).role == "probabilities"
    explains = "probability" if is_probability else "value"
    labels = {"class": {"enum": list(signature.classes or ())}} if is_probability else {}
    request: dict[str, Any] = {
        "rows": {
            "type": "array",
            "minItems": 1,
            "maxItems": limits.max_rows,
            "items": {"anyOf": [ref("Row"), ref("RowArray")]},
        },
        "top": {"type": "integer", "minimum": 1, "description": "How many features to name, largest first."},
    }
    if is_probability:
        described = "Class whose probability is explained; each row's predicted class by default."
        request["class"] = labels["class"] | {"description": described}
    named = {"feature": {"type": "string"}, "value": {"type": ["number", "null"]}}
    explanation = {
        **labels,
        explains: {"type": ["number", "null"], "description": "What is explained."},
        "base": {"type": ["number", "null"], "description": "Its mean over the background."},
        "values": _NUMBERS | {"description": "What each feature adds to the base, in the order of `features`."},
        "standard_errors": _NUMBERS | {"description": "Of the values, which are estimated."},
    }
    return {
        "ExplainRequest": _object(request, ["rows"]),
        "Explanations": _object(
            {
                "model": {"type": "string"},
                "version": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
                "explains": {"const": explains},
                "features": {"const": list(signature.feature_names())},
                "explanations": {
                    "type": "array",
                    "description": "One entry for each row.",
                    "items": _object(
                        {**explanation, "top": {"type": "array", "items": _object(named)}}, list(explanation)
                    ),
                },
            }
        ),
    }


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    names = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}
