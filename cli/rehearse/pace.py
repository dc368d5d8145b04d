"""How cloud time passes in a rehearsal: a factor faster than real time, or skipping what nothing happens in."""

import time
from collections.abc import Callable
from typing import Protocol

from serinus.cli.rehearse.batches import BatchTraffic
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.throttle import SpeedThrottle
from serinus.cli.rehearse.traffic import Load, RequestResult, Traffic

#: Real seconds of traffic before the release, so that there is something to compare with.
LEAD_IN_S = 1.0
#: Cloud seconds of it if time is skipped: as long as CDK takes to begin a release at 60 cloud seconds a second.
STEPPED_LEAD_IN_S = 300.0
#: Cloud seconds from one batch of requests to the next, and after the full minute: steps of a release and the
#: judge's minutes begin with one or soon after.
BATCH_EVERY_S, BATCH_OFFSET_S = 15.0, 5.0
_LOOK_EVERY_S = 0.05


class SentTraffic(Protocol):
    """Requests that are being sent."""

    unsent: int
    under_way: int

    @property
    def results(self) -> list[RequestResult]: ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """End it; returns when no request is under way."""


class Pace(Protocol):
    """Lets cloud time pass, with traffic. ``window_s`` are the cloud seconds that figures of the moment cover."""

    clock: CloudTime
    window_s: float
    lead_in_s: float

    @property
    def traffic(self) -> SentTraffic: ...

    @property
    def slowed_s(self) -> float:
        """Real seconds for which cloud time ran slower than requested."""

    def wait(self) -> None:
        """Let a little time pass."""

    def skip(self) -> None:
        """Let a little time pass; if time is skipped, up to the next batch of requests."""


class RealTimePace:
    """Cloud time runs ``speed`` times as fast as real time; ``load`` is sent in real time."""

    def __init__(self, clock: CloudTime, load: Load, speed: float) -> None:
        clock.set_speed(speed)
        self.clock = clock
        self.window_s, self.lead_in_s = 2.0 * speed, LEAD_IN_S * speed
        self.traffic = Traffic(load, clock)
        self._throttle = SpeedThrottle(clock, self.traffic, speed)

    @property
    def slowed_s(self) -> float:
        return self._throttle.slowed_s

    def wait(self) -> None:
        time.sleep(_LOOK_EVERY_S)
        self._throttle.adjust()

    def skip(self) -> None:
        self.wait()


class SteppedPace:
    """Cloud time is real time while anything is at work, and is skipped otherwise; ``load`` is sent in batches."""

    slowed_s = 0.0

    def __init__(self, clock: CloudTime, load: Load) -> None:
        self.clock = clock
        self.window_s, self.lead_in_s = 60.0, STEPPED_LEAD_IN_S
        self.traffic = BatchTraffic(load, clock)

    def wait(self) -> None:
        time.sleep(_LOOK_EVERY_S)
        self.traffic.send_due()

    def skip(self) -> None:
        batch = (self.clock.now() - BATCH_OFFSET_S) // BATCH_EVERY_S + 1
        self.clock.skip_to(batch * BATCH_EVERY_S + BATCH_OFFSET_S)
        self.traffic.send_due()


def pass_time(pace: Pace, cloud_s: float, poll: Callable[[], None] = lambda: None) -> None:
    """Let ``cloud_s`` cloud seconds pass, with polls."""
    until = pace.clock.now() + cloud_s
    while pace.clock.now() < until:
        pace.skip()
        poll()
