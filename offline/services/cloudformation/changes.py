"""Change sets: the changes that a revision would make, as far as they are known beforehand."""

import json
from typing import Any

from serinus.offline.services.cloudformation import plan, references
from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.intrinsics import as_text, plain
from serinus.offline.services.cloudformation.lookup import ForeseenResources, evaluator_for
from serinus.offline.services.cloudformation.schemas import schema_of
from serinus.offline.services.cloudformation.state import Output, Revision, Stack, StackResource, State

ATTRIBUTES = ("Metadata", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
NO_UPDATES = "No updates are to be performed."


#: A change by the template itself has no other cause.
NO_CAUSE: tuple[None] = (None,)


class Preview:
    """The changes that ``revision`` would make to ``stack``."""

    def __init__(self, state: State, stack: Stack, revision: Revision, account_id: str) -> None:
        self.stack = stack
        self.revision = revision
        self.lookup = ForeseenResources(state, stack)
        self.evaluator = evaluator_for(revision, stack, account_id, self.lookup)
        self.modified: set[str] = set()
        self.changes: list[dict[str, Any]] = []
        graph = plan.dependency_graph(self.evaluator)
        self._refuse_type_changes(graph)
        for logical_id in references.in_order(graph):
            self._compare(plan.plan_resource(self.evaluator, revision, logical_id, graph[logical_id]))
        for logical_id, resource in stack.resources.items():
            if logical_id not in graph and resource.status != "DELETE_COMPLETE":
                self._remove(resource)

    @property
    def empty(self) -> bool:
        """Whether executing it would change no resource, output or tag."""
        previous = self.stack.revision
        tags_differ = previous is not None and previous.tags != self.revision.tags
        return not self.changes and not tags_differ and not self._outputs_differ()

    def _refuse_type_changes(self, graph: dict[str, set[str]]) -> None:
        changed = [
            logical_id
            for logical_id in graph
            if logical_id in self.stack.resources
            and self.stack.resources[logical_id].type != self.revision.template.resources[logical_id]["Type"]
        ]
        if changed:
            raise invalid(
                "Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{', '.join(changed)}]"
            )

    def _outputs_differ(self) -> bool:
        return outputs_of(self.evaluator) != self.stack.outputs

    def _compare(self, want: plan.PlannedResource) -> None:
        current = self.stack.resources.get(want.logical_id)
        if current is None or current.physical_id is None:
            context = {"AfterContext": _context(want.properties, want.definition)}
            self._add("Add", want.logical_id, want.type, None, scope=[], details=[], **context)
            return
        details = self._property_details(current, want)
        details += self._attribute_details(current, want)
        if details or current.status in ("UPDATE_FAILED", "CREATE_FAILED"):
            self._modify(current, want, details)

    def _property_details(self, current: StackResource, want: plan.PlannedResource) -> list[dict[str, Any]]:
        replacing = set(plan.replacing_properties(current, want))
        schema = schema_of(want.type)
        conditional = schema.replaced_by(current.properties, want.properties, conditional=True) if schema else []
        definition = want.definition.get("Properties") or {}
        details: list[dict[str, Any]] = []
        for name in sorted(set(current.properties) | set(want.properties)):
            before, after = current.properties.get(name), want.properties.get(name)
            causes = self._causes(definition.get(name))
            if plain(before) == plain(after) and not causes:
                continue
            recreation = "Always" if name in replacing else "Conditionally" if name in conditional else "Never"
            target = {
                "Attribute": "Properties",
                "Name": name,
                "RequiresRecreation": recreation,
                "Path": f"/Properties/{name}",
                "AttributeChangeType": "Add" if before is None else "Remove" if after is None else "Modify",
            }
            values = {"BeforeValue": before, "AfterValue": after}
            target |= {key: _text(value) for key, value in values.items() if value is not None}
            details.extend(_detail(target, cause) for cause in (causes or NO_CAUSE))
        if current.tags != want.tags and not any(item["Target"]["Name"] == "Tags" for item in details):
            details.append(_detail({"Attribute": "Tags", "RequiresRecreation": "Never"}, None))
        return details

    def _causes(self, value: Any) -> list[tuple[str, str]]:
        causes: list[tuple[str, str]] = []
        for reference in references.references(value, self.evaluator.condition):
            target, attribute = reference.target, reference.attribute
            if target in self.lookup.replaced and attribute is None:
                causes.append(("ResourceReference", target))
            elif attribute is not None and target in self.modified | self.lookup.replaced:
                causes.append(("ResourceAttribute", f"{target}.{attribute}"))
        return sorted(causes)

    def _attribute_details(self, current: StackResource, want: plan.PlannedResource) -> list[dict[str, Any]]:
        return [
            _detail({"Attribute": name, "RequiresRecreation": "Never"}, None)
            for name in ATTRIBUTES
            if current.definition.get(name) != want.definition.get(name)
        ]

    def _modify(self, current: StackResource, want: plan.PlannedResource, details: list[dict[str, Any]]) -> None:
        recreations = [(item["Target"].get("RequiresRecreation"), item["Evaluation"]) for item in details]
        replacement = "False"
        if any(recreation != "Never" for recreation, _ in recreations):
            replacement = "Conditional"
        if ("Always", "Static") in recreations:
            replacement = "True"
        if any(recreation == "Always" for recreation, _ in recreations):
            self.lookup.replaced.add(want.logical_id)
        if any(item["Target"]["Attribute"] in ("Properties", "Tags") for item in details):
            self.modified.add(want.logical_id)
        extra: dict[str, Any] = {
            "Replacement": replacement,
            "BeforeContext": _context(current.properties, current.definition),
            "AfterContext": _context(want.properties, want.definition),
        }
        if replacement == "True":
            keep = str(want.definition.get("UpdateReplacePolicy", "Delete")).startswith("Retain")
            extra["PolicyAction"] = "ReplaceAndRetain" if keep else "ReplaceAndDelete"
        scope = list(dict.fromkeys(item["Target"]["Attribute"] for item in details))
        self._add("Modify", want.logical_id, want.type, current.physical_id, scope=scope, details=details, **extra)

    def _remove(self, resource: StackResource) -> None:
        keep = str(resource.definition.get("DeletionPolicy", "Delete")).startswith("Retain")
        extra = {
            "PolicyAction": "Retain" if keep else "Delete",
            "BeforeContext": _context(resource.properties, resource.definition),
        }
        self._add(
            "Remove", resource.logical_id, resource.type, resource.physical_id, scope=[], details=[], **extra
        )

    def _add(
        self,
        action: str,
        logical_id: str,
        type_name: str,
        physical_id: str | None,
        *,
        scope: list[str],
        details: list[dict[str, Any]],
        **extra: Any,
    ) -> None:
        change = {
            "Action": action,
            "LogicalResourceId": logical_id,
            "ResourceType": type_name,
            "Scope": scope,
            "Details": details,
            **extra,
        }
        if physical_id is not None:
            change["PhysicalResourceId"] = physical_id
        self.changes.append({"Type": "Resource", "ResourceChange": change})


def outputs_of(evaluator: Any) -> list[Output]:
    """The evaluated outputs of a template whose conditions hold."""
    outputs: list[Output] = []
    for key, output in evaluator.template.section("Outputs").items():
        if "Condition" in output and not evaluator.condition(output["Condition"]):
            continue
        export = output.get("Export")
        value = evaluator.resolve(output["Value"])
        if isinstance(value, list):
            raise invalid("Template format error: Output values must be strings")
        name = as_text(evaluator.resolve(export["Name"])) if export else None
        outputs.append(Output(key, as_text(value), output.get("Description"), name))
    return outputs


def _detail(target: dict[str, Any], cause: tuple[str, str] | None) -> dict[str, Any]:
    if cause is None:
        return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
    return {"Target": target, "Evaluation": "Dynamic", "ChangeSource": cause[0], "CausingEntity": cause[1]}


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else as_text(value)


def _context(properties: dict[str, Any], definition: dict[str, Any]) -> str:
    context: dict[str, Any] = {"Properties": properties}
    context |= {name: definition[name] for name in (*ATTRIBUTES, "Metadata") if name in definition}
    return json.dumps(context)
