"""The verdict on a canary: promote, roll back, or not enough evidence, with the reason in words and numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from serinus.lambda_handlers.contract.release import MINIMUM_REQUESTS, Inconclusive, Verdict
from serinus.lambda_handlers.hooks.capital import accumulate
from serinus.lambda_handlers.hooks.dispersion import overdispersion
from serinus.lambda_handlers.hooks.evidence import upper_bound
from serinus.lambda_handlers.hooks.judgement import Finding, Judgement
from serinus.lambda_handlers.hooks.probe import Probe
from serinus.lambda_handlers.hooks.rollout_window import Rollout
from serinus.lambda_handlers.hooks.signal_report import Totals, add_up, bounded_exp, report_signals


@dataclass(frozen=True, slots=True)
class Rules:
    """``alpha``: chance, over a whole rollout, of rolling back a canary that does not differ from the stable.
    ``minimum_requests``: live canary requests before evidence counts. ``error_margin``: a canary is promoted once
    its error share is known to exceed the stable's by less than this."""

    alpha: float = 0.05
    minimum_requests: int = MINIMUM_REQUESTS
    error_margin: float = 0.05
    inconclusive: Inconclusive = Inconclusive.PROMOTE


def judge(rollout: Rollout, probe: Probe, rules: Rules, *, bake_over: bool) -> Judgement:
    """The verdict on the live traffic of ``rollout`` and on the newest ``probe``.

    Evidence that once sufficed still does, whatever later minutes bring. With ``bake_over``, ``rules`` decide a
    release without enough evidence.
    """
    capital = accumulate(rollout)
    decided = capital.first_at(math.log(1 / rules.alpha), rollout.minutes, rules.minimum_requests)
    last = len(capital.ends) - 1 if decided is None else decided
    totals = add_up(rollout.minutes if decided is None else rollout.minutes[: capital.ends[decided]])
    findings = report_signals(capital, totals, last)
    evidence = bounded_exp(float(capital.total[last])) if capital.ends else 1.0
    bound = _error_bound(rollout, totals, rules)
    if probe.failed:
        verdict, reason = Verdict.ROLL_BACK, f"golden requests failed: {probe.detail}"
    elif decided is not None:
        verdict, reason = Verdict.ROLL_BACK, _rollback_reason(findings, totals, evidence, rules)
    else:
        verdict, reason = _weigh_evidence(totals, bound, rules)
    if bake_over and verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        verdict, reason = _decide_without_evidence(reason, probe, rules)
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


def _error_bound(rollout: Rollout, totals: Totals, rules: Rules) -> float:
    """The canary's error share is below this, with chance 1 - alpha at every look at once. Errors that come in
    clumps count as fewer: as many as vary like independent ones."""
    beside = () if rollout.switched else tuple(minute.stable for minute in rollout.minutes)
    observed = [*rollout.history, *beside]
    factor = overdispersion([(minute.requests, minute.errors) for minute in observed], 1)
    return upper_bound(totals.canary.errors / factor, totals.canary.requests / factor, rules.alpha)


def _rollback_reason(findings: Sequence[Finding], totals: Totals, evidence: float, rules: Rules) -> str:
    worst = max(findings, key=lambda finding: finding.evidence)
    return (
        f"{worst}, in {totals.canary.requests} and {totals.stable.requests} live requests "
        f"(evidence {evidence:,.0f} to 1; {1 / rules.alpha:,.0f} to 1 decides)"
    )


def _weigh_evidence(totals: Totals, bound: float, rules: Rules) -> tuple[Verdict, str]:
    """Without evidence of harm: promote if there is enough evidence of its absence."""
    requests, stable = totals.canary.requests, totals.stable
    allowed = rules.error_margin + 1 - upper_bound(stable.requests - stable.errors, stable.requests, rules.alpha)
    if requests < rules.minimum_requests:
        reason = f"{requests} live requests on the canary; at least {rules.minimum_requests} are required"
        return Verdict.NOT_ENOUGH_EVIDENCE, reason
    if bound > allowed:
        reason = (
            f"no sign of harm in {requests} live requests on the canary, but too few to show that less than "
            f"{allowed:.1%} fail (up to {bound:.1%} may)"
        )
        return Verdict.NOT_ENOUGH_EVIDENCE, reason
    return (
        Verdict.PROMOTE,
        f"no sign of harm in {requests} live requests on the canary; less than {bound:.1%} fail",
    )


def _decide_without_evidence(reason: str, probe: Probe, rules: Rules) -> tuple[Verdict, str]:
    """The verdict at the end of a bake without enough evidence."""
    setting = f'`on_not_enough_evidence = "{rules.inconclusive}"`'
    lacking = "not enough evidence by the end of the bake"
    if rules.inconclusive is Inconclusive.ROLL_BACK:
        return Verdict.ROLL_BACK, f"{lacking}; rolled back because {setting}: {reason}"
    if not probe.passed:
        return (
            Verdict.ROLL_BACK,
            f"{lacking}; rolled back because Lambda throttled the golden requests: {reason}; {probe.detail}",
        )
    promoted = f"promoted because {setting} and the golden requests passed"
    return Verdict.NOT_ENOUGH_EVIDENCE, f"{lacking}; {promoted}: {reason}"
