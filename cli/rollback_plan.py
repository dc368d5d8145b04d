"""What an endpoint can go back to: the version that was live before, while no release is under way."""

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
class Served:
    """The bundle that a published version serves: model, and the bundle's short version."""

    model: str
    short: str

    def __str__(self) -> str:
        return f"{self.model} {self.short}"


@dataclass(frozen=True, slots=True)
class WayBack:
    """From version ``left``, which served ``bad`` (None where it does not tell), to ``version``, which serves
    ``good``."""

    left: str
    bad: Served | None
    version: str
    good: Served


def find_way(reader: RolloutReader, stack: DeployedStack, endpoint: str, here: str) -> WayBack:
    """The way back from what is live to what was live before; or the one that was begun, where the alias was moved
    and the stack not told. `CliError` where there is none, or while a release would cross it."""
    _require_at_rest(reader, stack, endpoint, here)
    live = reader.alias().version
    published = _published_versions(reader)
    believed = stack.believed_version or live
    if believed == live:
        left, version = live, _previous(reader, published, endpoint, live)
    else:
        notice(f"version {live} answers all requests of {endpoint} already, but its stack believes {believed}")
        left, version = believed, live
    good = _served(published[version])
    if good is None:
        raise CliError(
            f"version {version} of {endpoint} does not say which bundle it serves "
            f"(description {published[version]!r}). Pin one in {LOCK} and deploy it."
        )
    return WayBack(left, _served(published.get(left, "")), version, good)


def _require_at_rest(reader: RolloutReader, stack: DeployedStack, endpoint: str, here: str) -> None:
    """A release that is under way, or about to begin, would put the alias where it wants it."""
    cleaning = stack.status.endswith("_CLEANUP_IN_PROGRESS")
    busy = stack.status.endswith("_IN_PROGRESS") and not cleaning
    if busy or any(one.under_way for one in reader.deployments(2)):
        raise CliError(
            f"a release of {endpoint} is under way (stack {stack.stack} is {stack.status}). "
            f"`serinus rollout stop {endpoint}{here}` stops it."
        )


def _previous(reader: RolloutReader, published: Mapping[str, str], endpoint: str, live: str) -> str:
    """What was live before ``live`` and is still published."""
    before = (
        one.stable
        for one in islice(reader.each_deployment(), _DEPLOYMENTS)
        if one.status == "Succeeded" and one.undoes is None and one.canary == live and one.stable in published
    )
    older = sorted((version for version in published if int(version) < int(live)), key=int, reverse=True)
    found = next(before, None) or next(iter(older), None)
    if found is None:
        raise CliError(f"version {live} of {endpoint} is the oldest that is kept; there is nothing to go back to.")
    return found


def _served(description: str) -> Served | None:
    match = _DESCRIBED.search(description)
    return Served(match["model"], match["short"]) if match else None


def _published_versions(reader: RolloutReader) -> dict[str, str]:
    """Description by published version."""
    pages: Any = reader.functions.get_paginator("list_versions_by_function").paginate(FunctionName=reader.stack)
    versions = [one for page in pages for one in page["Versions"]]
    return {one["Version"]: one.get("Description", "") for one in versions if one["Version"] != "$LATEST"}
