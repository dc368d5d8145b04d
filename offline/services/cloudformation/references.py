"""References between resources: the edges of a stack's dependency graph, and their order."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.intrinsics import PLACEHOLDER
from serinus.offline.services.cloudformation.template import attribute_of, function_of


@dataclass(frozen=True, slots=True)
class TemplateReference:
    """A reference to ``target`` (a resource or parameter); ``attribute`` is None for a Ref."""

    target: str
    attribute: str | None = None


def references(value: Any, condition: Callable[[str], bool] | None = None) -> set[TemplateReference]:
    """Every reference in ``value``; with ``condition``, only those in the branches that it selects."""
    collected: set[TemplateReference] = set()
    _collect(value, condition, collected)
    return collected


def _collect(value: Any, condition: Callable[[str], bool] | None, collected: set[TemplateReference]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, condition, collected)
    if not isinstance(value, dict):
        return
    name = function_of(value)
    if name == "Ref":
        collected.add(TemplateReference(str(value["Ref"])))
    elif name == "Fn::GetAtt":
        target, attribute = attribute_of(value[name])
        collected.add(TemplateReference(target, attribute if isinstance(attribute, str) else "*"))
    elif name == "Fn::Sub":
        _collect_sub(value[name], condition, collected)
    elif name == "Fn::If" and condition is not None and isinstance(value[name], list):
        condition_name, if_true, if_false = value[name]
        _collect(if_true if condition(condition_name) else if_false, condition, collected)
    else:
        for item in value.values():
            _collect(item, condition, collected)


def _collect_sub(
    argument: Any, condition: Callable[[str], bool] | None, collected: set[TemplateReference]
) -> None:
    text, variables = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
    _collect(list(variables.values()), condition, collected)
    for match in PLACEHOLDER.finditer(text):
        name = match[1].strip()
        if name not in variables:
            target, dot, attribute = name.partition(".")
            collected.add(TemplateReference(target, attribute if dot else None))


def depends_on(definition: Mapping[str, Any]) -> list[str]:
    """The logical ids of a resource's DependsOn."""
    named = definition.get("DependsOn") or []
    return [named] if isinstance(named, str) else list(named)


def needs(definition: Mapping[str, Any], condition: Callable[[str], bool] | None = None) -> set[str]:
    """The logical ids (and parameter names) on which a resource depends by its properties or DependsOn."""
    named = {reference.target for reference in references(definition.get("Properties"), condition)}
    return named | set(depends_on(definition))


def policy_needs(definition: Mapping[str, Any], condition: Callable[[str], bool] | None = None) -> set[str]:
    """The logical ids to which a resource refers in its UpdatePolicy.

    Whether they order resources is not documented: the pages on dependencies mention properties and DependsOn.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html
    """
    return {reference.target for reference in references(definition.get("UpdatePolicy"), condition)}


def reachable(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """Everything on which ``start`` depends, itself included."""
    reached, waiting = {start}, [start]
    while waiting:
        new = set(graph[waiting.pop()]) - reached
        reached |= new
        waiting += new
    return reached


def in_order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The keys of ``graph``, each after its dependencies; raises ValidationError on a cycle."""
    waiting = {
        name: {need for need in dependencies if need in graph and need != name}
        for name, dependencies in graph.items()
    }
    ordered: list[str] = []
    while waiting:
        ready = [name for name, dependencies in waiting.items() if not dependencies]
        if not ready:
            raise invalid(f"Circular dependency between resources: [{', '.join(sorted(waiting))}]")
        ordered.extend(ready)
        for name in ready:
            del waiting[name]
        for dependencies in waiting.values():
            dependencies.difference_update(ready)
    return ordered
