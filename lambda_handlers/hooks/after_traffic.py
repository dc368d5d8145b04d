"""CodeDeploy's AfterAllowTraffic: all traffic has moved. Does the alias answer as the new version; may it stay?

With canary and linear it is the second lock: whatever the judge has said by then, and what is to be said at the
end of the bake, refuses the release here, should no alarm have stopped it in time. What cannot be read refuses it
too. A blue_green deployment is held, and the judge lets it go.
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.contract.release import Strategy, Verdict
from serinus.lambda_handlers.hooks.bake import end_of
from serinus.lambda_handlers.hooks.clients import Surroundings, surroundings
from serinus.lambda_handlers.hooks.deployment import Deployment, read_deployment
from serinus.lambda_handlers.hooks.errors import BadDeployment, HookError
from serinus.lambda_handlers.hooks.hook_response import answer
from serinus.lambda_handlers.hooks.objection import find_objection
from serinus.lambda_handlers.hooks.outcome import Outcome
from serinus.lambda_handlers.hooks.pending_hook import Held, hold
from serinus.lambda_handlers.hooks.publish import record
from serinus.lambda_handlers.hooks.settings import Settings, read_settings
from serinus.lambda_handlers.hooks.version import Version

if TYPE_CHECKING:
    from serinus.lambda_handlers.hooks.judgement import Judgement
    from serinus.lambda_handlers.hooks.probe import Probe

#: Seconds for which an alias that Lambda throttles is asked again.
PATIENCE_S = 20.0


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Probe the alias, judge the bake, and report to CodeDeploy or leave that to the judge."""
    return respond(event, surroundings())


def respond(event: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """As `handler`, in given surroundings."""

    def confirm(deployment_id: str) -> Outcome | None:
        settings = read_settings(around.environ)
        deployment = read_deployment(around.clients.codedeploy, deployment_id, settings)
        found = _probe(deployment, settings, around)
        if found.failed:
            return Outcome(
                False, f"alias {settings.alias} does not answer as version {deployment.canary}: {found.detail}"
            )
        if settings.strategy is Strategy.BLUE_GREEN:
            hold(
                around.clients.ssm, settings.function, Held(deployment_id, event["LifecycleEventHookExecutionId"])
            )
            return None
        confirmed = Outcome(True, f"alias {settings.alias} answers as version {deployment.canary}: {found.detail}")
        if settings.strategy is Strategy.ALL_AT_ONCE:
            return confirmed
        return _refusal(found, deployment, settings, around) or confirmed

    return answer(around.clients.codedeploy, event, confirm)


def _probe(deployment: Deployment, settings: Settings, around: Surroundings) -> "Probe":
    # Only here: with a layer that does not import, the check fails instead of the function.
    from serinus.lambda_handlers.hooks.probe import Expectation, TimeLimits, probe_until

    expected = Expectation.read(find_model_folder(around.environ)).slice(0, settings.rows_per_request)
    alias = Version(around.clients.functions, settings.function, settings.alias)
    limits, deadline = TimeLimits(settings.warm_limit_ms), time.monotonic() + PATIENCE_S
    return probe_until(alias, expected, limits, deadline, published=deployment.canary)


def _refusal(found: "Probe", deployment: Deployment, settings: Settings, around: Surroundings) -> Outcome | None:
    """Why the release may not stay, by the judgement at the end of its bake; None where it may. What cannot be
    judged is not known to be good, and goes."""
    try:
        judgement = _last_judgement(found, deployment, settings, around)
    except (BotoCoreError, ClientError, HookError) as error:
        return Outcome(False, f"the release is rolled back, since its bake cannot be judged: {error}")
    if judgement.verdict is not Verdict.ROLL_BACK:
        return None
    return Outcome(False, f"the judgement at the end of the bake is to roll back: {judgement.reason}")


def _last_judgement(
    found: "Probe", deployment: Deployment, settings: Settings, around: Surroundings
) -> "Judgement":
    """What the judge has objected to, or else what it would say when all traffic had moved; logged."""
    from serinus.lambda_handlers.hooks.review import judge_by

    if deployment.traffic_at is None:
        raise BadDeployment(f"CodeDeploy does not say when deployment {deployment.id} began to shift traffic.")
    at = end_of(deployment, settings) if deployment.switched_at is None else deployment.switched_at
    objection = find_objection(around.clients.ssm, settings.function, deployment.id)
    judgement = judge_by(found, deployment, settings, around, at, bake_over=True)
    if objection is not None:
        judgement = replace(judgement, verdict=Verdict.ROLL_BACK, reason=objection.reason)
    record(judgement, deployment, settings, at, final=True)
    return judgement
