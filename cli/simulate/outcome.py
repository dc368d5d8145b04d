"""Evaluates a simulation: whether each drift was found by its column, and when, and what was reported wrongly."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from serinus.cli.simulate.drift import Drift
from serinus.cli.simulate.record import SimulationRecord


class SimulationOutcome(Enum):
    """How the simulation ended; the value is the exit code."""

    AS_EXPECTED = 0
    NOT_FOUND = 3
    FALSE_ALARM = 4


@dataclass(frozen=True, slots=True)
class DriftFound:
    """``hour`` of the simulation after which ``drift`` was reported by its column, None if it never was;
    ``delay_hours`` since it began; ``alarm_hour`` is when the alarm fired."""

    drift: Drift
    hour: int | None
    alarm_hour: int | None
    text: str = ""

    @property
    def delay_hours(self) -> int | None:
        return None if self.hour is None else self.hour + 1 - 24 * self.drift.day


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """``false_findings`` were reported before any drift began, or of inputs that did not drift."""

    outcome: SimulationOutcome
    drifts: tuple[DriftFound, ...]
    false_findings: tuple[dict[str, Any], ...]
    headline: str
    summary: str


def evaluate(record: SimulationRecord) -> SimulationResult:
    """Predictions may drift because inputs do; such findings are no fault, and none that was asked for."""
    first = min((24 * drift.day for drift in record.drifts), default=24 * record.days + 1)
    drifting = {drift.column for drift in record.drifts}
    wrong: dict[tuple[str, ...], dict[str, Any]] = {}
    for observed in record.hours:
        for finding in observed.findings:
            early = observed.hour < first
            other = finding["role"] == "input" and finding["column"] not in drifting
            if early or other or finding["kind"] in ("coverage", "reference"):
                wrong.setdefault(tuple(finding["identity"]), {**finding, "hour": observed.hour})
    found = tuple(_find(record, drift) for drift in record.drifts)
    missed = [item.drift for item in found if item.hour is None]
    if wrong:
        outcome = SimulationOutcome.FALSE_ALARM
    elif missed:
        outcome = SimulationOutcome.NOT_FOUND
    else:
        outcome = SimulationOutcome.AS_EXPECTED
    return SimulationResult(
        outcome, found, tuple(wrong.values()), _headline(record, outcome), _summary(found, wrong)
    )


def _find(record: SimulationRecord, drift: Drift) -> DriftFound:
    for observed in record.hours:
        for finding in observed.findings:
            if finding["column"] == drift.column and finding["named"] and observed.hour >= 24 * drift.day:
                alarm = next((one.hour for one in record.hours if one.alarm and one.hour >= observed.hour), None)
                return DriftFound(drift, observed.hour, alarm, finding["text"])
    return DriftFound(drift, None, None)


def _headline(record: SimulationRecord, outcome: SimulationOutcome) -> str:
    match outcome:
        case SimulationOutcome.FALSE_ALARM:
            return "false alarm"
        case SimulationOutcome.NOT_FOUND:
            return "drift not found"
        case _:
            return "drift found" if record.drifts else "no alarm"


def _summary(found: tuple[DriftFound, ...], wrong: dict[tuple[str, ...], dict[str, Any]]) -> str:
    sentences = []
    for item in found:
        if item.delay_hours is None:
            sentences.append(f"{item.drift} was not found.")
        else:
            hours = "hour" if item.delay_hours == 1 else "hours"
            sentences.append(f"{item.drift} was found after {item.delay_hours} {hours}: {item.text}.")
    sentences += [
        f"Reported wrongly after hour {finding['hour'] + 1}: {finding['text']}." for finding in wrong.values()
    ]
    return " ".join(sentences) or "Nothing was reported."
