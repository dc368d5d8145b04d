"""Reasons of alarm states, in CloudWatch's words and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serinus.offline.services.cloudwatch.alarms import compact_json, timestamp
from serinus.offline.services.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, Outcome
from serinus.offline.services.cloudwatch.metric_alarm import Watch

COMPARED = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True, slots=True)
class Point:
    """A period of the evaluation range: its start, its value (None: missing) and its sample count."""

    at: int
    value: float | None
    samples: float | None = None


def reason(watch: Watch, points: Sequence[Point], outcome: Outcome) -> str:
    """The StateReason for ``outcome``; ``points`` are the evaluation range, oldest first."""
    if outcome.state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {_count(outcome.filled, 'datapoint')} {_was(outcome.filled)} unknown."
    treated = _treated(watch, outcome.filled)
    if outcome.real == 0:
        return f"Threshold Crossed: no datapoints were received for {_count(watch.periods, 'period')}{treated}."
    real = [(point.at, point.value) for point in points if point.value is not None][-outcome.real :]
    alarmed = outcome.state == ALARM
    telling = [(at, value) for at, value in reversed(real) if watch.breaches(value) == alarmed] or real[::-1]
    listed = ", ".join(f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, value in telling)
    needed = watch.to_alarm if alarmed else watch.periods - watch.to_alarm + 1
    transition = "OK -> ALARM" if alarmed else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(telling)} out of the last {len(real)} datapoints [{listed}] "
        f"{_was(len(telling))} {'' if watch.breaches(telling[0][1]) else 'not '}{COMPARED[watch.operator]} "
        f"the threshold ({watch.threshold}){treated} "
        f"(minimum {_count(needed, 'datapoint')} for {transition} transition)."
    )


def reason_data(watch: Watch, points: Sequence[Point], now: float) -> str:
    """The StateReasonData, as JSON text."""
    real = [point for point in points if point.value is not None][-watch.periods :]
    data: dict[str, Any] = {"version": "1.0", "queryDate": timestamp(now)}
    if real:
        data["startDate"] = timestamp(real[0].at)
    if watch.unit:
        data["unit"] = watch.unit
    if watch.statistic:
        data["statistic"] = watch.statistic
    data |= {
        "period": watch.period_s,
        "recentDatapoints": [point.value for point in real],
        "threshold": watch.threshold,
        "evaluatedDatapoints": [_evaluated(point) for point in reversed(points[-watch.periods :])],
    }
    return compact_json(data)


def _evaluated(point: Point) -> dict[str, Any]:
    shown: dict[str, Any] = {"timestamp": timestamp(point.at)}
    if point.samples is not None:
        shown["sampleCount"] = point.samples
    if point.value is not None:
        shown["value"] = point.value
    return shown


def _treated(watch: Watch, filled: int) -> str:
    if not filled or watch.missing not in TREATED:
        return ""
    noun = "datapoint was" if filled == 1 else "datapoints were"
    return f" and {filled} missing {noun} treated as [{TREATED[watch.missing]}]"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
