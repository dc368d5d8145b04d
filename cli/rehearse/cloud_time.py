"""Cloud time outside the cloud: read now and then, and extrapolated at the cloud's speed."""

import time
from dataclasses import dataclass

from serinus.offline.client.own_api import OwnApi


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Cloud time was ``epoch_s`` when the monotonic clock showed ``at_s``; it runs ``speed`` times as fast."""

    epoch_s: float
    at_s: float
    speed: float


class CloudTime:
    """The time of the offline cloud whose own API this is, exact to half the duration of reading it."""

    def __init__(self, api: OwnApi) -> None:
        self._api = api
        self._held_before_s = 0.0
        self._latest = 0.0
        self._anchor = self._read(None)
        self._held_before_s = self._held_s

    @property
    def speed(self) -> float:
        """Cloud seconds per real second."""
        return self._anchor.speed

    @property
    def held_s(self) -> float:
        """Real seconds that cloud time has lost since the beginning, because it waited for functions."""
        return self._held_s - self._held_before_s

    def now(self) -> float:
        """Cloud time in epoch seconds; never earlier than before."""
        anchor = self._anchor
        self._latest = max(self._latest, anchor.epoch_s + (time.monotonic() - anchor.at_s) * anchor.speed)
        return self._latest

    def keep_in_step(self) -> None:
        """Read it again: the cloud's clock waits for functions that this machine is slow to run."""
        self._anchor = self._read(None)

    def set_speed(self, speed: float) -> None:
        """Let cloud time run at ``speed`` from now on."""
        self._anchor = self._read(speed)

    def skip_to(self, epoch_s: float) -> None:
        """Skip ahead to this cloud time as far as nothing happens; returns after a few real seconds at most."""
        clock = self._call({"skip_to": epoch_s})
        self._anchor = ClockReading(clock["epoch_s"], time.monotonic(), clock["factor"])

    def _read(self, speed: float | None) -> ClockReading:
        before = time.monotonic()
        clock = self._call(None if speed is None else {"factor": speed})
        return ClockReading(clock["epoch_s"], (before + time.monotonic()) / 2, clock["factor"])

    def _call(self, command: dict[str, float] | None) -> dict[str, float]:
        response = self._api.get("/clock") if command is None else self._api.post("/clock", command)
        clock: dict[str, float] = response.raise_for_status().json()
        self._held_s = clock["held_s"]
        return clock
