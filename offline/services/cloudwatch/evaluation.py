"""Evaluates a metric alarm's state from its real and missing data points.

This is AWS's documented algorithm, without any fetching or storing:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An evaluation's result: the state, and the numbers of real and of filled data points."""

    state: str
    real: int
    filled: int


def evaluation_range(evaluation_periods: int) -> int:
    """The number of data points to fetch, so that some may be missing.

    AWS says "a higher number than Evaluation Periods" and gives one example: 5 for 3.
    """
    return evaluation_periods + max(2, evaluation_periods // 3)


def evaluate(
    breaching: Sequence[bool | None], *, periods: int, to_alarm: int, missing: str, current: str
) -> Outcome:
    """The state of an ``to_alarm`` out of ``periods`` alarm.

    ``breaching`` holds for each data point in the evaluation range, oldest first, whether it breaches; None is a
    missing one. ``missing`` is the alarm's TreatMissingData, ``current`` its present state.
    """
    real = [point for point in breaching if point is not None]
    if len(real) >= periods:
        return Outcome(ALARM if sum(real[-periods:]) >= to_alarm else OK, periods, 0)
    filled = periods - len(real)
    state = _with_missing(breaching, sum(real), len(real), filled, to_alarm, missing, current)
    return Outcome(state, len(real), filled)


def _with_missing(
    breaching: Sequence[bool | None],
    bad: int,
    real: int,
    filled: int,
    to_alarm: int,
    missing: str,
    current: str,
) -> str:
    if bad >= to_alarm:
        return ALARM
    if missing == "breaching":
        return ALARM if bad + filled >= to_alarm else OK
    if missing == "notBreaching" or bad < real:
        return OK
    if missing == "ignore":
        return current
    if real == 0:
        return INSUFFICIENT_DATA
    return ALARM if _oldest_age(breaching) >= to_alarm else OK


def _oldest_age(breaching: Sequence[bool | None]) -> int:
    """Age of the oldest real data point, counted in periods with the newest as 1.

    When all real data points breach and are at least as old as Datapoints to Alarm, AWS no longer waits for
    data that might be good (the page's "premature alarm state").
    """
    oldest = next(index for index, point in enumerate(breaching) if point is not None)
    return len(breaching) - oldest
