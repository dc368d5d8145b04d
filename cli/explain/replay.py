"""Runs the judge's own code again on the recorded metrics, as of the look that decided."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from serinus.cli.explain.evidence import ReleaseEvidence, read_bins
from serinus.lambda_handlers.contract.release import Verdict
from serinus.lambda_handlers.hooks.bake import last_word_at, start_of
from serinus.lambda_handlers.hooks.capital import Capital, accumulate
from serinus.lambda_handlers.hooks.deployment import Deployment, read_deployment
from serinus.lambda_handlers.hooks.errors import HookError
from serinus.lambda_handlers.hooks.judgement import Judgement
from serinus.lambda_handlers.hooks.probe import Probe
from serinus.lambda_handlers.hooks.rollout_window import Rollout, read_rollout
from serinus.lambda_handlers.hooks.settings import Settings
from serinus.lambda_handlers.hooks.verdict import Rules, judge

#: How long CloudWatch keeps values by the minute, which the judge reads
#: (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
MINUTES_KEPT_S = 15 * 86_400
#: Relative difference between evidence that was logged and replayed which rounding explains.
_ROUNDING = 1e-6
_FAILED_PROBE = "golden requests failed: "


@dataclass(frozen=True, slots=True)
class Replay:
    """The judge's ``judgement`` of ``rollout`` at ``at`` (epoch seconds), computed again with ``probe`` and
    ``rules``. ``judge_again`` judges another rollout, or by other rules, at the same moment."""

    at: float
    rollout: Rollout
    probe: Probe
    rules: Rules
    bake_over: bool
    settings: Settings
    judgement: Judgement

    def judge_again(
        self,
        *,
        rollout: Rollout | None = None,
        rules: Rules | None = None,
        probe: Probe | None = None,
        bake_over: bool | None = None,
    ) -> Judgement:
        """The verdict with what is named instead of what was."""
        over = self.bake_over if bake_over is None else bake_over
        return judge(rollout or self.rollout, probe or self.probe, rules or self.rules, bake_over=over)

    def finds_harm(self, rollout: Rollout) -> bool:
        """Whether the evidence in ``rollout`` rolls back, whatever the end of the bake would decide."""
        return rolls_back(self.judge_again(rollout=rollout, bake_over=False))

    def capital(self) -> Capital:
        """The judge's capital after each comparison."""
        return accumulate(self.rollout)


@dataclass(frozen=True, slots=True)
class NoReplay:
    """Why there is none."""

    reason: str


def replay(evidence: ReleaseEvidence, codedeploy: Any, cloudwatch: Any) -> Replay | NoReplay:
    """The judge's verdict on the release's recorded metrics, as of its decisive look; without any look, as of the
    end of the release."""
    settings, look = evidence.settings, evidence.decisive_look
    if settings is None:
        return NoReplay(
            "no verdict is logged, and the endpoint has no judge now (there is none with strategy all_at_once)"
        )
    try:
        deployment = read_deployment(codedeploy, evidence.release.id, settings)
    except HookError as error:
        return NoReplay(str(error))
    if not math.isfinite(start_of(deployment, settings)):
        return NoReplay("no request reached the new version, so there is nothing to judge")
    at = look.at if look is not None else evidence.release.completed_at or evidence.now
    if evidence.now - start_of(deployment, settings) > MINUTES_KEPT_S:
        return NoReplay("the release is more than 15 days ago, for which CloudWatch keeps values by the minute")
    try:
        bins = read_bins(cloudwatch, settings.function, deployment.canary)
        rollout = read_rollout(cloudwatch, deployment, settings, bins, at)
    except (HookError, botocore.exceptions.ClientError) as error:
        return NoReplay(f"the metrics cannot be read: {error}")
    return _judge(evidence, deployment, settings, rollout, at)


def _judge(
    evidence: ReleaseEvidence, deployment: Deployment, settings: Settings, rollout: Rollout, at: float
) -> Replay | NoReplay:
    look = evidence.decisive_look
    remains = any(minute.canary.requests for minute in rollout.minutes)
    if look is not None and look.canary_requests and not remains:
        return NoReplay("CloudWatch no longer has the metrics that the judge read")
    probe = _probe_of(look.probe, look.reason) if look is not None else Probe("passed", "not recorded")
    rules = Rules(minimum_requests=settings.minimum_requests, inconclusive=settings.inconclusive)
    bake_over = at >= last_word_at(deployment, settings)
    judgement = judge(rollout, probe, rules, bake_over=bake_over)
    return Replay(at, rollout, probe, rules, bake_over, settings, judgement)


def _probe_of(outcome: Any, reason: str) -> Probe:
    """The golden requests of a look. Of what they returned, its log holds what decided."""
    detail = reason.removeprefix(_FAILED_PROBE) if reason.startswith(_FAILED_PROBE) else "as logged"
    return Probe(outcome, detail)


def disagreement(evidence: ReleaseEvidence, done: Replay) -> str | None:
    """How the replay differs from what the judge logged, in words; None if it does not."""
    look = evidence.decisive_look
    if look is None:
        return None
    now = done.judgement
    logged = f"{look.verdict}, evidence {look.evidence:,.4g} to 1, {look.canary_requests} requests on the canary"
    again = f"{now.verdict}, evidence {now.evidence:,.4g} to 1, {now.canary_requests} requests on the canary"
    same_verdict = look.verdict == now.verdict
    same_numbers = (
        math.isclose(look.evidence, now.evidence, rel_tol=_ROUNDING)
        and look.canary_requests == now.canary_requests
    )
    return None if same_verdict and same_numbers else f"the judge logged: {logged}; the replay has: {again}"


def first_look(matches: Callable[[int], bool], most: int) -> int | None:
    """The smallest number from 1 to ``most`` for which ``matches`` holds, if it holds from there on; None if it
    does not hold for ``most``."""
    if most < 1 or not matches(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if matches(middle) else (middle, high)
    return high


def rolls_back(judgement: Judgement) -> bool:
    return judgement.verdict is Verdict.ROLL_BACK
