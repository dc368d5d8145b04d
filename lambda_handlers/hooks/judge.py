"""The judge: invoked every minute by a schedule, it finds the rollout, looks at it anew, and says what it sees.

The time is the event's, never this machine's clock: metrics and schedule share one time, on AWS and in rehearsals.
"""

import traceback
from datetime import datetime
from typing import Any

from serinus.lambda_handlers.contract.release import Strategy, Verdict
from serinus.lambda_handlers.hooks import journal
from serinus.lambda_handlers.hooks.bake import last_word_at
from serinus.lambda_handlers.hooks.clients import Surroundings, surroundings
from serinus.lambda_handlers.hooks.deployment import Deployment, find_rollout
from serinus.lambda_handlers.hooks.hook_response import report
from serinus.lambda_handlers.hooks.judgement import Judgement
from serinus.lambda_handlers.hooks.objection import Objection, object_to
from serinus.lambda_handlers.hooks.outcome import Outcome
from serinus.lambda_handlers.hooks.pending_hook import find_held, release
from serinus.lambda_handlers.hooks.publish import publish
from serinus.lambda_handlers.hooks.settings import Settings, read_settings

#: Seconds between looks.
_EVERY_S = 60


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Judge the rollout under way at the event's ``time``; returns the published detail, ``verdict`` None when
    nothing is being rolled out."""
    return look(event, surroundings())


def look(event: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """As `handler`, in given surroundings."""
    settings, clients = read_settings(around.environ), around.clients
    now = datetime.fromisoformat(event["time"]).timestamp()
    deployment = find_rollout(clients.codedeploy, settings)
    switched = settings.strategy is Strategy.BLUE_GREEN
    if deployment is None or (deployment.switched_at is not None and not switched):
        return {"verdict": None}
    since_last_word_s = now - last_word_at(deployment, settings)
    judgement = _judge(deployment, settings, around, now, bake_over=since_last_word_s >= 0)
    rolls_back = judgement.verdict is Verdict.ROLL_BACK
    try:
        if rolls_back and not switched:
            object_to(clients.ssm, settings.function, Objection(deployment.id, judgement.reason))
    finally:
        # The last word is looked at again until the bake is over, but told once.
        final = rolls_back or 0 <= since_last_word_s < _EVERY_S
        detail = publish(clients.cloudwatch, clients.events, judgement, deployment, settings, now, final=final)
    if deployment.confirming and (rolls_back or since_last_word_s >= 0):
        _let_go(deployment, judgement, settings, around)
    return detail


def _judge(
    deployment: Deployment, settings: Settings, around: Surroundings, now: float, *, bake_over: bool
) -> Judgement:
    """The judgement; where the layers do not even import, which are the new version's own, it is to roll back."""
    try:
        from serinus.lambda_handlers.hooks.review import look_at
    except Exception as error:  # noqa: BLE001 - a judge that cannot be loaded must not be one that keeps silent
        journal.write("the judge could not be loaded", error=traceback.format_exc())
        why = f"the judge cannot be loaded with the new version's layers: {type(error).__name__}: {error}"
        return Judgement.without_looking(why)
    return look_at(deployment, settings, around, now, bake_over=bake_over)


def _let_go(deployment: Deployment, judgement: Judgement, settings: Settings, around: Surroundings) -> None:
    """Answer the hook that holds a switched deployment: with Failed, CodeDeploy switches back."""
    held = find_held(around.clients.ssm, settings.function, deployment.id)
    if held is None:
        return
    outcome = Outcome(judgement.verdict is not Verdict.ROLL_BACK, judgement.reason)
    report(around.clients.codedeploy, held.deployment_id, held.execution_id, outcome)
    release(around.clients.ssm, settings.function)
