"""Measures how long each stage of the work takes, for provenance and result."""

import time

from serinus.modelpack.progress import Progress

#: Parts of shorter stages are not shown.
_LONG_S = 1.0


class Stopwatch:
    """Forwards progress, and records the seconds of each stage and all notices."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun = self._last = time.perf_counter()
        self._stage: str | None = None
        self.seconds: dict[str, float] = {}
        self.notices: list[str] = []

    def stage(self, name: str) -> None:
        self._close()
        self._stage = name
        self._progress.stage(name)

    def part(self, name: str) -> None:
        """A part of the stage begins, which is shown where the stage is a long one."""
        if self._stage is not None and time.perf_counter() - self._last > _LONG_S:
            self._progress.stage(f"{self._stage}: {name}")

    def notice(self, message: str) -> None:
        if message not in self.notices:
            self.notices.append(message)
            self._progress.notice(message)

    def stop(self) -> dict[str, float]:
        """Seconds by stage, and in `total`."""
        self._close()
        return self.seconds | {"total": round(time.perf_counter() - self._begun, 3)}

    def _close(self) -> None:
        now = time.perf_counter()
        if self._stage is not None:
            self.seconds[self._stage] = round(now - self._last, 3)
        self._last, self._stage = now, None
