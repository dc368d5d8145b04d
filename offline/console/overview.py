"""The page's data: the current functions, APIs, alarms, deployments and stacks.

Read from the services themselves, on the event loop, so that it is consistent.
"""

from typing import Any

from serinus.offline.console import api_list
from serinus.offline.console.sources import Sources
from serinus.offline.core.ports import CloudContext
from serinus.offline.services.cloudformation import CloudFormation
from serinus.offline.services.cloudwatch import CloudWatch
from serinus.offline.services.codedeploy import CodeDeploy
from serinus.offline.services.codedeploy.records import LambdaDeployment
from serinus.offline.services.lambda_.service import Lambda
from serinus.offline.services.lambda_.state import Alias, Function

#: The page shows the latest; AWS's API lists older ones.
MOST_DEPLOYMENTS = 20
MOST_VERSIONS = 10


def overview(cloud: CloudContext, sources: Sources) -> dict[str, Any]:
    """All of the page's data; times are cloud epoch seconds, shares in [0, 1]."""
    return {
        "cloud": {
            "account_id": cloud.config.account_id,
            "region": cloud.config.region,
            "epoch_s": cloud.clock.time(),
            "factor": cloud.clock.factor,
        },
        "functions": functions(sources.functions),
        "apis": api_list.apis(sources),
        "alarms": alarms(sources.alarms),
        "deployments": deployments(sources.deployments),
        "stacks": stacks(sources.stacks),
    }


def functions(service: Lambda) -> list[dict[str, Any]]:
    """Functions with their newest versions and their aliases; those with an alias first."""
    workers: dict[str, int] = {}
    for worker in service.sandbox.states():
        workers[worker.function] = workers.get(worker.function, 0) + 1
    entries = [
        _function(function, region, workers.get(function.name, 0))
        for region, state in service.state.regions.items()
        for function in state.functions.values()
    ]
    return sorted(entries, key=lambda entry: (not entry["aliases"], entry["name"]))


def _function(function: Function, region: str, workers: int) -> dict[str, Any]:
    latest = function.latest
    return {
        "name": function.name,
        "region": region,
        "description": latest.description,
        "runtime": latest.configuration["Runtime"],
        "memory_mb": latest.configuration["MemorySize"],
        "workers": workers,
        "aliases": [_alias(alias) for alias in function.aliases.values()],
        "versions": [
            {
                "version": entry.version,
                "description": entry.description,
                "state": entry.state,
                "published_at": entry.last_modified,
            }
            for entry in list(function.versions.values())[: -MOST_VERSIONS - 1 : -1]
        ],
    }


def _alias(alias: Alias) -> dict[str, Any]:
    shares = [{"version": version, "share": share} for version, share in alias.additional.items()]
    first = {"version": alias.version, "share": 1.0 - sum(alias.additional.values())}
    return {"name": alias.name, "description": alias.description, "shares": [first, *shares]}


def alarms(service: CloudWatch) -> list[dict[str, Any]]:
    """Alarms, firing ones first."""
    entries = [
        {
            "name": alarm.name,
            "region": region,
            "description": alarm.settings.get("AlarmDescription") or "",
            "state": alarm.state.value,
            "reason": alarm.state.reason,
            "since": alarm.state.since,
        }
        for region, state in list(service.regions.items())
        for alarm in list(state.alarms.values())
    ]
    return sorted(entries, key=lambda entry: (entry["state"] != "ALARM", entry["name"]))


def deployments(service: CodeDeploy) -> list[dict[str, Any]]:
    """The last deployments, newest first."""
    entries = [
        (deployment.created_at, region, deployment)
        for region, state in list(service.regions.items())
        for deployment in list(state.deployments.values())
    ]
    latest = sorted(entries, key=lambda entry: entry[0], reverse=True)[:MOST_DEPLOYMENTS]
    return [_deployment(deployment, region) for _, region, deployment in latest]


def _deployment(deployment: LambdaDeployment, region: str) -> dict[str, Any]:
    target = deployment.target
    return {
        "id": deployment.id,
        "region": region,
        "status": deployment.status,
        "config": deployment.config_name,
        "function": target.function,
        "alias": target.alias,
        "from": target.current_version,
        "to": target.target_version,
        "share": deployment.weight,
        "is_rollback": deployment.is_rollback,
        "created_at": deployment.created_at,
        "completed_at": deployment.completed_at,
        "events": [{"name": event.name, "status": event.status} for event in deployment.events],
        "error": deployment.error[1] if deployment.error else "",
    }


def stacks(service: CloudFormation) -> list[dict[str, Any]]:
    """The existing stacks, last changed first."""
    entries = [
        {
            "name": stack.name,
            "region": stack.region,
            "status": stack.status,
            "reason": stack.reason,
            "changed_at": stack.updated or stack.created,
        }
        for stack in list(service.engine.state.stacks.values())
        if stack.active
    ]
    return sorted(entries, key=lambda entry: entry["changed_at"], reverse=True)
