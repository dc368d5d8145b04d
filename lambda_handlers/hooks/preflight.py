"""The check before a version gets traffic: golden set, time, identity, and a signature that callers can use."""

import time

from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.hooks.acceptance import probe_acceptance
from serinus.lambda_handlers.hooks.compatibility import breaking_changes
from serinus.lambda_handlers.hooks.errors import NoResponse, NotReady, Throttled
from serinus.lambda_handlers.hooks.outcome import Outcome
from serinus.lambda_handlers.hooks.probe import (
    PAUSE_S,
    Expectation,
    Probe,
    TimeLimits,
    limit_of,
    probe_until,
)
from serinus.lambda_handlers.hooks.second_start import start_again
from serinus.lambda_handlers.hooks.settings import Settings
from serinus.lambda_handlers.hooks.version import Version

#: Seconds kept of the hook's own time limit, in which it must still report.
RESERVE_S = 10.0


def check(
    new: Version, live: Version | None, expected: Expectation, settings: Settings, *, remaining_s: float
) -> Outcome:
    """Check ``new`` within ``remaining_s`` seconds; ``live`` is None on a first deployment."""
    deadline = time.monotonic() + remaining_s - RESERVE_S
    rows, limits = settings.rows_per_request, TimeLimits(settings.warm_limit_ms, settings.cold_limit_ms)
    total = len(expected.golden.rows)
    for start in range(0, total, rows):
        probe = _probe_until_allowed(new, expected.slice(start, min(rows, total - start)), limits, deadline)
        if not probe.passed:
            return Outcome(False, probe.detail)
    agreed = f"version {new.qualifier} agrees with the source model on {total} golden rows"
    acceptance = expected.golden.acceptance
    if acceptance is not None:
        accepted = probe_acceptance(new, expected, acceptance, rows, deadline)
        if not accepted.passed:
            return Outcome(False, accepted.detail)
        agreed = f"{agreed}, and {accepted.detail}"
    if live is None:
        return Outcome(True, agreed)
    try:
        changes = breaking_changes(_describe(live, deadline), expected.manifest.signature)
    except (NoResponse, ContractError, KeyError, TypeError) as error:
        # A live version that cannot even describe itself must not keep its fix from being released.
        return Outcome(True, agreed, (f"the signature was not compared with the live version's: {error}",))
    if changes and not settings.allow_breaking:
        listed = "; ".join(changes)
        return Outcome(False, f"the signature breaks callers: {listed}. Set allow_breaking to release it anyway.")
    return Outcome(True, agreed, tuple(changes))


def _probe_until_allowed(version: Version, expected: Expectation, limits: TimeLimits, deadline: float) -> Probe:
    """Probe until Lambda no longer throttles and is ready; fails once the time is up, or if two cold starts of the
    version take too long."""
    probe = probe_until(version, expected, limits, deadline)
    if probe.late_start:
        second = start_again(version, expected)
        if second is None or second.duration_ms > limit_of(second, limits):
            more = "no second one was seen" if second is None else f"the second took {second.duration_ms:,.0f} ms"
            return Probe("failed", f"{probe.detail}, and {more}")
        # Its time has been measured; its response is compared like any other.
        probe = probe_until(version, expected, TimeLimits(limits.warm_ms), deadline)
    if probe.outcome == "unknown" or probe.not_ready:
        return Probe("failed", f"the time for the check is up: {probe.detail}")
    return probe


def _describe(version: Version, deadline: float) -> Signature:
    """The signature that a version reports."""
    while True:
        try:
            return Signature.from_json(version.get("/model").data()["signature"])
        except (NotReady, Throttled):
            if time.monotonic() + PAUSE_S > deadline:
                raise
            time.sleep(PAUSE_S)
