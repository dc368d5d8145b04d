"""Cloud time as seen from outside the cloud: asked now and then, and counted along at the cloud's speed."""

import time
from dataclasses import dataclass

from serinus.offline.client.own_api import OwnApi


@dataclass(frozen=True, slots=True)
class Anchor:
    """Cloud time was ``epoch_s`` when the monotonic clock showed ``at_s``; it runs ``speed`` times as fast."""

    epoch_s: float
    at_s: float
    speed: float


class CloudTime:
    """The time of the offline cloud whose own API this is, right up to half of what asking for it took."""

    def __init__(self, api: OwnApi) -> None:
        self._api = api
        self._held_before_s = 0.0
        self._latest = 0.0
        self._anchor = self._ask(None)
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
        """Cloud time in epoch seconds; never earlier than told before."""
        anchor = self._anchor
        self._latest = max(self._latest, anchor.epoch_s + (time.monotonic() - anchor.at_s) * anchor.speed)
        return self._latest

    def keep_in_step(self) -> None:
        """Ask again: the cloud's clock waits for functions that this machine is slow to run."""
        self._anchor = self._ask(None)

    def set_speed(self, speed: float) -> None:
        """Let cloud time run at ``speed`` from now on."""
        self._anchor = self._ask(speed)

    def _ask(self, speed: float | None) -> Anchor:
        before = time.monotonic()
        answer = self._api.get("/clock") if speed is None else self._api.post("/clock", {"factor": speed})
        told = answer.raise_for_status().json()
        self._held_s: float = told["held_s"]
        return Anchor(told["epoch_s"], (before + time.monotonic()) / 2, told["factor"])
