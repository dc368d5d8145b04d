"""The judge: invoked every minute by a schedule, it finds the rollout, reviews it anew and publishes a verdict.

The time is the event's, never this machine's clock: metrics and schedule share one time, on AWS and in rehearsals.
"""

import traceback
from datetime import datetime
from typing import Any

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.contract.release import Strategy, Verdict
from serinus.lambda_handlers.hooks.bake import last_word_at
from serinus.lambda_handlers.hooks.clients import HookContext, hook_context
from serinus.lambda_handlers.hooks.deployment import Deployment, find_rollout
from serinus.lambda_handlers.hooks.hook_response import report
from serinus.lambda_handlers.hooks.judgement import Judgement
from serinus.lambda_handlers.hooks.objection import Objection, store_objection
from serinus.lambda_handlers.hooks.outcome import Outcome
from serinus.lambda_handlers.hooks.pending_hook import PendingHook, delete_pending_hook, find_pending_hook
from serinus.lambda_handlers.hooks.publish import publish, publish_presence
from serinus.lambda_handlers.hooks.settings import Settings, read_settings

#: Seconds between looks.
_EVERY_S = 60


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Judge the rollout under way at the event's ``time``; returns the published detail, ``verdict`` None when
    nothing is being rolled out."""
    return judge_rollout(event, hook_context())


def judge_rollout(event: dict[str, Any], context: HookContext) -> dict[str, Any]:
    """As `handler`, with the clients and variables of ``context``."""
    settings, clients = read_settings(context.environ), context.clients
    now = datetime.fromisoformat(event["time"]).timestamp()
    deployment = find_rollout(clients.codedeploy, settings)
    switched = settings.strategy is Strategy.BLUE_GREEN
    if deployment is None or (deployment.switched_at is not None and not switched):
        return {"verdict": None}
    if deployment.restores:
        publish_presence(clients.cloudwatch, settings.function, now)
        return {"verdict": None}
    since_last_word_s = now - last_word_at(deployment, settings)
    judgement = _judge(deployment, settings, context, now, bake_over=since_last_word_s >= 0)
    rolls_back = judgement.verdict is Verdict.ROLL_BACK
    # The judge looks on until CodeDeploy has stopped the release or the bake is over, but each decision is final
    # once: people are notified of it.
    final = rolls_back or 0 <= since_last_word_s < _EVERY_S
    pending = None
    try:
        if switched:
            due = rolls_back or since_last_word_s >= 0
            pending = _find_pending(deployment, settings, context) if due else None
            final = pending is not None
        elif rolls_back:
            final = store_objection(clients.ssm, settings.function, Objection(deployment.id, judgement.reason))
    finally:
        detail = publish(clients.cloudwatch, clients.events, judgement, deployment, settings, now, final=final)
    if pending is not None:
        _complete_pending_hook(pending, judgement, settings, context)
    return detail


def _judge(
    deployment: Deployment, settings: Settings, context: HookContext, now: float, *, bake_over: bool
) -> Judgement:
    """The judgement: roll back if the layers, which are the new version's own, do not even import."""
    try:
        from serinus.lambda_handlers.hooks.review import review
    except Exception as error:  # noqa: BLE001 - a judge that cannot be loaded must not keep silent
        journal.write("the judge could not be loaded", error=traceback.format_exc())
        reason = f"the judge cannot be loaded with the new version's layers: {type(error).__name__}: {error}"
        return Judgement.unobserved(reason)
    return review(deployment, settings, context, now, bake_over=bake_over)


def _find_pending(deployment: Deployment, settings: Settings, context: HookContext) -> PendingHook | None:
    """The hook that waits for the decision; None while the deployment does not hold for one."""
    if not deployment.confirming:
        return None
    return find_pending_hook(context.clients.ssm, settings.function, deployment.id)


def _complete_pending_hook(
    pending: PendingHook, judgement: Judgement, settings: Settings, context: HookContext
) -> None:
    """Report for the hook that holds a switched deployment: on Failed, CodeDeploy switches back."""
    outcome = Outcome(judgement.verdict is not Verdict.ROLL_BACK, judgement.reason)
    report(context.clients.codedeploy, pending.deployment_id, pending.execution_id, outcome)
    delete_pending_hook(context.clients.ssm, settings.function)
