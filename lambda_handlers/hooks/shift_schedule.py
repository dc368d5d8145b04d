"""Which minutes of a shift compare the versions fairly: those throughout which the alias had the same weights.

Trouble that strikes both versions in a part of a minute is fairly split only by the weights of that part. In a
minute in which the shift begins, or a step adds to it, such trouble would be charged to the wrong version.
"""

import math
from dataclasses import dataclass

from serinus.lambda_handlers.contract.release import Strategy
from serinus.lambda_handlers.hooks.metrics import MINUTE_S
from serinus.lambda_handlers.hooks.observations import Minute
from serinus.lambda_handlers.hooks.settings import Settings

#: CodeDeploy's documentation does not say how punctual its steps are. For so many seconds after one was due, a
#: minute counts only if its requests were split as the weights say.
LATE_S = 180
#: Standard deviations by which a minute's split may differ from the weights'.
DEVIATIONS = 2.0


@dataclass(frozen=True, slots=True)
class ShiftSchedule:
    """A shift that ``began`` (epoch seconds) with ``share`` of requests for the canary; with linear, each
    ``interval_s`` adds as much."""

    began: float
    share: float
    interval_s: float

    @classmethod
    def of(cls, settings: Settings, began: float) -> "ShiftSchedule":
        linear = settings.strategy is Strategy.LINEAR
        return cls(began, settings.share, settings.interval_minutes * MINUTE_S if linear else math.inf)

    def share_at(self, step: int) -> float:
        """The canary's share from step ``step`` on; 0 is the shift's begin."""
        return min(1.0, self.share * (step + 1))

    def fair_step(self, minute: Minute) -> int | None:
        """The step whose weights applied throughout ``minute``; None if they changed, or seem to have changed, in
        it.

        The rule looks at counts of requests alone, never at how they ended: leaving minutes out by it leaves the
        comparison of the others valid.
        """
        step = math.floor((minute.start - self.began) / self.interval_s)
        if minute.start < self.began or self._due(step + 1) < minute.start + MINUTE_S:
            return None
        if minute.start < self._due(step) + LATE_S and not self._split_as_due(minute, step):
            return None
        return step

    def _due(self, step: int) -> float:
        # Without steps the interval is infinite, and 0 times that not a number.
        return self.began + step * self.interval_s if step else self.began

    def _split_as_due(self, minute: Minute, step: int) -> bool:
        share = self.share_at(step)
        requests = minute.canary.requests + minute.stable.requests
        expected, variance = requests * share, requests * share * (1 - share)
        return abs(minute.canary.requests - expected) <= DEVIATIONS * math.sqrt(variance)
