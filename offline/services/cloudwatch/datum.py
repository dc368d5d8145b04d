"""Converts PutMetricData's MetricDatum into samples, checked against AWS's limits.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
"""

import math
from datetime import datetime
from typing import Any

from serinus.offline.services.cloudwatch.base import invalid
from serinus.offline.services.cloudwatch.store import Dimensions, MetricKey, Sample, StatisticSet, dimensions_of
from serinus.offline.services.cloudwatch.units import UNITS

MAX_VALUES = 150
MAX_DIMENSIONS = 30
LARGEST_VALUE = 2.0**360
OLDEST_S = 14 * 86_400
FURTHEST_AHEAD_S = 2 * 3600


def epoch(moment: Any) -> float:
    """A timestamp of a request in epoch seconds."""
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def check_namespace(namespace: str) -> str:
    """The namespace of custom metrics; raises if it is reserved or its length is invalid."""
    if namespace.startswith(("AWS/", ":")) or not 1 <= len(namespace) <= 255:
        raise invalid(f"The value {namespace} for parameter Namespace is invalid.")
    return namespace


def samples_of(namespace: str, datum: dict[str, Any], position: int, now: float) -> list[Sample | StatisticSet]:
    """The samples of a request's ``position``-th MetricDatum, visible now; raises for data that AWS rejects."""
    where = f"MetricData.member.{position}"
    key = MetricKey(namespace, _name(datum, where), _dimensions(datum, where))
    timestamp = _timestamp(datum, where, now)
    resolution_s = datum.get("StorageResolution", 60)
    if resolution_s not in (1, 60):
        raise invalid(f"The value {resolution_s} for parameter {where}.StorageResolution must be 1 or 60.")
    unit = datum.get("Unit", "None")
    if unit not in UNITS:
        raise invalid(f"The value {unit} for parameter {where}.Unit is not a unit of CloudWatch.")
    supplied = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if len(supplied) != 1:
        raise invalid(
            f"{where} must have exactly one of Value, Values and StatisticValues; it has {supplied or 'none'}.",
            "InvalidParameterCombination" if supplied else "MissingParameter",
        )
    if supplied == ["StatisticValues"]:
        numbers = _statistic_set(datum["StatisticValues"], where)
        return [StatisticSet(now, key, unit, timestamp, resolution_s, *numbers)]
    return [
        Sample(now, key, unit, timestamp, resolution_s, value, times) for value, times in _values(datum, where)
    ]


def _name(datum: dict[str, Any], where: str) -> str:
    name = datum.get("MetricName", "")
    if not 1 <= len(name) <= 255:
        raise invalid(f"The parameter {where}.MetricName must have 1 to 255 characters.")
    return str(name)


def _dimensions(datum: dict[str, Any], where: str) -> Dimensions:
    pairs = datum.get("Dimensions", [])
    if len(pairs) > MAX_DIMENSIONS:
        raise invalid(f"The collection {where}.Dimensions must not have a size greater than {MAX_DIMENSIONS}.")
    for pair in pairs:
        if not 1 <= len(pair["Name"]) <= 255 or not 1 <= len(pair["Value"]) <= 1024:
            raise invalid(f"{where}.Dimensions: names have 1 to 255 characters, values 1 to 1024.")
    return dimensions_of(pairs)


def _timestamp(datum: dict[str, Any], where: str, now: float) -> float:
    if "Timestamp" not in datum:
        return now
    timestamp = epoch(datum["Timestamp"])
    if not now - OLDEST_S <= timestamp <= now + FURTHEST_AHEAD_S:
        raise invalid(
            f"The parameter {where}.Timestamp must specify a time no more than two weeks in the past "
            "and two hours in the future."
        )
    return timestamp


def _values(datum: dict[str, Any], where: str) -> list[tuple[float, float]]:
    values = [datum["Value"]] if "Value" in datum else datum["Values"]
    counts = datum.get("Counts", [1.0] * len(values))
    if len(values) > MAX_VALUES:
        raise invalid(f"The collection {where}.Values must not have a size greater than {MAX_VALUES}.")
    if len(counts) != len(values):
        raise invalid(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
    return [
        (_number(value, f"{where}.Value"), _number(count, f"{where}.Counts"))
        for value, count in zip(values, counts, strict=True)
    ]


def _statistic_set(supplied: dict[str, Any], where: str) -> tuple[float, float, float, float]:
    numbers = [_number(supplied[name], f"{where}.{name}") for name in ("SampleCount", "Sum", "Minimum", "Maximum")]
    if numbers[0] <= 0 or numbers[2] > numbers[3]:
        raise invalid(f"{where}.StatisticValues: SampleCount must be positive and Minimum at most Maximum.")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _number(value: Any, where: str) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > LARGEST_VALUE:
        raise invalid(f"The value {value} for parameter {where} must be a number from -2^360 to 2^360.")
    return number
