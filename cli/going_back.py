"""What an endpoint can go back to: the version that was live before, while no release is under way."""

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cli.endpoints import DeployedStack
from cli.errors import CliError
from cli.rollouts import RolloutReader
from lambda_handlers.contract.lock import LOCK

#: A version's description, as the stack writes it: model and short bundle version.
_DESCRIBED = re.compile(r"(?P<model>[a-z][a-z0-9-]*) (?P<short>[0-9a-f]{12})")
#: Deployments that are looked through, failed ones and their rollbacks among them.
_DEPLOYMENTS = 50


@dataclass(frozen=True, slots=True)
class Served:
    """The bundle that a published version serves: model, and the bundle's short version."""

    model: str
    short: str


def require_at_rest(reader: RolloutReader, stack: DeployedStack, endpoint: str) -> None:
    """`CliError` while a release is under way, or about to begin: it would put the alias where it wants it."""
    cleaning = stack.status.endswith("_CLEANUP_IN_PROGRESS")
    busy = stack.status.endswith("_IN_PROGRESS") and not cleaning
    if busy or any(one.under_way for one in reader.deployments(2)):
        raise CliError(
            f"a release of {endpoint} is under way (stack {stack.stack} is {stack.status}). "
            f"`serinus rollout stop {endpoint}` stops it."
        )


def previous_version(reader: RolloutReader, endpoint: str, live: str) -> str:
    """What was live before ``live`` and is still published; `CliError` where there is none."""
    published = published_versions(reader)
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


def bundle_of(reader: RolloutReader, version: str, endpoint: str) -> Served:
    """What ``version`` serves; `CliError` where its description does not tell."""
    description = published_versions(reader)[version]
    served = parse(description)
    if served is None:
        raise CliError(
            f"version {version} of {endpoint} does not say which bundle it serves (description {description!r}). "
            f"Pin one in {LOCK} and deploy it."
        )
    return served


def parse(description: str) -> Served | None:
    """The bundle that a version's description names."""
    match = _DESCRIBED.search(description)
    return Served(match["model"], match["short"]) if match else None


def published_versions(reader: RolloutReader) -> dict[str, str]:
    """Description by published version."""
    pages: Any = reader.functions.get_paginator("list_versions_by_function").paginate(FunctionName=reader.stack)
    versions = [one for page in pages for one in page["Versions"]]
    return {one["Version"]: one.get("Description", "") for one in versions if one["Version"] != "$LATEST"}
