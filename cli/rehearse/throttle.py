"""Slows cloud time down while this machine is too busy to keep up with it.

What functions compute takes real time. At sixty cloud seconds a second, a second that another program takes away
from the judge is a minute without a verdict, and would be held against the release.
"""

import time

from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.traffic import MOST_AT_ONCE, Traffic

#: Requests under way at which the machine is busy, and below which it is not.
BUSY, CALM = MOST_AT_ONCE // 2, MOST_AT_ONCE // 8
#: Real seconds without being busy after which time runs as ordered again.
CALM_S = 0.5
_BUSY_SHARE_OF_SPEED = 0.25


class Pace:
    """Keeps the speed of ``clock`` at ``ordered``, and at a quarter of it while ``traffic`` is held up."""

    def __init__(self, clock: CloudTime, traffic: Traffic, ordered: float) -> None:
        self._slowed_s = 0.0
        self._clock, self._traffic, self._ordered = clock, traffic, ordered
        self._slow_since: float | None = None
        self._busy_at = 0.0

    @property
    def slowed_s(self) -> float:
        """Real seconds for which time ran slower than ordered, up to now."""
        return self._slowed_s + (0.0 if self._slow_since is None else time.monotonic() - self._slow_since)

    def keep(self) -> None:
        """Look at the traffic and change the speed if need be."""
        now = time.monotonic()
        if self._traffic.under_way > BUSY:
            self._busy_at = now
            if self._slow_since is None:
                self._slow_since = now
                self._clock.set_speed(max(1.0, self._ordered * _BUSY_SHARE_OF_SPEED))
        elif self._traffic.under_way > CALM:
            self._busy_at = max(self._busy_at, now - CALM_S / 2)
        if self._slow_since is not None and now - self._busy_at >= CALM_S:
            self._slowed_s, self._slow_since = self.slowed_s, None
            self._clock.set_speed(self._ordered)
