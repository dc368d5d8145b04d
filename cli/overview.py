"""An endpoint at a glance, as AWS's APIs tell of it: address, key, versions and their share, release, alarms."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.exceptions

from serinus.cli.api_keys import KeyRing
from serinus.cli.endpoints import DeployedStack, describe_stack
from serinus.cli.errors import CliError
from serinus.cli.project import SETTINGS
from serinus.cli.release_reader import Alarm, Deployment, RolloutReader
from serinus.cli.target import Target
from serinus.infra.names import OUTPUTS
from serinus.infra.release import pinned_version
from serinus.infra.settings import load_settings


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A version behind the alias, its share of requests in [0, 1], and what it says that it serves."""

    version: str
    share: float
    description: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is deployed of an endpoint; ``changed_at`` is when its stack was last created or updated."""

    status: str
    url: str
    front: str
    auth: str
    key_id: str | None
    model_version: str
    versions: tuple[ServedVersion, ...]
    release: Deployment | None
    alarms: tuple[Alarm, ...]
    changed_at: datetime

    @property
    def alarm_states(self) -> Counter[str]:
        return Counter(alarm.state for alarm in self.alarms)


@dataclass(frozen=True, slots=True)
class Overview:
    """An endpoint of serinus.toml: what the lock pins for it, and what is deployed, None for nothing or, with
    ``trouble``, for not known."""

    name: str
    stack: str
    pinned_version: str | None
    deployed: Deployed | None = None
    trouble: str = ""

    @property
    def behind(self) -> bool:
        """Whether another model is deployed than is pinned."""
        return bool(self.deployed and self.pinned_version and self.deployed.model_version != self.pinned_version)

    def to_json(self) -> dict[str, Any]:
        shown = asdict(self) | {"behind": self.behind}
        if self.deployed is not None:
            shown["deployed"]["changed_at"] = self.deployed.changed_at.isoformat()
        return shown


def planned(project: Path, environment: str) -> list[Overview]:
    """The endpoints of an environment as serinus.toml and the lock have them, whatever is deployed."""
    settings = load_settings(project / SETTINGS, environment)
    return [
        Overview(one.name, one.stack_name, pinned_version(project, environment, one.model))
        for one in settings.endpoints
    ]


def observe(plan: Overview, target: Target) -> Overview:
    """``plan`` with what ``target`` has of it; raises `CliError` where ``target`` cannot be asked."""
    stack = describe_stack(target, plan.stack)
    if stack is None or OUTPUTS.function_name not in stack.outputs:
        trouble = "" if stack is None else f"its stack is {stack.status}"
        return Overview(plan.name, plan.stack, plan.pinned_version, None, trouble)
    try:
        deployed = _deployed(stack, target)
    except (botocore.exceptions.ClientError, CliError) as error:
        return Overview(plan.name, plan.stack, plan.pinned_version, None, str(error))
    return Overview(plan.name, plan.stack, plan.pinned_version, deployed)


def _deployed(stack: DeployedStack, target: Target) -> Deployed:
    reader = RolloutReader(target, stack.stack)
    key_id = stack.outputs.get(OUTPUTS.api_key_id)
    ring = KeyRing(target.client("apigateway"), stack.stack, key_id) if key_id else None
    releases = [one for one in reader.deployments(most=3) if one.undoes is None]
    return Deployed(
        stack.status,
        target.url(stack.outputs[OUTPUTS.url]).rstrip("/"),
        stack.outputs.get(OUTPUTS.front, "rest"),
        stack.outputs.get(OUTPUTS.auth, "api_key"),
        ring.current().id if ring else None,
        stack.outputs[OUTPUTS.model_version],
        tuple(_versions(reader)),
        releases[0] if releases else None,
        tuple(reader.alarms()),
        stack.changed_at,
    )


def _versions(reader: RolloutReader) -> list[ServedVersion]:
    alias = reader.alias()
    shares = {alias.version: 1 - alias.weight}
    if alias.canary is not None:
        shares[alias.canary] = alias.weight
    return [ServedVersion(version, share, reader.description(version)) for version, share in shares.items()]
