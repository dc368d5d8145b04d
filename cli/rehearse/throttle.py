"""Slows cloud time down while this machine is too busy to keep up with it.

Functions compute in real time. At sixty cloud seconds per second, a real second without CPU for the judge is a
minute without a verdict, which would count against the release.
"""

import time

from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.traffic import MOST_AT_ONCE, Traffic

#: Requests under way at which the machine is busy, and below which it is not.
BUSY, CALM = MOST_AT_ONCE // 2, MOST_AT_ONCE // 8
#: Real seconds without being busy after which the requested speed is restored.
CALM_S = 0.5
_BUSY_SHARE_OF_SPEED = 0.25


class SpeedThrottle:
    """Keeps the speed of ``clock`` as ``requested``, or at a quarter of it while this machine is too busy."""

    def __init__(self, clock: CloudTime, traffic: Traffic, requested: float) -> None:
        self._slowed_s = 0.0
        self._clock, self._traffic, self._requested = clock, traffic, requested
        self._slow_since: float | None = None
        self._busy_at = 0.0

    @property
    def slowed_s(self) -> float:
        """Real seconds for which cloud time ran slower than requested, up to now."""
        return self._slowed_s + (0.0 if self._slow_since is None else time.monotonic() - self._slow_since)

    def adjust(self) -> None:
        """Adjust the speed to the traffic."""
        now = time.monotonic()
        if self._traffic.under_way > BUSY:
            self._busy_at = now
            if self._slow_since is None:
                self._slow_since = now
                self._clock.set_speed(max(1.0, self._requested * _BUSY_SHARE_OF_SPEED))
        elif self._traffic.under_way > CALM:
            self._busy_at = max(self._busy_at, now - CALM_S / 2)
        if self._slow_since is not None and now - self._busy_at >= CALM_S:
            self._slowed_s, self._slow_since = self.slowed_s, None
            self._clock.set_speed(self._requested)
