"""`serinus rollback`: back to the version before, after a promotion, at once."""

from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.console import notice, print_json, results, step
from serinus.cli.errors import CliError, Interrupted
from serinus.cli.project_lock import turn
from serinus.cli.target import CloudPort, Environment, Local
from serinus.infra.names import ALIAS
from serinus.lambda_handlers.contract.lock import LOCK

if TYPE_CHECKING:
    from serinus.cli.context import Place
    from serinus.cli.lock_update import MovedLock
    from serinus.cli.rollback_plan import WayBack


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
    from serinus.cli.context import stand
    from serinus.cli.lock_update import disagreement, sharing
    from serinus.cli.project import SETTINGS
    from serinus.infra.settings import load_settings

    place = stand(env, local=local, port=port)
    with turn(place.project, wait=False):
        way, moved = _go_back(place, endpoint)
    settings = load_settings(place.project / SETTINGS, place.environment)
    others = "".join(f", {name}" for name in sharing(settings, endpoint, way.good.model))
    notice(f"{LOCK} pins {way.good} for {moved.environment}: the next deploy of {endpoint}{others}")
    trouble = disagreement(settings, endpoint, way)
    if as_json:
        versions = {"from_version": way.left, "to_version": way.version, "model_version": moved.pin.version}
        print_json({**versions, "next_deploy_agrees": trouble is None})
        return
    todo = f"commit {LOCK}; settings stay as serinus.toml has them"
    if trouble is not None:
        todo = f"but {trouble}: take that back and commit it, or the next deploy releases it again"
    results.print(
        f"rolled back {endpoint}: version {way.left} to {way.version}, model {way.good.short}; {todo}",
        markup=False,
    )


def _go_back(place: "Place", endpoint: str) -> tuple["WayBack", "MovedLock"]:
    """Move lock, alias and stack, in this order: cut short anywhere, the same command makes up for the rest."""
    from serinus.cli.endpoints import find_stack
    from serinus.cli.lock_update import move_lock
    from serinus.cli.release_reader import RolloutReader
    from serinus.cli.rollback_plan import find_way
    from serinus.cli.stack_sync import tell_stack

    stack = find_stack(place.project, place.environment, endpoint, place.target)
    reader = RolloutReader(place.target, stack.stack)
    way = find_way(reader, stack, endpoint, place.here)
    moved, unmoved, model_version = None, None, way.good.short
    try:
        moved = move_lock(place.project, place.environment, way.good)
        model_version = moved.pin.version
    except CliError as error:  # no reason to let the bad version answer
        unmoved = error
    try:
        no_weights: dict[str, float] = {}
        reader.functions.update_alias(
            FunctionName=stack.stack,
            Name=ALIAS,
            FunctionVersion=way.version,
            RoutingConfig={"AdditionalVersionWeights": no_weights},
            Description="",
        )
        notice(f"version {way.version} answers all requests of {endpoint}, version {way.left} none")
        with step(f"telling stack {stack.stack}"):
            tell_stack(place.target, stack.stack, version=way.version, model_version=model_version)
    except KeyboardInterrupt as interrupt:
        now = find_stack(place.project, place.environment, endpoint, place.target)
        told = now.status.endswith("_IN_PROGRESS") or now.believed_version == way.version
        again = f"`serinus rollback {endpoint}{place.here}` makes up for the rest"
        rest = "its stack is being told" if told else again
        answers = reader.alias().version
        raise Interrupted(f"interrupted; version {answers} answers all requests, {rest}") from interrupt
    if moved is None:
        raise CliError(
            f"version {way.version} answers again and its stack knows, but {LOCK} could not be moved: {unmoved} "
            f"Pin {way.good} before the next deploy; this command would go back one version further."
        )
    return way, moved
