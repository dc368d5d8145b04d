"""What `serinus status` shows of an endpoint, read from AWS's APIs: URL, key, traffic, release and alarms."""

from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.exceptions

from serinus.cli.api_keys import KeyRing
from serinus.cli.candidates import candidates_by_model
from serinus.cli.endpoints import DeployedStack, describe_stack
from serinus.cli.errors import CliError
from serinus.cli.release_reader import Alarm, AliasDeployment, RolloutReader
from serinus.cli.target import CloudTarget
from serinus.infra.names import OUTPUTS, SETTINGS
from serinus.infra.release import pinned_versions
from serinus.infra.settings import load_settings


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A version behind the alias, its share of requests in [0, 1], and its description: the bundle it serves."""

    version: str
    share: float
    description: str


@dataclass(frozen=True, slots=True)
class DeployedEndpoint:
    """What is deployed of an endpoint; ``changed_at`` is when its stack was last created or updated."""

    status: str
    url: str
    front: str
    auth: str
    key_id: str | None
    model_version: str
    versions: tuple[ServedVersion, ...]
    release: AliasDeployment | None
    alarms: tuple[Alarm, ...]
    changed_at: datetime

    @property
    def alarm_states(self) -> Counter[str]:
        return Counter(alarm.state for alarm in self.alarms)


@dataclass(frozen=True, slots=True)
class EndpointOverview:
    """An endpoint of serinus.toml: what the lock pins for it, and what is deployed; ``deployed`` is None if it is
    not deployed or, with ``trouble``, if that could not be read. ``candidate`` is the version of the newest bundle
    that may be pinned next; None without one."""

    name: str
    stack: str
    pinned_version: str | None
    deployed: DeployedEndpoint | None = None
    trouble: str = ""
    candidate: str | None = None

    @property
    def behind(self) -> bool:
        """Whether another model is deployed than is pinned."""
        return bool(self.deployed and self.pinned_version and self.deployed.model_version != self.pinned_version)

    def to_json(self) -> dict[str, Any]:
        shown = asdict(self) | {"behind": self.behind}
        if self.deployed is not None:
            shown["deployed"]["changed_at"] = self.deployed.changed_at.isoformat()
        return shown


def planned_endpoints(project: Path, environment: str) -> list[EndpointOverview]:
    """The endpoints of an environment as serinus.toml and serinus.lock describe them, deployed or not."""
    settings = load_settings(project / SETTINGS, environment)
    pins = pinned_versions(project, environment)
    candidates = candidates_by_model(project, environment, {endpoint.model for endpoint in settings.endpoints})
    return [
        EndpointOverview(
            endpoint.name,
            endpoint.stack_name,
            pins.get(endpoint.model),
            candidate=next((bundle.version for bundle in candidates[endpoint.model]), None),
        )
        for endpoint in settings.endpoints
    ]


def observe(plan: EndpointOverview, target: CloudTarget) -> EndpointOverview:
    """``plan`` with what is deployed at ``target``; raises `CliError` if ``target`` cannot be read."""
    stack = describe_stack(target, plan.stack)
    if stack is None or OUTPUTS.function_name not in stack.outputs:
        trouble = "" if stack is None else f"its stack is {stack.status}"
        return replace(plan, trouble=trouble)
    try:
        deployed = _deployed(stack, target)
    except (botocore.exceptions.ClientError, CliError) as error:
        return replace(plan, trouble=str(error))
    return replace(plan, deployed=deployed)


def _deployed(stack: DeployedStack, target: CloudTarget) -> DeployedEndpoint:
    reader = RolloutReader(target, stack.stack)
    key_id = stack.outputs.get(OUTPUTS.api_key_id)
    ring = KeyRing(target.client("apigateway"), stack.stack, key_id) if key_id else None
    releases = [deployment for deployment in reader.deployments(most=3) if not deployment.restores]
    return DeployedEndpoint(
        stack.status,
        target.url(stack.outputs[OUTPUTS.url]).rstrip("/"),
        stack.outputs.get(OUTPUTS.front, "rest"),
        stack.outputs.get(OUTPUTS.auth, "api_key"),
        ring.current().id if ring else None,
        stack.outputs[OUTPUTS.model_version],
        tuple(_versions(reader)),
        releases[0] if releases else None,
        (*reader.alarms(), *reader.steady_alarms()),
        stack.changed_at,
    )


def _versions(reader: RolloutReader) -> list[ServedVersion]:
    alias = reader.alias()
    shares = {alias.version: 1 - alias.weight}
    if alias.canary is not None:
        shares[alias.canary] = alias.weight
    return [ServedVersion(version, share, reader.description(version)) for version, share in shares.items()]
