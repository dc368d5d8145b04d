"""The judge: invoked every minute by a schedule, it finds the rollout, looks at it anew, and says what it sees.

The time is the event's, never this machine's clock: metrics and schedule share one time, on AWS and in rehearsals.
"""

from datetime import datetime
from typing import Any

from lambda_handlers.contract.model_layer import find_model_folder
from lambda_handlers.contract.release import Strategy, Verdict
from lambda_handlers.hooks.clients import Surroundings, surroundings
from lambda_handlers.hooks.deployment import Deployment, find_rollout
from lambda_handlers.hooks.held import find_held, release
from lambda_handlers.hooks.lifecycle import report
from lambda_handlers.hooks.preflight import Outcome
from lambda_handlers.hooks.probe import Expectation, Probe, TimeLimits, probe
from lambda_handlers.hooks.publish import publish
from lambda_handlers.hooks.settings import Settings, read_settings
from lambda_handlers.hooks.verdict import Judgement, Rules, judge
from lambda_handlers.hooks.version import Version
from lambda_handlers.hooks.watch import is_last_word, minutes_of

#: Golden rows asked at each look; the whole set goes round within minutes.
PROBED_ROWS = 16


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Judge the rollout under way at the event's ``time``; returns the published detail, ``verdict`` None when
    nothing is being rolled out."""
    return look(event, surroundings())


def look(event: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """As `handler`, in given surroundings."""
    settings, clients = read_settings(around.environ), around.clients
    now = datetime.fromisoformat(event["time"]).timestamp()
    deployment = find_rollout(clients.codedeploy, settings)
    if deployment is None or (deployment.switched_at is not None and settings.strategy is not Strategy.BLUE_GREEN):
        return {"verdict": None}
    found = _probe(deployment, settings, around, now)
    last_word = is_last_word(deployment, settings, now)
    minutes = minutes_of(clients.cloudwatch, deployment, settings, now)
    rules = Rules(minimum_requests=settings.minimum_requests, inconclusive=settings.inconclusive)
    judgement = judge(minutes, found, rules, bake_over=last_word)
    final = last_word or judgement.verdict is Verdict.ROLL_BACK
    detail = publish(clients.cloudwatch, clients.events, judgement, deployment, settings, now, final=final)
    if deployment.confirming and final:
        _let_go(deployment, judgement, settings, around)
    return detail


def _probe(deployment: Deployment, settings: Settings, around: Surroundings, now: float) -> Probe:
    expected = Expectation.read(find_model_folder(around.environ))
    rows = min(PROBED_ROWS, settings.rows_per_request)
    canary = Version(around.clients.functions, settings.function, deployment.canary)
    return probe(canary, expected.slice(int(now // 60) * rows, rows), TimeLimits(settings.warm_limit_ms))


def _let_go(deployment: Deployment, judgement: Judgement, settings: Settings, around: Surroundings) -> None:
    """Answer the hook that holds a switched deployment: with Failed, CodeDeploy switches back."""
    held = find_held(around.clients.ssm, settings.function, deployment.id)
    if held is None:
        return
    outcome = Outcome(judgement.verdict is not Verdict.ROLL_BACK, judgement.reason)
    report(around.clients.codedeploy, held.deployment_id, held.execution_id, outcome)
    release(around.clients.ssm, settings.function)
