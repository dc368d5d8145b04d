"""`serinus rollback`: back to the version before, after a promotion, at once."""

from typing import Annotated

import typer

from cli.console import notice, print_json, results, step
from cli.target import CloudPort, Environment, Local
from infra.names import ALIAS, OUTPUTS
from lambda_handlers.contract.lock import LOCK


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
    from cli.endpoints import find_stack
    from cli.going_back import bundle_of, parse, previous_version, published_versions, require_at_rest
    from cli.moved_lock import disagreement, move_lock, sharing
    from cli.place import stand
    from cli.rollouts import RolloutReader
    from cli.stack_alias import tell_stack

    place = stand(env, local=local, port=port)
    stack = find_stack(place.project, place.environment, endpoint, place.target)
    reader = RolloutReader(place.target, stack.stack)
    live = reader.alias().version
    believed = stack.outputs.get(OUTPUTS.function_version, live)
    require_at_rest(reader, stack, endpoint)
    if believed == live:
        left, version = live, previous_version(reader, endpoint, live)
    else:  # someone, or a rollback that was cut short, has moved the alias already
        left, version = believed, live
    good = bundle_of(reader, version, endpoint)
    if version == live:
        notice(f"version {live} answers all requests of {endpoint} already, but its stack believes {believed}")
    else:
        no_weights: dict[str, float] = {}
        reader.functions.update_alias(
            FunctionName=stack.stack,
            Name=ALIAS,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": no_weights},
        )
        notice(f"version {version} answers all requests of {endpoint} again, version {left} none")
    model_version = good.short
    try:
        moved = move_lock(place.project, place.environment, good)
        model_version = moved.pin.version
    finally:  # in either case, or the stack would put the alias back
        with step(f"telling stack {stack.stack}"):
            tell_stack(place.target, stack.stack, version=version, model_version=model_version)
    others = "".join(f", {name}" for name in sharing(place, endpoint, good.model))
    notice(f"{LOCK} pins {good.model} {good.short} for {moved.environment}: the next deploy of {endpoint}{others}")
    trouble = disagreement(place, endpoint, good, parse(published_versions(reader).get(left, "")))
    if as_json:
        versions = {"from_version": left, "to_version": version, "model_version": model_version}
        print_json({**versions, "next_deploy_agrees": trouble is None})
        return
    todo = f"commit {LOCK}"
    if trouble is not None:
        todo = f"but {trouble}: take that back and commit it, or the next deploy releases it again"
    results.print(f"rolled back {endpoint}: version {left} to {version}, model {good.short}; {todo}", markup=False)
