"""Decides which version an endpoint can be rolled back to: the one that was live before, between releases."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from serinus.cli.console import notice
from serinus.cli.endpoints import DeployedStack
from serinus.cli.errors import CliError
from serinus.cli.release_reader import RolloutReader
from serinus.lambda_handlers.contract.lock import LOCK

#: A version's description, as the stack writes it: model and short bundle version.
_DESCRIBED = re.compile(r"(?P<model>[a-z][a-z0-9-]*) (?P<short>[0-9a-f]{12})")
#: Deployments that are looked through, failed ones and their rollbacks among them.
_DEPLOYMENTS = 50


@dataclass(frozen=True, slots=True)
class ServedBundle:
    """The bundle that a published version serves: model, and the bundle's short version."""

    model: str
    short: str

    def __str__(self) -> str:
        return f"{self.model} {self.short}"


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """From ``from_version``, which served ``from_bundle`` (None if its description names none), to ``to_version``,
    which serves ``to_bundle``."""

    from_version: str
    from_bundle: ServedBundle | None
    to_version: str
    to_bundle: ServedBundle


def plan_rollback(reader: RolloutReader, stack: DeployedStack, endpoint: str, flags: str) -> RollbackPlan:
    """From the live version to the one before; or the rest of a rollback that updated the alias but not the stack.
    Raises `CliError` if there is no older version, or while a release is under way."""
    _require_idle(reader, stack, endpoint, flags)
    live = reader.alias().version
    published = _published_versions(reader)
    recorded = stack.recorded_version or live
    if recorded == live:
        from_version, to_version = live, _previous(reader, published, endpoint, live)
    else:
        notice(
            f"version {live} answers all requests of {endpoint} already, but its stack still records {recorded}"
        )
        from_version, to_version = recorded, live
    to_bundle = read_bundle(published[to_version])
    if to_bundle is None:
        raise CliError(
            f"version {to_version} of {endpoint} does not name the bundle that it serves "
            f"(description {published[to_version]!r}). Pin a bundle in {LOCK} and run `serinus deploy "
            f"{endpoint}{flags}`."
        )
    return RollbackPlan(from_version, read_bundle(published.get(from_version, "")), to_version, to_bundle)


def _require_idle(reader: RolloutReader, stack: DeployedStack, endpoint: str, flags: str) -> None:
    """`CliError` while a release is under way or about to begin: it would overwrite the alias."""
    cleaning_up = stack.status.endswith("_CLEANUP_IN_PROGRESS")
    updating = stack.status.endswith("_IN_PROGRESS") and not cleaning_up
    if updating or any(deployment.under_way for deployment in reader.deployments(2)):
        raise CliError(
            f"a release of {endpoint} is under way (stack {stack.stack} is {stack.status}). "
            f"`serinus rollout stop {endpoint}{flags}` stops it."
        )


def _previous(reader: RolloutReader, published: Mapping[str, str], endpoint: str, live: str) -> str:
    """What was live before ``live`` and is still published."""
    promoted_over = (
        deployment.stable
        for deployment in islice(reader.each_deployment(), _DEPLOYMENTS)
        if deployment.status == "Succeeded"
        and not deployment.restores
        and deployment.canary == live
        and deployment.stable in published
    )
    older = sorted((version for version in published if int(version) < int(live)), key=int, reverse=True)
    previous = next(promoted_over, None) or next(iter(older), None)
    if previous is None:
        raise CliError(
            f"version {live} of {endpoint} is the oldest that is kept, so there is no version to roll back to. "
            "Package the older model again and deploy it."
        )
    return previous


def read_bundle(description: str) -> ServedBundle | None:
    """The bundle that a version's ``description`` names; None if it names none."""
    match = _DESCRIBED.search(description)
    return ServedBundle(match["model"], match["short"]) if match else None


def _published_versions(reader: RolloutReader) -> dict[str, str]:
    """Description by published version."""
    pages: Any = reader.functions.get_paginator("list_versions_by_function").paginate(FunctionName=reader.stack)
    versions = [version for page in pages for version in page["Versions"]]
    return {
        version["Version"]: version.get("Description", "")
        for version in versions
        if version["Version"] != "$LATEST"
    }
