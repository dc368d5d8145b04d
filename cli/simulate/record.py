"""What a simulation observed, hour by hour."""

from dataclasses import dataclass, field
from typing import Any

from serinus.cli.simulate.drift import Drift


@dataclass(frozen=True, slots=True)
class HourObserved:
    """The monitor's report after ``hour`` of the simulation: evidence of each clock as a share of that at which it
    alarms, the findings that stand, and whether the alarm on them fires."""

    hour: int
    rows: int
    evidence: dict[str, float]
    findings: tuple[dict[str, Any], ...]
    alarm: bool


@dataclass(slots=True)
class SimulationRecord:
    """``report`` is the monitor's last; ``seconds`` are real ones. ``rows_per_hour`` is None for a table that was
    replayed."""

    endpoint: str
    environment: str
    days: int
    rows_per_hour: int | None
    drifts: tuple[Drift, ...]
    conditions: tuple[str, ...]
    hours: list[HourObserved] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    failed_requests: int = 0
    sent_rows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
