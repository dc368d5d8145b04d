"""The allowed values of a setting, in words: for errors and docs/settings.md, from the models that validate."""

import json
from typing import Any

from pydantic import BaseModel

_TYPES = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text"}


def allowed_values(model: type[BaseModel], field: str) -> str:
    """The type and range of a field, such as "a whole number from 128 to 10240"."""
    return _describe(model.model_json_schema()["properties"][field])


def _describe(schema: dict[str, Any]) -> str:
    if "allowed" in schema:
        return str(schema["allowed"])
    if "anyOf" in schema:
        return _describe(next(option for option in schema["anyOf"] if option.get("type") != "null"))
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    if "$ref" in schema or schema.get("type") == "object":
        return "a table"
    return _TYPES[schema["type"]] + _range(schema.get("minimum"), schema.get("maximum"))


def _range(least: int | None, most: int | None) -> str:
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f", {least} or more"
    return ""
