"""A rollout's live traffic, counted minute by minute: the judge's whole state, read anew at every look."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from serinus.lambda_handlers.contract.signals import PREDICTION_BINS
from serinus.lambda_handlers.hooks.evidence import Block


@dataclass(frozen=True, slots=True)
class VersionMinute:
    """One version's live requests in one minute.

    ``errors`` counts handled 5xx responses and ``crashes``, ``rejected`` 4xx responses of validation,
    ``non_finite`` responses with NaN or infinite rows, ``slow`` durations above the rollout's threshold.
    Durations exclude init; ``slow_inits`` of ``inits`` are counted separately. ``first`` counts first responses
    of environments, whether a caller waited for init or not. ``predictions`` counts requests by the bin of their
    first row's prediction. ``invocations``, which ``slow`` are of, come from Lambda's metrics, all else but
    crashes from the function's own: one set may be visible before the other.
    """

    requests: int = 0
    errors: int = 0
    rejected: int = 0
    non_finite: int = 0
    slow: int = 0
    inits: int = 0
    slow_inits: int = 0
    predictions: tuple[int, ...] = (0,) * PREDICTION_BINS
    first: int = 0
    invocations: int = 0
    crashes: int = 0

    @classmethod
    def total(cls, minutes: Iterable["VersionMinute"]) -> "VersionMinute":
        """All of ``minutes`` as one."""
        counted = list(minutes)
        names = [field.name for field in fields(cls) if field.name != "predictions"]
        bins = tuple(sum(minute.predictions[index] for minute in counted) for index in range(PREDICTION_BINS))
        return cls(**{name: sum(getattr(minute, name) for minute in counted) for name in names}, predictions=bins)


@dataclass(frozen=True, slots=True)
class Minute:
    """Both versions in one minute, or in several that were merged; ``start`` in seconds since 1970. After a switch
    at once, ``stable`` holds the minutes of the stable version before it that this minute of the canary is
    compared with. ``share`` of requests are due to the canary, the same in all minutes of one ``step``.
    ``young``: the canary's code is new to Lambda."""

    start: float
    canary: VersionMinute
    stable: VersionMinute
    step: int = 0
    share: float = 0.1
    young: bool = False

    def block(self, event: str) -> Block:
        """The two-by-two table of ``event``, the name of one of `VersionMinute`'s counts.

        More of the canary's environments are new than of the stable's, and an environment's first response is
        often slow: all first responses of the canary count as slow for that reason.
        """
        canary, stable = self.canary, self.stable
        if event == "slow":
            return Block(
                canary=max(canary.requests, canary.invocations),
                canary_events=max(0, canary.slow - canary.first),
                stable=max(stable.requests, stable.invocations),
                stable_events=stable.slow,
            )
        return Block(canary.requests, getattr(canary, event), stable.requests, getattr(stable, event))

    def init_block(self) -> Block:
        """Cold starts, and how many of them were slow."""
        canary, stable = self.canary, self.stable
        return Block(canary.inits, canary.slow_inits, stable.inits, stable.slow_inits)

    def prediction_block(self, index: int) -> Block:
        """Requests whose prediction fell into bin ``index``, among those that had one."""
        canary, stable = self.canary.predictions, self.stable.predictions
        return Block(sum(canary), canary[index], sum(stable), stable[index])
