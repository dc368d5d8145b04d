"""Converts CloudFormation properties into an API's input, by botocore's model of that API.

CloudFormation's property names are the API's own in another case, so the shape itself determines a member's
spelling and a scalar's type ("30" becomes an integer where the API requires one). A property without a member in
the shape is rejected by name.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.provider import ResourceRequest


def to_input(client: Any, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """``properties`` as keyword arguments for ``operation`` ("CreateTopic") of a boto3 client."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    where = f"{client.meta.service_model.service_name}:{operation}"
    fitted: dict[str, Any] = _structure(properties, shape, where)
    return fitted


def members(client: Any, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Like `to_input`, without the properties that ``operation`` does not accept."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    known = {name.lower() for name in shape.members}
    return to_input(
        client, operation, {name: value for name, value in properties.items() if name.lower() in known}
    )


def _fit(value: Any, shape: Shape, where: str) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(value, shape, where)
    if isinstance(shape, ListShape):
        items = value if isinstance(value, list) else [value]
        return [_fit(item, shape.member, where) for item in items]
    if isinstance(shape, MapShape):
        return _map(value, shape, where)
    return _scalar(value, shape.type_name)


def _structure(value: Mapping[str, Any], shape: StructureShape, where: str) -> dict[str, Any]:
    if getattr(shape, "is_document_type", False):
        return dict(value)
    spelled = {name.lower(): name for name in shape.members}
    fitted: dict[str, Any] = {}
    for key, item in value.items():
        name = spelled.get(key.lower())
        if name is None:
            raise NotModelled(f"the property {key} of {where}")
        fitted[name] = _fit(item, shape.members[name], f"{where}.{name}")
    return fitted


def _map(value: Any, shape: MapShape, where: str) -> dict[str, Any]:
    if isinstance(value, list):
        value = {item["Key"]: item["Value"] for item in value}
    return {str(key): _fit(item, shape.value, f"{where}.{key}") for key, item in value.items()}


def _scalar(value: Any, type_name: str) -> Any:
    if type_name in ("integer", "long"):
        return int(value)
    if type_name in ("float", "double"):
        return float(value)
    if type_name == "boolean":
        return to_boolean(value)
    if type_name == "blob":
        return value.encode() if isinstance(value, str) else value
    if type_name == "timestamp":
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value)


@contextlib.contextmanager
def missing_ok(*codes: str) -> Iterator[None]:
    """Suppress an error with one of ``codes``, which means that nothing is left to delete."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def to_boolean(value: Any) -> bool:
    """A boolean property, which may be text in a template."""
    return value if isinstance(value, bool) else str(value).lower() == "true"


def retag(
    client: Any,
    request: ResourceRequest,
    *,
    tag: str = "TagResource",
    untag: str = "UntagResource",
    **resource: str,
) -> None:
    """Update a resource's tags from the previous to the present ones; ``resource`` holds the arguments that
    identify it."""
    gone = removed_keys(request.previous_tags, request.tags)
    if gone:
        _call(client, untag, {**resource, "TagKeys": gone})
    if request.tags and request.tags != request.previous_tags:
        _call(client, tag, {**resource, "Tags": to_pairs(request.tags)})


def _call(client: Any, operation: str, arguments: Mapping[str, Any]) -> None:
    getattr(client, xform_name(operation))(**to_input(client, operation, arguments))


def removed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The removed keys."""
    return [key for key in old if key not in new]


def text(document: Any) -> str:
    """A policy document as the text that APIs accept."""
    return document if isinstance(document, str) else json.dumps(document)
