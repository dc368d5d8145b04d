"""JSON schemas of values, responses and problems, for the OpenAPI document."""

from typing import Any

from serinus.lambda_handlers.contract.columns import OTHERS, field_of
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature
from serinus.lambda_handlers.inference.rules import FLOAT32_MAX

_SCALARS: dict[str, dict[str, Any]] = {
    "float32": {"type": "number", "format": "float", "minimum": -FLOAT32_MAX, "maximum": FLOAT32_MAX},
    "float64": {"type": "number", "format": "double"},
    "int32": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
}
#: Categories that a description names before it only counts them.
_NAMED_CATEGORIES = 20


def feature_schema(feature: Feature) -> dict[str, Any]:
    """The schema of one feature's value in a request."""
    schema = dict(_SCALARS[feature.dtype])
    if feature.lowest is not None:
        schema["minimum"] = max(feature.lowest, schema.get("minimum", feature.lowest))
    if feature.highest is not None:
        schema["maximum"] = min(feature.highest, schema.get("maximum", feature.highest))
    if feature.unseen == "refused" and feature.categories is not None:
        schema["enum"] = list(feature.categories)
    for length in reversed(feature.shape):
        schema = {"type": "array", "items": schema, "minItems": length, "maxItems": length}
    if feature.missing == "accepted":
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    if text := _seen(feature):
        schema["description"] = text
    if feature.example is not None:
        schema["examples"] = [feature.example]
    return schema


def _seen(feature: Feature) -> str:
    if feature.categories is not None:
        named = ", ".join(str(category) for category in feature.categories[:_NAMED_CATEGORIES])
        more = len(feature.categories) - _NAMED_CATEGORIES
        return f"Seen in training: {named}{f' and {more} more' if more > 0 else ''}."
    if feature.minimum is not None and feature.maximum is not None:
        return f"Seen in training: {feature.minimum:g} to {feature.maximum:g}."
    return ""


def response_schema(signature: Signature) -> dict[str, Any]:
    """The schema of a prediction's response, fields as `predict_response` writes them."""
    properties: dict[str, Any] = {
        "model": {"type": "string"},
        "version": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
    }
    if signature.classes is not None:
        properties["classes"] = {"type": "array", "description": "Labels in the order of the probabilities."}
    if signature.target_classes is not None:
        described = "By label, its classes in the order of its probabilities."
        properties["classes"] = {"type": "array", "items": {"type": "array"}, "description": described}
    others = {}
    for output in signature.outputs:
        if field := field_of(output, signature.outputs):
            properties[field] = _output_schema(output)
        else:
            others[output.name] = _output_schema(output)
    if others:
        properties[OTHERS] = {"type": "object", "properties": others, "required": list(others)}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _output_schema(output: Output) -> dict[str, Any]:
    kind = _SCALARS[output.dtype]["type"]
    inner: dict[str, Any] = {"type": [kind, "null"] if kind == "number" else kind}
    shape = output.shape[1:]
    if output.role in ("label", "value") and shape == (1,):
        shape = ()
    for _ in shape:
        inner = {"type": "array", "items": inner}
    return {"type": "array", "description": "One entry for each row.", "items": inner}


def problem_schema() -> dict[str, Any]:
    """RFC 9457, with the faults."""
    fault = {
        "type": "object",
        "properties": {
            "rule": {"type": "string"},
            "row": {"type": "integer", "description": "Counted from 0."},
            "field": {"type": "string"},
            "value": {"description": "The value sent, truncated."},
        },
        "required": ["rule"],
    }
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": fault},
            "errors_omitted": {"type": "integer", "description": "Number of further errors."},
            "error": {"type": "string", "description": "Title, detail and errors as one text; below /v2 only."},
        },
        "required": ["type", "title", "status", "detail"],
    }
