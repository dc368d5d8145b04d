"""`serinus rollback`: return to the previous version at once, after a promotion."""

from typing import TYPE_CHECKING

from serinus.cli.console import notice, print_json, results, step
from serinus.cli.errors import CliError, Interrupted
from serinus.cli.project_lock import project_lock
from serinus.cli.target import AsJson, CloudPort, EndpointName, Environment, Local
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT
from serinus.lambda_handlers.contract.lock import LOCK

if TYPE_CHECKING:
    from serinus.cli.context import CommandContext
    from serinus.cli.lock_update import UpdatedPin
    from serinus.cli.rollback_plan import RollbackPlan


def rollback(
    endpoint: EndpointName,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: AsJson = False,
) -> None:
    """Send all requests of an endpoint to its previous version, at once.

    There is no bake, check or build. The command also pins the previous bundle in serinus.lock and updates the
    stack, so that the next deploy keeps that bundle; commit the lock. With --local it changes the pin of
    environment local, or of dev if local has none. While a release is under way, use `serinus rollout stop`
    instead.

    Example: [bold]serinus rollback churn --local[/]
    """
    from serinus.cli.context import resolve_context
    from serinus.cli.lock_update import endpoints_sharing_pin, next_deploy_conflict
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings

    context = resolve_context(env, local=local, port=port)
    with project_lock(context.project, wait=False):
        plan, updated = _roll_back(context, endpoint)
    settings = load_settings(context.project / SETTINGS, context.environment)
    others = "".join(f", {name}" for name in endpoints_sharing_pin(settings, endpoint, plan.to_bundle.model))
    notice(f"{LOCK} now pins {plan.to_bundle} for {updated.environment}: the next deploy of {endpoint}{others}")
    if context.environment == LOCAL_ENVIRONMENT and updated.environment == DEFAULT_ENVIRONMENT:
        notice(
            f"this changed the pin of {DEFAULT_ENVIRONMENT}, which {LOCAL_ENVIRONMENT} uses because it has none "
            "of "
            f"its own: the next deploy to {DEFAULT_ENVIRONMENT} releases {plan.to_bundle} too"
        )
    conflict = next_deploy_conflict(settings, endpoint, plan)
    if as_json:
        versions = {
            "from_version": plan.from_version,
            "to_version": plan.to_version,
            "model_version": updated.pin.version,
        }
        print_json({**versions, "next_deploy_agrees": conflict is None})
        return
    next_step = f"commit {LOCK}; {SETTINGS} is unchanged"
    if conflict is not None:
        next_step = f"but {conflict}. Revert that change and commit, or the next deploy will release it again."
    results.print(
        f"rolled back {endpoint}: version {plan.from_version} to {plan.to_version}, "
        f"model {plan.to_bundle.short}; {next_step}",
        markup=False,
    )


def _roll_back(context: "CommandContext", endpoint: str) -> tuple["RollbackPlan", "UpdatedPin"]:
    """Update lock, alias and stack, in this order: if it is interrupted, the same command does the rest."""
    from serinus.cli.alias_move import move_alias, wait_for_environments
    from serinus.cli.endpoints import find_stack
    from serinus.cli.lock_update import repin
    from serinus.cli.release_reader import RolloutReader
    from serinus.cli.rollback_plan import plan_rollback
    from serinus.cli.stack_sync import sync_stack_alias

    stack = find_stack(context.project, context.environment, endpoint, context.target)
    reader = RolloutReader(context.target, stack.stack)
    plan = plan_rollback(reader, stack, endpoint, context.cli_flags)
    updated, pin_error, model_version = None, None, plan.to_bundle.short
    try:
        updated = repin(context.project, context.environment, plan.to_bundle)
        model_version = updated.pin.version
    except CliError as error:  # no reason to keep the bad version in service
        pin_error = error
    try:
        move_alias(reader.functions, stack.stack, plan.to_version)
        notice(f"version {plan.to_version} answers all requests of {endpoint}, version {plan.from_version} none")
        with step(f"updating stack {stack.stack}"):
            wait_for_environments(reader.functions, stack.stack, context.target.pause_s)
            sync_stack_alias(context.target, stack.stack, version=plan.to_version, model_version=model_version)
    except KeyboardInterrupt as interrupt:
        stack_now = find_stack(context.project, context.environment, endpoint, context.target)
        updating = stack_now.status.endswith("_IN_PROGRESS") or stack_now.recorded_version == plan.to_version
        retry = f"run `serinus rollback {endpoint}{context.cli_flags}` again to finish"
        raise Interrupted(
            f"interrupted; version {reader.alias().version} answers all requests, "
            f"{'its stack is being updated' if updating else retry}"
        ) from interrupt
    if updated is None:
        raise CliError(
            f"version {plan.to_version} serves again and its stack is updated, but {LOCK} could not be: "
            f"{pin_error} "
            f"Pin {plan.to_bundle} before the next deploy; running this command again would go back one more "
            "version."
        )
    return plan, updated
