"""Checks a template, before provisioning, against itself and against AWS's schemas."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.services.cloudformation import references
from serinus.offline.services.cloudformation.errors import ResourceFailed, invalid
from serinus.offline.services.cloudformation.intrinsics import Evaluator
from serinus.offline.services.cloudformation.registry import type_of
from serinus.offline.services.cloudformation.resources.custom import timeout_failure
from serinus.offline.services.cloudformation.schemas import Schema, schema_of
from serinus.offline.services.cloudformation.state import ValidationFailure
from serinus.offline.services.cloudformation.template import StackTemplate, function_of

IAM_TYPES = frozenset(
    f"AWS::IAM::{name}"
    for name in ["AccessKey", "Group", "InstanceProfile", "ManagedPolicy", "Policy", "Role", "User"]
)
NAMED_IAM = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}


def check_structure(template: StackTemplate, pseudo: set[str]) -> None:
    """Raise ValidationError for unknown types, unresolved references, unknown attributes and cycles."""
    unknown = sorted({d["Type"] for d in template.resources.values() if schema_of(d["Type"]) is None})
    if unknown:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    known = set(template.resources) | set(template.section("Parameters")) | pseudo
    _check_references(template, template.resources, known, "Resources")
    outputs = {name: output.get("Value") for name, output in template.section("Outputs").items()}
    _check_references(template, outputs, known, "Outputs")
    _check_conditions(template)
    references.in_order(
        {name: references.needs(item) | references.policy_needs(item) for name, item in template.resources.items()}
    )


def _check_references(template: StackTemplate, values: Any, known: set[str], block: str) -> None:
    problems = references.references(values)
    missing = {reference.target for reference in problems if reference.target not in known}
    for definition in template.resources.values() if block == "Resources" else ():
        missing.update(name for name in references.depends_on(definition) if name not in template.resources)
    if missing:
        names = ", ".join(sorted(missing))
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{names}] in the {block} block of the "
            "template"
        )
    for reference in problems:
        if reference.attribute is not None and reference.attribute != "*":
            _check_attribute(template, reference.target, reference.attribute)


def _check_attribute(template: StackTemplate, logical_id: str, attribute: str) -> None:
    if logical_id not in template.resources:
        raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}")
    type_name = template.resources[logical_id]["Type"]
    schema = schema_of(type_name)
    if schema is None or type_name.startswith("Custom::") or "CustomResource" in type_name:
        return
    if type_name == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
        return
    if attribute not in schema.attributes:
        raise invalid(
            f"Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt"
        )
    modelled = type_of(type_name)
    if modelled is not None and attribute not in modelled.attributes:
        raise NotModelled(f"the attribute {attribute} of {type_name} (resource {logical_id})")


def _check_conditions(template: StackTemplate) -> None:
    conditions = template.section("Conditions")
    for logical_id, definition in template.resources.items():
        name = definition.get("Condition")
        if name is not None and name not in conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {name} in the Resources block of the "
                f"template (resource {logical_id})"
            )


def check_capabilities(template: StackTemplate, capabilities: list[str]) -> None:
    """Raise InsufficientCapabilitiesException if IAM resources are not acknowledged."""
    capability = required_capability(template)
    if capability is None or "CAPABILITY_NAMED_IAM" in capabilities:
        return
    if capability == "CAPABILITY_NAMED_IAM" or "CAPABILITY_IAM" not in capabilities:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{capability}]", status=400)


def required_capability(template: StackTemplate) -> str | None:
    """The capability that a template's IAM resources require, if any."""
    capability: str | None = None
    for definition in template.resources.values():
        if definition["Type"] in IAM_TYPES:
            capability = capability or "CAPABILITY_IAM"
            name = NAMED_IAM.get(definition["Type"])
            if name is not None and name in (definition.get("Properties") or {}):
                return "CAPABILITY_NAMED_IAM"
    return capability


def iam_resources(template: StackTemplate) -> list[str]:
    """Types of the template's IAM resources, for the CapabilitiesReason."""
    return sorted({d["Type"] for d in template.resources.values() if d["Type"] in IAM_TYPES})


def check_modelled(template: StackTemplate, evaluator: Evaluator) -> None:
    """Raise `NotModelled` naming every type and property of the template that this cloud does not model."""
    missing = list(dict.fromkeys(_not_modelled(template, evaluator)))
    if missing:
        raise NotModelled("; ".join(missing))


def _not_modelled(template: StackTemplate, evaluator: Evaluator) -> Iterator[str]:
    for logical_id, definition in template.resources.items():
        if "Condition" in definition and not evaluator.condition(definition["Condition"]):
            continue
        type_name = definition["Type"]
        modelled = type_of(type_name)
        if modelled is None:
            yield f"the resource type {type_name} (resource {logical_id})"
            continue
        properties = definition.get("Properties") or {}
        if function_of(properties) is not None or "*" in modelled.modelled:
            continue
        for name in properties:
            if name not in modelled.modelled:
                yield f"the property {name} of {type_name} (resource {logical_id})"
        for part in modelled.check(properties):
            yield f"{part} of {type_name} (resource {logical_id})"


@dataclass(frozen=True, slots=True)
class _Finder:
    schema: Schema
    logical_id: str

    def failures(self, value: Any, node: dict[str, Any], path: str) -> Iterator[ValidationFailure]:
        node = self.schema.resolve(node)
        if isinstance(value, dict):
            if function_of(value) is not None or "Fn::If" in value or "Ref" in value:
                return
            yield from self._mapping(value, node, path)
        elif isinstance(value, list) and isinstance(node.get("items"), dict):
            for index, item in enumerate(value):
                yield from self.failures(item, node["items"], f"{path}/{index}")

    def _mapping(self, value: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[ValidationFailure]:
        properties = node.get("properties")
        if not isinstance(properties, dict):
            return
        for name in node.get("required", ()):
            if name not in value:
                yield self._failure(path, f"Required property [{name}] not found")
        closed = node.get("additionalProperties") is False and not node.get("patternProperties")
        for name, item in value.items():
            if name in properties:
                yield from self.failures(item, properties[name], f"{path}/{name}")
            elif closed:
                yield self._failure(f"{path}/{name}", f"Unsupported property [{name}]")

    def _failure(self, path: str, message: str) -> ValidationFailure:
        return ValidationFailure(self.logical_id, self.schema.type, path, message)


def property_failures(template: StackTemplate, evaluator: Evaluator) -> list[ValidationFailure]:
    """Unknown and missing properties of the resources whose conditions hold."""
    problems: list[ValidationFailure] = []
    for logical_id, definition in template.resources.items():
        if "Condition" in definition and not evaluator.condition(definition["Condition"]):
            continue
        problems.extend(failures_of(definition["Type"], logical_id, definition.get("Properties") or {}))
    return problems


def failures_of(type_name: str, logical_id: str, properties: dict[str, Any]) -> list[ValidationFailure]:
    """Violations of a type's schema by a resource's properties, resolved or not."""
    schema = schema_of(type_name)
    if schema is None:
        return []
    path = f"/Resources/{logical_id}/Properties"
    if type_name.startswith("Custom::") or type_name == "AWS::CloudFormation::CustomResource":
        missing = "ServiceToken" not in properties and function_of(properties) is None
        problems = ["Required property [ServiceToken] not found"] if missing else []
        if (wrong := timeout_failure(properties)) is not None:
            problems.append(wrong)
        return [ValidationFailure(logical_id, type_name, path, message) for message in problems]
    return list(_Finder(schema, logical_id).failures(properties, schema.document, path))


def check_resolved(type_name: str, logical_id: str, properties: dict[str, Any]) -> None:
    """Raise `ResourceFailed` for errors that show only once a resource's properties are resolved."""
    failures = failures_of(type_name, logical_id, properties)
    if failures:
        problems = ", ".join(f"{failure.path}: {failure.message}" for failure in failures)
        raise ResourceFailed(f"Properties validation failed for resource {logical_id} with message: [{problems}]")
    modelled = type_of(type_name)
    if modelled is None or "*" in modelled.modelled:
        return
    for name in properties:
        if name not in modelled.modelled:
            raise NotModelled(f"the property {name} of {type_name} (resource {logical_id})")
