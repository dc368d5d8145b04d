"""Nothing of a stack that can fail is left for the time after a release's traffic has moved."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Templates = Callable[..., dict[str, Any]]

TABLES = {
    "defaults": "",
    "everything of a REST API": (
        'docs = true\ncors_origins = ["https://one.example"]\nquota_requests = 1000\n'
        '[endpoint.churn.waf]\nip_rate_limit = 1000\n[endpoint.churn.domain]\nname = "churn.example.com"\n'
        'certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/'
        '01234567-89ab-cdef-0123-456789abcdef"\nhosted_zone_id = "Z0123456789ABC"\n'
    ),
    "an HTTP API": 'front = "http"\nauth = "iam"\ndocs = true\n[endpoint.churn.rollout]\nstrategy = "linear"\n',
    "environments that scale": (
        'cold_start = "provisioned"\n[endpoint.churn.provisioned]\nmaximum = 3\ntarget_percent = 70\n'
        '[endpoint.churn.rollout]\nstrategy = "blue_green"\n'
    ),
}
#: What CloudFormation changes after the alias: a release changes none of it.
AFTER = {
    "AWS::Lambda::Permission",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
}


def references(value: Any) -> Iterator[str]:
    """Logical ids that a property refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield str(inner)
            elif key == "Fn::GetAtt":
                yield str(inner[0] if isinstance(inner, list) else inner.split(".")[0])
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def dependencies(template: dict[str, Any]) -> dict[str, set[str]]:
    """By resource, what CloudFormation surely makes first: not what an update policy alone refers to."""
    resources = template["Resources"]
    graph = {}
    for name, resource in resources.items():
        listed = resource.get("DependsOn", [])
        named = {listed} if isinstance(listed, str) else set(listed)
        graph[name] = {one for one in named | set(references(resource.get("Properties", {}))) if one in resources}
    return graph


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """Everything that is made before ``start``."""
    before: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph[waiting.pop()] - before:
            before.add(name)
            waiting.append(name)
    return before


def split(template: dict[str, Any]) -> tuple[str, set[str], set[str]]:
    """The alias, what is surely made before it, and the rest."""
    (alias,) = (name for name, one in template["Resources"].items() if one["Type"] == "AWS::Lambda::Alias")
    before = reached(dependencies(template), alias)
    return alias, before, set(template["Resources"]) - before - {alias}


@pytest.mark.parametrize("table", TABLES)
def test_all_but_permissions_and_scaling_is_done_before_traffic_moves(template_of: Templates, table: str) -> None:
    template = template_of(TABLES[table])
    alias, before, rest = split(template)

    assert alias not in before, "a cycle"
    assert {template["Resources"][name]["Type"] for name in rest} <= AFTER
    assert all(alias in reached(dependencies(template), name) for name in rest)


@pytest.mark.parametrize("table", TABLES)
def test_a_release_changes_nothing_after_the_alias(template_of: Templates, table: str) -> None:
    """A resource that does not change cannot fail."""
    live, new = template_of(TABLES[table]), template_of(TABLES[table], graph=b"new")
    for name in split(new)[2]:
        assert live["Resources"][name] == new["Resources"][name]


def test_the_api_calls_the_alias_by_its_name_and_may(template_of: Templates) -> None:
    for table in TABLES.values():
        template = template_of(table)
        _, _, rest = split(template)
        allowed = [
            one["Properties"]["FunctionName"]["Fn::Join"][1][-1]
            for name, one in template["Resources"].items()
            if name in rest and one["Type"] == "AWS::Lambda::Permission"
        ]
        assert allowed == [":live"]
