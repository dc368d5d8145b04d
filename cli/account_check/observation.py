"""What a check observed of one reading, with its evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from serinus.offline.core.readings import Readings, Seconds


@dataclass(frozen=True, slots=True)
class Observation:
    """``value`` is what a file of readings holds; None if it was not observed, for the reason in ``evidence``.
    ``at`` is the cloud's time in epoch seconds."""

    reading: str
    value: str | None
    evidence: tuple[str, ...]
    at: float

    def __post_init__(self) -> None:
        if self.value is not None:
            Readings.parse(self.reading, self.value)


def seconds_text(samples: Iterable[float], resolution_s: float) -> str:
    """A reading's value for measured durations: one number if they differ by at most ``resolution_s``, else
    lowest..highest. Durations below the resolution count as none."""
    durations = [0.0 if sample <= resolution_s else min(sample, 3600.0) for sample in samples]
    low, high = min(durations), max(durations)
    if high - low <= resolution_s:
        return str(Seconds(round(high, 1), round(high, 1)))
    return str(Seconds(round(low, 1), round(high, 1)))


def clock_text(epoch_s: float) -> str:
    """A time as reports show it."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%H:%M:%S")


def durations_text(samples: Iterable[float]) -> str:
    """Measured durations in order: "0.4, 1.2, 3.0 s"."""
    return ", ".join(f"{sample:.1f}" for sample in sorted(samples)) + " s"
