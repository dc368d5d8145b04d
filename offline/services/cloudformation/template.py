"""Templates as text and as data: JSON, or YAML with CloudFormation's short forms (``!Ref``, ``!Sub`` ...)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.cloudformation.errors import invalid

SECTIONS = frozenset(
    [
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    ]
)
RESOURCE_ATTRIBUTES = frozenset(
    [
        "Type",
        "Properties",
        "DependsOn",
        "Metadata",
        "Condition",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "UpdatePolicy",
        "CreationPolicy",
    ]
)
DELETION_POLICIES = frozenset({"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"})
MAX_BODY_BYTES = 51_200
MAX_URL_BYTES = 1_048_576
MAX_RESOURCES = 500


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """A template: its text as sent and its document, with every section present."""

    body: str
    document: dict[str, Any]

    def section(self, name: str) -> dict[str, Any]:
        section_document: dict[str, Any] = self.document.get(name) or {}
        return section_document

    @property
    def resources(self) -> dict[str, Any]:
        return self.section("Resources")

    @property
    def description(self) -> str | None:
        return self.document.get("Description")


class Loader(yaml.SafeLoader):
    """Loads YAML like CloudFormation: short intrinsic tags, and dates stay text ("2012-10-17")."""


def _short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {name: value}


def _mapping(loader: Loader, node: yaml.MappingNode) -> dict[str, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise invalid(f"Template format error: duplicate key {key!r}{_location(node.start_mark)}")
    return {str(key): value for key, value in loader.construct_mapping(node, deep=True).items()}


Loader.add_multi_constructor("!", _short_form)
Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(body: str) -> StackTemplate:
    """The template in ``body``; raises ValidationError in AWS's words if its structure is invalid."""
    document = _read(body)
    if not isinstance(document, dict):
        raise invalid("Template format error: unsupported structure.")
    unknown = sorted(set(document) - SECTIONS)
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    if document.get("Hooks"):
        raise NotModelled(f"the template's hooks ({', '.join(document['Hooks'])})")
    if document.get("Transform"):
        raise NotModelled(f"the template transform {document['Transform']}")
    if not isinstance(document.get("Resources"), dict) or not document["Resources"]:
        raise invalid("Template format error: At least one Resources member must be defined.")
    if len(document["Resources"]) > MAX_RESOURCES:
        count = len(document["Resources"])
        raise invalid(f"Template format error: Number of resources, {count}, is greater than maximum allowed, 500")
    for logical_id, definition in document["Resources"].items():
        _check_resource(logical_id, definition)
    return StackTemplate(body, document)


def _read(body: str) -> Any:
    if body.lstrip().startswith("{"):
        try:
            return json.loads(body)
        except json.JSONDecodeError as error:
            json_problem = error
    try:
        return yaml.load(body, Loader)
    except yaml.MarkedYAMLError as error:
        if body.lstrip().startswith("{"):
            location = f"(line {json_problem.lineno}, column {json_problem.colno})"
            raise invalid(f"Template format error: JSON not well-formed. {location}") from error
        raise invalid(f"Template format error: YAML not well-formed.{_location(error.problem_mark)}") from error


def _location(mark: yaml.Mark | None) -> str:
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""


def _check_resource(logical_id: str, definition: Any) -> None:
    if not logical_id.isalnum():
        raise invalid(f"Template format error: Resource name {logical_id} is non alphanumeric.")
    if not isinstance(definition, dict) or not isinstance(definition.get("Type"), str):
        raise invalid(
            f"Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type member."
        )
    unknown = sorted(set(definition) - RESOURCE_ATTRIBUTES)
    if unknown:
        raise invalid(f"Invalid template resource property '{unknown[0]}'")
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = definition.get(attribute)
        if isinstance(policy, str) and policy not in DELETION_POLICIES:
            raise invalid(f"Template error: Unrecognized {attribute} {policy} for resource {logical_id}")
        if policy == "Snapshot":
            raise NotModelled(f"{attribute} Snapshot (resource {logical_id})")
    if definition.get("CreationPolicy"):
        raise NotModelled(f"CreationPolicy (resource {logical_id})")


def walk(value: Any, visit: Callable[[str, Any], bool]) -> None:
    """Call ``visit(function, argument)`` for each intrinsic in ``value``; recurse unless it returns True."""
    if isinstance(value, dict):
        name = function_of(value)
        if name is not None and visit(name, value[name]):
            return
        for item in value.values():
            walk(item, visit)
    elif isinstance(value, list):
        for item in value:
            walk(item, visit)


def function_of(value: Any) -> str | None:
    """The intrinsic function that a mapping with one key calls, if any."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if name == "Ref" or name.startswith("Fn::"):
            return str(name)
    return None


def attribute_of(argument: Any) -> tuple[str, Any]:
    """Logical id and attribute name of a GetAtt's argument, which is "A.B" or [A, B]."""
    if isinstance(argument, str):
        logical_id, _, attribute = argument.partition(".")
        return logical_id, attribute
    if isinstance(argument, list) and len(argument) >= 2 and isinstance(argument[0], str):
        rest = argument[1:]
        return argument[0], rest[0] if len(rest) == 1 else ".".join(str(part) for part in rest)
    raise invalid(
        "Template error: Fn::GetAtt object requires two non-empty parameters, the resource name and the "
        "resource attribute"
    )
