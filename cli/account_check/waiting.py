"""Waiting for something to happen in a cloud: by sleeping on AWS, by skipping time in an offline cloud."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from serinus.cli.errors import CliError
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.target import CloudTarget

Result = TypeVar("Result")

#: Real seconds between two looks at what this machine does, such as the CDK CLI at work.
_LOOK_EVERY_S = 0.1
#: The share of the time that a wait has taken by which its looks are apart, so that long waits cost few calls.
_RELATIVE_RESOLUTION = 0.02


class CheckClock(Protocol):
    """The cloud's time."""

    def now(self) -> float:
        """Epoch seconds."""

    def pass_time(self, seconds: float) -> None:
        """Let cloud time pass."""

    def work(self, seconds: float) -> None:
        """Let a program on this machine work; at most ``seconds`` pass."""


class RealClock:
    """AWS's time."""

    def now(self) -> float:
        return time.time()

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)

    def work(self, seconds: float) -> None:
        time.sleep(seconds)


class SkippingClock:
    """An offline cloud's time, of which what nothing happens in is skipped."""

    def __init__(self, clock: CloudTime) -> None:
        self._clock = clock

    def now(self) -> float:
        self._clock.keep_in_step()
        return self._clock.now()

    def pass_time(self, seconds: float) -> None:
        until = self.now() + seconds
        self._clock.skip_to(until)
        if self._clock.now() < until:  # something is at work
            time.sleep(_LOOK_EVERY_S)

    def work(self, seconds: float) -> None:
        time.sleep(min(seconds, _LOOK_EVERY_S))


def clock_of(target: CloudTarget) -> CheckClock:
    """The clock of ``target``."""
    return RealClock() if target.cloud is None else SkippingClock(CloudTime(target.cloud.own_api()))


class Waiting:
    """Waits on ``clock``; ``on_step`` is called at every look, and each of ``watchers`` until it returns True."""

    def __init__(self, clock: CheckClock, on_step: Callable[[str], None]) -> None:
        self.clock = clock
        self.watchers: list[Callable[[], bool]] = []
        self._on_step = on_step

    def until(
        self,
        condition: Callable[[], Result | None],
        timeout_s: float,
        *,
        every_s: float = 1.0,
        working: Callable[[], bool] = lambda: False,
        what: str = "",
    ) -> Result | None:
        """The first result of ``condition`` but None and False; None after ``timeout_s`` cloud seconds. Looks are
        ``every_s`` apart at first. Time is not skipped while ``working()``; ``what`` names the wait."""
        began = self.clock.now()
        while True:
            result = condition()
            if result is not None and result is not False:
                return result
            self.watchers = [watch for watch in self.watchers if not watch()]
            waited_s = self.clock.now() - began
            if waited_s >= timeout_s:
                return None
            if what:
                self._on_step(f"wait for {what}")
            pause_s = min(max(every_s, waited_s * _RELATIVE_RESOLUTION), timeout_s - waited_s)
            if working():
                self.clock.work(pause_s)
            else:
                self.clock.pass_time(pause_s)

    def required(
        self,
        condition: Callable[[], Result | None],
        timeout_s: float,
        *,
        what: str,
        every_s: float = 1.0,
        working: Callable[[], bool] = lambda: False,
    ) -> Result:
        """As `until`; raises `CliError` after ``timeout_s``."""
        result = self.until(condition, timeout_s, every_s=every_s, working=working, what=what)
        if result is None:
            raise CliError(f"{what} did not happen within {timeout_s / 60:.0f} minutes")
        return result

    def pass_time(self, seconds: float, *, every_s: float = 5.0) -> None:
        """Let ``seconds`` pass, with watchers."""
        self.until(lambda: None, seconds, every_s=every_s)
