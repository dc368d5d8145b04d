"""AWS's front-end checks before an operation runs, from its own service model.

boto3 checks types but not ranges, patterns or enumerations; the real service does, and returns a
ValidationException that lists all violations.
"""

import functools
import re
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from serinus.offline.core.errors import AwsError

#: Ranges for functions on Lambda's own fleet; the model's are wider, for managed instances.
#: Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
RANGES = {"MemorySize": (128, 10240), "Timeout": (1, 900), "EphemeralStorageSize": (512, 10240)}


def require_valid(operation: OperationModel, params: dict[str, Any]) -> None:
    """Raise ValidationException naming each member of ``params`` that violates the model."""
    violations: list[str] = []
    if operation.input_shape is not None:
        _check(operation.input_shape, params, "", violations)
    if violations:
        noun = "error" if len(violations) == 1 else "errors"
        message = f"{len(violations)} validation {noun} detected: {'; '.join(violations)}"
        raise AwsError("ValidationException", message, status=400)


def _check(shape: Shape, value: Any, path: str, violations: list[str]) -> None:
    if value is None:
        return
    if isinstance(shape, StructureShape):
        violations += [
            _complaint("null", _join(path, name), "Member must not be null")
            for name in shape.required_members
            if value.get(name) is None
        ]
        for name, member in shape.members.items():
            _check(member, value.get(name), _join(path, name), violations)
        return
    if isinstance(shape, ListShape):
        for index, item in enumerate(value):
            _check(shape.member, item, f"{path}.{index + 1}.member", violations)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            _check(shape.value, item, f"{path}.{key}.member", violations)
    reason = _broken_rule(shape, value)
    if reason is not None:
        violations.append(_complaint(str(value), path, reason))


def _broken_rule(shape: Shape, value: Any) -> str | None:
    low, high = RANGES.get(shape.name, (shape.metadata.get("min"), shape.metadata.get("max")))
    match shape.type_name:
        case "integer" | "long" | "float" | "double":
            return _out_of_range(value, low, high, "have value")
        case "string":
            return _broken_text(shape, value, low, high)
        case "list" | "map":
            return _out_of_range(len(value), low, high, "have length")
    return None


def _broken_text(shape: Shape, value: str, low: int | None, high: int | None) -> str | None:
    choices = shape.metadata.get("enum")
    if choices and value not in choices:
        return f"Member must satisfy enum value set: [{', '.join(choices)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        return f"Member must satisfy regular expression pattern: {pattern}"
    return _out_of_range(len(value), low, high, "have length")


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The model's pattern for Python, which does not support Unicode categories."""
    for category, here in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        pattern = pattern.replace(category, here)
    return re.compile(pattern)


def _out_of_range(size: float, low: int | None, high: int | None, verb: str) -> str | None:
    if low is not None and size < low:
        return f"Member must {verb} greater than or equal to {low}"
    if high is not None and size > high:
        return f"Member must {verb} less than or equal to {high}"
    return None


def _join(path: str, name: str) -> str:
    lowered = name[0].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _complaint(value: str, path: str, rule: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {rule}"
