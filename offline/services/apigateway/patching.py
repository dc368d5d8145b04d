"""API Gateway's updates: JSON-patch operations on a document, typed by its shape in AWS's model.

Values arrive as strings whatever the member's type. Segments escape "/" as "~1" and "~" as "~0".
Source: https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from typing import Any

from botocore.model import Shape

from serinus.offline.core.errors import AwsError
from serinus.offline.http.api_documents import Document, bad_request


def segments(path: str) -> list[str]:
    """The unescaped parts of a patch path."""
    return [part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("/").split("/")]


def apply_patch(document: Document, operations: list[Document], shape: Shape, mutable: frozenset[str]) -> None:
    """Apply ``operations`` in place; only top-level members in ``mutable`` may change."""
    for operation in operations:
        parts = segments(operation["path"])
        if parts[0] not in mutable:
            raise invalid_path(operation, mutable)
        _patch_structure(document, shape, parts, operation)


def invalid_path(operation: Document, allowed: frozenset[str]) -> AwsError:
    names = ", ".join(f"/{name}" for name in sorted(allowed))
    return bad_request(
        f"Invalid patch path '{operation['path']}' specified for op '{operation['op']}'. Must be one of: [{names}]"
    )


def _patch_structure(document: Document, shape: Shape, parts: list[str], operation: Document) -> None:
    members: dict[str, Shape] = shape.members
    name, rest = parts[0], parts[1:]
    if name not in members:
        raise invalid_path(operation, frozenset(members))
    _patch_member(document, name, members[name], rest, operation)


def _patch_member(holder: Document, name: str, shape: Shape, rest: list[str], operation: Document) -> None:
    if shape.type_name == "list":
        holder[name] = _patched_list(holder.get(name) or [], rest, operation)
    elif not rest:
        _patch_leaf(holder, name, shape, operation)
    elif shape.type_name == "structure":
        _patch_structure(_inside(holder, name), shape, rest, operation)
    elif shape.type_name == "map":
        _patch_member(_inside(holder, name), "/".join(rest), shape.value, [], operation)
    else:
        raise bad_request(f"Invalid patch path '{operation['path']}'")


def _inside(holder: Document, name: str) -> Document:
    if holder.get(name) is None:
        holder[name] = {}
    inside: Document = holder[name]
    return inside


def _patch_leaf(holder: Document, name: str, shape: Shape, operation: Document) -> None:
    if operation["op"] == "remove":
        holder.pop(name, None)
    elif operation["op"] in ("add", "replace"):
        holder[name] = _coerced(operation.get("value"), shape, operation)
    else:
        raise bad_request(f"Invalid patch operation '{operation['op']}' for path '{operation['path']}'")


def _patched_list(values: list[Any], rest: list[str], operation: Document) -> list[Any]:
    value = operation.get("value")
    named = "/".join(rest) if rest else None
    match operation["op"]:
        case "add":
            added = named if named is not None else value
            return values if added in values else [*values, added]
        case "remove":
            removed = named if named is not None else value
            return [] if removed is None else [kept for kept in values if kept != removed]
        case "replace" if named is not None:
            return [value if kept == named else kept for kept in values]
        case "replace":
            return [] if not value else str(value).split(",")
    raise bad_request(f"Invalid patch operation '{operation['op']}' for path '{operation['path']}'")


def _coerced(value: str | None, shape: Shape, operation: Document) -> Any:
    try:
        match shape.type_name:
            case "boolean":
                return {"true": True, "false": False}[str(value).lower()]
            case "integer" | "long":
                return int(value or "")
            case "double" | "float":
                return float(value or "")
            case "string":
                return value
    except (KeyError, ValueError) as error:
        raise bad_request(
            f"Invalid patch value '{value}' for path '{operation['path']}': expected {shape.type_name}"
        ) from error
    raise bad_request(f"Invalid patch path '{operation['path']}': a {shape.type_name} cannot be set at once")
