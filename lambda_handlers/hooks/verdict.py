"""The verdict on a canary: promote, roll back, or not enough evidence, with the reason in words and numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from serinus.lambda_handlers.contract.release import Inconclusive, Verdict
from serinus.lambda_handlers.hooks.capital import settle
from serinus.lambda_handlers.hooks.evidence import upper_bound
from serinus.lambda_handlers.hooks.judgement import Finding, Judgement
from serinus.lambda_handlers.hooks.observations import Minute
from serinus.lambda_handlers.hooks.probe import Probe
from serinus.lambda_handlers.hooks.signal_report import Totals, add_up, find, plain


@dataclass(frozen=True, slots=True)
class Rules:
    """``alpha``: chance, over a whole rollout, of rolling back a canary without a difference.
    ``minimum_requests``: live canary requests before evidence counts. ``error_margin``: promoted once the canary's
    error share is known to lie less than this above the stable's."""

    alpha: float = 0.05
    minimum_requests: int = 20
    error_margin: float = 0.05
    inconclusive: Inconclusive = Inconclusive.PROMOTE


def judge(minutes: Sequence[Minute], probe: Probe, rules: Rules, *, bake_over: bool) -> Judgement:
    """The verdict on ``minutes`` of live traffic and on the newest ``probe``.

    Evidence that once sufficed still does, whatever later minutes bring. ``bake_over`` settles what not enough
    evidence leads to.
    """
    account = settle(minutes)
    decided = account.first_at(
        math.log(1 / rules.alpha), [minute.canary.requests for minute in minutes], rules.minimum_requests
    )
    last = len(minutes) - 1 if decided is None else decided
    totals = add_up(minutes[: last + 1])
    findings = find(account, totals, last)
    evidence = plain(float(account.total[last])) if minutes else 1.0
    bound = upper_bound(totals.canary.errors, totals.canary.requests, rules.alpha)
    if probe.failed:
        verdict, reason = Verdict.ROLL_BACK, f"golden requests failed: {probe.detail}"
    elif decided is not None:
        verdict, reason = Verdict.ROLL_BACK, _accuse(findings, totals, evidence, rules)
    else:
        verdict, reason = _weigh(totals, bound, rules)
    if bake_over and verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        verdict, reason = _close(reason, probe, rules)
    return Judgement(
        verdict=verdict,
        reason=reason,
        canary_requests=totals.canary.requests,
        stable_requests=totals.stable.requests,
        evidence=evidence,
        decides_at=1 / rules.alpha,
        error_share_below=bound,
        probe=probe.outcome,
        findings=findings,
    )


def _accuse(findings: Sequence[Finding], totals: Totals, evidence: float, rules: Rules) -> str:
    worst = max(findings, key=lambda finding: finding.evidence)
    return (
        f"{worst}, in {totals.canary.requests} and {totals.stable.requests} live requests "
        f"(evidence {evidence:,.0f} to 1; {1 / rules.alpha:,.0f} to 1 decides)"
    )


def _weigh(totals: Totals, bound: float, rules: Rules) -> tuple[Verdict, str]:
    """Without evidence of harm: whether there is enough evidence of its absence."""
    requests, stable = totals.canary.requests, totals.stable
    allowed = rules.error_margin + (stable.errors / stable.requests if stable.requests else 0.0)
    if requests < rules.minimum_requests:
        reason = f"{requests} live requests on the canary; at least {rules.minimum_requests} are needed"
        return Verdict.NOT_ENOUGH_EVIDENCE, reason
    if bound > allowed:
        reason = (
            f"no sign of harm in {requests} live requests on the canary, but too few to say that less than "
            f"{allowed:.1%} fail (it may be up to {bound:.1%})"
        )
        return Verdict.NOT_ENOUGH_EVIDENCE, reason
    return (
        Verdict.PROMOTE,
        f"no sign of harm in {requests} live requests on the canary; less than {bound:.1%} fail",
    )


def _close(reason: str, probe: Probe, rules: Rules) -> tuple[Verdict, str]:
    """What not enough evidence leads to when the bake is over."""
    if rules.inconclusive is Inconclusive.ROLL_BACK:
        return Verdict.ROLL_BACK, f"the bake ends without enough evidence, which rolls back by setting: {reason}"
    if not probe.passed:
        return (
            Verdict.ROLL_BACK,
            f"the bake ends without enough evidence or an answered probe: {reason}; {probe.detail}",
        )
    ending = "the bake ends without enough evidence, which promotes by setting, since the probes passed"
    return Verdict.NOT_ENOUGH_EVIDENCE, f"{ending}: {reason}"
