"""`serinus rollback`: back to the version before, after a promotion, at once."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import notice, print_json, results, step
from cli.errors import CliError
from cli.project import find_project
from cli.rollouts import RolloutReader
from cli.target import CloudPort, Environment, Local, choose, environment_for
from infra.names import ALIAS, DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT
from lambda_handlers.contract.lock import LOCK, Pin, read_lock, render_lock

#: A version's description, as the stack writes it: model and short bundle version.
_DESCRIBED = re.compile(r"(?P<model>[a-z][a-z0-9-]*) (?P<short>[0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class GoodVersion:
    """A published version to go back to, and the bundle that it serves."""

    version: str
    model: str
    short: str


def rollback(
    endpoint: Annotated[str, typer.Argument(help="Endpoint.")],
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Go back to the version before: all requests at once, then lock and stack, so that the next deploy agrees.

    Example: [bold]serinus rollback churn --local[/]
    """
    from cli.endpoints import find_endpoint
    from cli.stack_alias import tell_stack

    project = find_project()
    target = choose(project, local=local, port=port)
    environment = environment_for(target, env)
    found = find_endpoint(project, environment, endpoint, target)
    reader = RolloutReader(target, found.stack)
    live = reader.alias().version
    good = previous_version(reader, endpoint, live)
    reader.functions.update_alias(
        FunctionName=found.stack,
        Name=ALIAS,
        FunctionVersion=good.version,
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    notice(f"version {good.version} answers all requests of {endpoint} again, version {live} none")
    pin, unmoved = _try_to_move_lock(project, environment, good)
    with step(f"telling stack {found.stack}"):
        tell_stack(target, found.stack, version=good.version, model_version=pin.version if pin else good.short)
    if pin is None:
        raise CliError(str(unmoved)) from unmoved
    if as_json:
        print_json({"from_version": live, "to_version": good.version, "model_version": pin.version})
        return
    results.print(
        f"rolled back {endpoint}: version {live} to {good.version}, model {good.short}; commit {LOCK}",
        markup=False,
    )


def previous_version(reader: RolloutReader, endpoint: str, live: str) -> GoodVersion:
    """What was live before ``live`` and is still published; `CliError` where there is none, or a release is under
    way."""
    deployments = reader.deployments()
    if any(one.under_way for one in deployments):
        raise CliError(f"a release of {endpoint} is under way. `serinus rollout stop {endpoint}` stops it.")
    published = _published(reader)
    before = [
        one.stable
        for one in deployments
        if one.status == "Succeeded" and one.undoes is None and one.canary == live and one.stable in published
    ]
    older = sorted((version for version in published if int(version) < int(live)), key=int, reverse=True)
    if not (candidates := [*before, *older]):
        raise CliError(f"version {live} of {endpoint} is the oldest that is kept; there is nothing to go back to.")
    match = _DESCRIBED.search(published[candidates[0]])
    if match is None:
        raise CliError(
            f"version {candidates[0]} of {endpoint} does not say which bundle it serves "
            f"(description {published[candidates[0]]!r}). Pin one in {LOCK} and deploy it."
        )
    return GoodVersion(candidates[0], match["model"], match["short"])


def _try_to_move_lock(
    project: Path, environment: str, good: GoodVersion
) -> tuple[Pin, None] | tuple[None, CliError]:
    """The new pin, or why there is none: the stack must be told in either case."""
    try:
        pin = move_lock(project, environment, good)
    except CliError as error:
        return None, error
    notice(f"{LOCK} pins {good.model} {good.short}")
    return pin, None


def move_lock(project: Path, environment: str, good: GoodVersion) -> Pin:
    """Pin the bundle that ``good`` serves for ``environment``; `CliError` where the project lacks it."""
    path = project / LOCK
    lock = {name: dict(models) for name, models in read_lock(path).items()}
    place = f"bundles/{good.model}/{good.short}"
    pin = Pin(_version_of(project / place, good), place)
    # Offline, `local` deploys what `dev` pins unless it has a pin of its own.
    unpinned_local = environment == LOCAL_ENVIRONMENT and good.model not in lock.get(environment, {})
    lock.setdefault(DEFAULT_ENVIRONMENT if unpinned_local else environment, {})[good.model] = pin
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(render_lock(lock), encoding="utf-8")
    beside.replace(path)
    return pin


def _version_of(folder: Path, good: GoodVersion) -> str:
    from lambda_handlers.contract.bundle import verify
    from lambda_handlers.contract.errors import ContractError

    try:
        return verify(folder).version
    except ContractError as error:
        raise CliError(
            f"version {good.version} answers again, but {LOCK} could not be moved to its bundle: {error} "
            f"Restore {folder} before the next deploy, and pin it."
        ) from error


def _published(reader: RolloutReader) -> dict[str, str]:
    """Description by published version."""
    pages: Any = reader.functions.get_paginator("list_versions_by_function").paginate(FunctionName=reader.stack)
    versions = [one for page in pages for one in page["Versions"]]
    return {one["Version"]: one.get("Description", "") for one in versions if one["Version"] != "$LATEST"}
