"""AWS's schema of each resource type, from the CloudFormation registry as cfn-lint bundles it.

The files are read directly because importing cfn-lint itself takes more than a second.
"""

import functools
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.offline.services.cloudformation.intrinsics import plain

ABSENT = object()
#: Types for which Fn::GetAtt accepts every property, not only the read-only ones.
ATTRIBUTES_ARE_PROPERTIES = frozenset({"AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::SSM::Parameter"})


@dataclass(frozen=True, slots=True)
class Schema:
    """The registry schema of one resource type."""

    type: str
    document: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.document["properties"]
        return properties

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes of Fn::GetAtt, in dotted form."""
        paths = frozenset(_dotted(pointer) for pointer in self.document.get("readOnlyProperties", ()))
        return paths | frozenset(self.properties) if self.type in ATTRIBUTES_ARE_PROPERTIES else paths

    @property
    def read_only(self) -> frozenset[str]:
        """Top-level properties that a template may not set."""
        pointers = self.document.get("readOnlyProperties", ())
        return frozenset(_dotted(pointer) for pointer in pointers if pointer.count("/") == 2)

    @property
    def identifier(self) -> tuple[str, ...]:
        """The properties that together identify a resource of this type."""
        return tuple(_dotted(pointer) for pointer in self.document.get("primaryIdentifier", ()))

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """``node`` with its local $ref resolved."""
        while "$ref" in node:
            target: Any = self.document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def replaced_by(self, old: dict[str, Any], new: dict[str, Any], *, conditional: bool = False) -> list[str]:
        """Top-level properties whose change from ``old`` to ``new`` requires a new physical resource.

        With ``conditional``, those that require one only in some cases.
        """
        key = "conditionalCreateOnlyProperties" if conditional else "createOnlyProperties"
        paths: dict[str, None] = {}
        for pointer in self.document.get(key, ()):
            path = pointer.split("/")[2:]
            before, after = list(_at(old, path)), list(_at(new, path))
            if plain_or_absent(before) != plain_or_absent(after):
                paths[path[0]] = None
        return list(paths)


def _dotted(pointer: str) -> str:
    return ".".join(pointer.split("/")[2:])


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for item in value:
            yield from _at(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])
    else:
        yield ABSENT


def plain_or_absent(values: list[Any]) -> list[Any]:
    """Values normalized for CloudFormation's comparison, absent ones distinct."""
    return [value if value is ABSENT else plain(value) for value in values]


@functools.cache
def _folder() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "schemas"


@functools.cache
def _index() -> dict[str, str]:
    files: dict[str, str] = json.loads((_folder() / "providers" / "us-east-1.json").read_text())
    return files


@functools.cache
def schema_of(type_name: str) -> Schema | None:
    """The schema of a type, or None if AWS does not have it. ``Custom::X`` is a CustomResource."""
    if type_name.startswith("Custom::"):
        type_name = "AWS::CloudFormation::CustomResource"
    name = _index().get(type_name)
    if name is None:
        return None
    document = json.loads((_folder() / "resources" / f"{name}.json").read_text())
    return Schema(type_name, document)
