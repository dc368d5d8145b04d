"""Plans each of a stack's resources: properties, tags, dependencies, and the effect of a change."""

from dataclasses import dataclass
from typing import Any

from serinus.offline.services.cloudformation import references
from serinus.offline.services.cloudformation.intrinsics import Evaluator, plain
from serinus.offline.services.cloudformation.registry import type_of
from serinus.offline.services.cloudformation.schemas import schema_of
from serinus.offline.services.cloudformation.state import Revision, StackResource


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """A resource of a revision; ``properties`` are resolved."""

    logical_id: str
    type: str
    definition: dict[str, Any]
    properties: dict[str, Any]
    tags: dict[str, str]
    needs: frozenset[str]


def active_resources(evaluator: Evaluator) -> dict[str, dict[str, Any]]:
    """The resources of a template whose conditions hold."""
    return {
        logical_id: definition
        for logical_id, definition in evaluator.template.resources.items()
        if "Condition" not in definition or evaluator.condition(definition["Condition"])
    }


def dependency_graph(evaluator: Evaluator, *, policies_order: bool = True) -> dict[str, set[str]]:
    """The dependencies of each active resource.

    Unless references in an UpdatePolicy order resources, what they name comes after the resource where nothing
    else orders both: the worst of all orders for a release that counts on the other.
    """
    active = active_resources(evaluator)
    graph = {
        logical_id: references.needs(definition, evaluator.condition) & set(active)
        for logical_id, definition in active.items()
    }
    for logical_id, definition in active.items():
        for named in sorted(references.policy_needs(definition, evaluator.condition) & set(active)):
            if policies_order:
                graph[logical_id].add(named)
            elif named not in references.reachable(graph, logical_id):
                graph[named].add(logical_id)
    return graph


def plan_resource(
    evaluator: Evaluator, revision: Revision, logical_id: str, needs: set[str], *, creates: bool = False
) -> PlannedResource:
    """The resource ``logical_id`` with its values resolved, but for an update policy if it ``creates``."""
    definition = evaluator.template.resources[logical_id]
    properties = evaluator.resolve(definition.get("Properties") or {})
    resolved = dict(definition)
    for attribute in ("UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy"):
        if attribute in definition and not (creates and attribute == "UpdatePolicy"):
            resolved[attribute] = evaluator.resolve(definition[attribute])
    modelled = type_of(definition["Type"])
    tags = dict(revision.tags) if modelled is not None and modelled.taggable else {}
    tags.update(_own_tags(properties))
    return PlannedResource(logical_id, definition["Type"], resolved, properties, tags, frozenset(needs))


def _own_tags(properties: dict[str, Any]) -> dict[str, str]:
    own = properties.get("Tags") or {}
    if isinstance(own, dict):
        return {key: str(value) for key, value in own.items()}
    return {tag["Key"]: str(tag["Value"]) for tag in own}


def differs(current: StackResource, want: PlannedResource) -> bool:
    """Whether the resource must be updated or replaced."""
    return bool(plain(current.properties) != plain(want.properties)) or current.tags != want.tags


def replacing_properties(current: StackResource, want: PlannedResource) -> list[str]:
    """The changed properties that require a new physical resource."""
    schema, modelled = schema_of(want.type), type_of(want.type)
    replaced = schema.replaced_by(current.properties, want.properties) if schema else []
    for name in sorted(modelled.replacing) if modelled else ():
        if plain(current.properties.get(name)) != plain(want.properties.get(name)):
            replaced.append(name)
    return replaced


def keeps_custom_name(current: StackResource, want: PlannedResource) -> bool:
    """Whether a replacement would require the name that the old resource still has."""
    schema = schema_of(want.type)
    if schema is None or not schema.identifier:
        return False
    return all(
        name in want.properties and plain(want.properties[name]) == plain(current.properties.get(name))
        for name in schema.identifier
    )
