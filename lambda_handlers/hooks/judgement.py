"""The judge's verdict and its reasons, apart from their computation: publishing a judgement needs no NumPy."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from serinus.lambda_handlers.contract.release import Verdict

WORDS = {
    "errors": "errors",
    "rejected": "rejected inputs",
    "non_finite": "non-finite predictions",
    "slow": "slow responses",
    "slow_inits": "slow cold starts",
    "predictions": "a different distribution of predictions",
}
UNITS = {"slow_inits": "cold starts", "predictions": "predictions (in the bin that moved most)"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One signal: both versions' share of their requests (of cold starts, of predictions; None without any), and
    the factor by which the signal's capital grew."""

    signal: str
    canary_share: float | None
    stable_share: float | None
    evidence: float

    def __str__(self) -> str:
        shares = f"{_percent(self.canary_share)} of the canary's {UNITS.get(self.signal, 'requests')}"
        against = (
            "" if self.stable_share is None else f" against {_percent(self.stable_share)} of the stable version's"
        )
        return f"{WORDS[self.signal]}: {shares}{against}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason. ``evidence`` is the capital, which rolls back at ``decides_at``;
    ``error_share_below`` bounds the canary's error share with chance 1 - alpha at every look at once."""

    verdict: Verdict
    reason: str
    canary_requests: int = 0
    stable_requests: int = 0
    evidence: float = 1.0
    decides_at: float = 1.0
    error_share_below: float = 1.0
    probe: str = "unknown"
    findings: tuple[Finding, ...] = ()

    @classmethod
    def unobserved(cls, reason: str) -> Self:
        """Roll back: a version that cannot be observed is not promoted."""
        return cls(Verdict.ROLL_BACK, reason)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"
