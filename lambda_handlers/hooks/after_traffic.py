"""CodeDeploy's AfterAllowTraffic: all traffic has moved. Does the alias serve the new version, and may it stay?

With canary and linear this is the second lock: if no alarm stopped the release in time, the judge's objection or
the verdict at the end of the bake fails it here, and so does a bake that cannot be judged. A blue_green deployment
stays pending until the judge completes its hook.
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.contract.release import Strategy, Verdict
from serinus.lambda_handlers.hooks.bake import end_of
from serinus.lambda_handlers.hooks.clients import HookContext, hook_context
from serinus.lambda_handlers.hooks.deployment import Deployment, read_deployment
from serinus.lambda_handlers.hooks.errors import BadDeployment, HookError
from serinus.lambda_handlers.hooks.hook_response import run_and_report
from serinus.lambda_handlers.hooks.objection import find_objection
from serinus.lambda_handlers.hooks.outcome import Outcome
from serinus.lambda_handlers.hooks.pending_hook import PendingHook, store_pending_hook
from serinus.lambda_handlers.hooks.publish import record
from serinus.lambda_handlers.hooks.settings import Settings, read_settings
from serinus.lambda_handlers.hooks.version import Version

if TYPE_CHECKING:
    from serinus.lambda_handlers.hooks.judgement import Judgement
    from serinus.lambda_handlers.hooks.probe import Probe

#: Seconds for which an alias that Lambda throttles is probed again.
PATIENCE_S = 20.0


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Probe the alias, judge the bake, and report to CodeDeploy or leave that to the judge."""
    return respond(event, hook_context())


def respond(event: dict[str, Any], context: HookContext) -> dict[str, Any]:
    """As `handler`, with the clients and variables of ``context``."""

    def confirm(deployment_id: str) -> Outcome | None:
        settings = read_settings(context.environ)
        deployment = read_deployment(context.clients.codedeploy, deployment_id, settings)
        probe = _probe(deployment, settings, context)
        if probe.failed:
            return Outcome(
                False, f"alias {settings.alias} does not serve version {deployment.canary}: {probe.detail}"
            )
        if settings.strategy is Strategy.BLUE_GREEN:
            pending = PendingHook(deployment_id, event["LifecycleEventHookExecutionId"])
            store_pending_hook(context.clients.ssm, settings.function, pending)
            return None
        confirmed = Outcome(True, f"alias {settings.alias} serves version {deployment.canary}: {probe.detail}")
        if settings.strategy is Strategy.ALL_AT_ONCE:
            return confirmed
        return _refusal(probe, deployment, settings, context) or confirmed

    return run_and_report(context.clients.codedeploy, event, confirm)


def _probe(deployment: Deployment, settings: Settings, context: HookContext) -> "Probe":
    # Only here: with a layer that does not import, the check fails instead of the function.
    from serinus.lambda_handlers.hooks.probe import Expectation, TimeLimits, probe_until

    expected = Expectation.read(find_model_folder(context.environ)).slice(0, settings.rows_per_request)
    alias = Version(context.clients.functions, settings.function, settings.alias)
    limits, deadline = TimeLimits(settings.warm_limit_ms), time.monotonic() + PATIENCE_S
    return probe_until(alias, expected, limits, deadline, published=deployment.canary)


def _refusal(probe: "Probe", deployment: Deployment, settings: Settings, context: HookContext) -> Outcome | None:
    """Why the release may not stay, by the judgement at the end of its bake; None where it may. A release that
    cannot be judged is not known to be good, and is rolled back."""
    try:
        judgement = _last_judgement(probe, deployment, settings, context)
    except (BotoCoreError, ClientError, HookError) as error:
        return Outcome(False, f"the release is rolled back because its bake cannot be judged: {error}")
    if judgement.verdict is not Verdict.ROLL_BACK:
        return None
    return Outcome(False, f"the verdict at the end of the bake is to roll back: {judgement.reason}")


def _last_judgement(
    probe: "Probe", deployment: Deployment, settings: Settings, context: HookContext
) -> "Judgement":
    """The judgement at the time when all traffic had moved; the judge's objection, if any, decides. Logged."""
    from serinus.lambda_handlers.hooks.review import judge_with_probe

    if deployment.traffic_at is None:
        raise BadDeployment(f"CodeDeploy does not report when deployment {deployment.id} began to shift traffic.")
    at = end_of(deployment, settings) if deployment.switched_at is None else deployment.switched_at
    objection = find_objection(context.clients.ssm, settings.function, deployment.id)
    judgement = judge_with_probe(probe, deployment, settings, context, at, bake_over=True)
    if objection is not None:
        judgement = replace(judgement, verdict=Verdict.ROLL_BACK, reason=objection.reason)
    record(judgement, deployment, settings, at, final=True)
    return judgement
