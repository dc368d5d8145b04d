"""Extracts metrics from log lines, by the embedded metric format (EMF).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from serinus.offline.services.cloudwatch.units import UNITS

MAX_METRICS = 100
MAX_DIMENSIONS = 30
MAX_VALUES = 100
MAX_DIMENSION_VALUE_CHARS = 1024
MAX_DOCUMENT_BYTES = 1024 * 1024


class InvalidEmf(ValueError):
    """An invalid EMF log line; the message names the violated rule."""


@dataclass(frozen=True, slots=True)
class MetricDatum:
    """Values of one metric under one set of dimensions, from one document.

    ``timestamp`` is the document's, in epoch seconds of its writer's clock (for a function: real time, to be
    translated by `Clock.at_real`).
    """

    namespace: str
    name: str
    dimensions: dict[str, str]
    values: tuple[float, ...]
    unit: str
    timestamp: float
    resolution_s: int = 60


def extract(line: str) -> list[MetricDatum] | None:
    """The metrics in a log line; None if it is not an EMF document.

    Raises `InvalidEmf` if it violates the specification: CloudWatch then extracts nothing from it.
    """
    document = _document(line)
    if document is None:
        return None
    if len(line.encode()) > MAX_DOCUMENT_BYTES:
        raise InvalidEmf(f"the document has {len(line.encode())} bytes; EMF allows {MAX_DOCUMENT_BYTES}")
    metadata = document["_aws"]
    timestamp = _timestamp(metadata)
    directives = metadata["CloudWatchMetrics"]
    if not isinstance(directives, list):
        raise InvalidEmf("_aws.CloudWatchMetrics is not an array")
    return [datum for directive in directives for datum in _data(document, directive, timestamp)]


def _document(line: str) -> dict[str, Any] | None:
    """The line as JSON, if it is an object with an ``_aws`` object with metric directives."""
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    metadata = document.get("_aws")
    return document if isinstance(metadata, dict) and "CloudWatchMetrics" in metadata else None


def _timestamp(metadata: dict[str, Any]) -> float:
    value = metadata.get("Timestamp")
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InvalidEmf(f"_aws.Timestamp is {value!r}; it must be milliseconds since 1970")
    return value / 1000


def _data(document: dict[str, Any], directive: Any, timestamp: float) -> Iterator[MetricDatum]:
    namespace, dimension_sets, metrics = _directive(directive)
    sets = [_dimensions(document, keys) for keys in dimension_sets]
    for metric in metrics:
        name, unit, resolution_s = _definition(metric)
        values = _values(document, name)
        for dimensions in sets:
            yield MetricDatum(namespace, name, dimensions, values, unit, timestamp, resolution_s)


def _directive(directive: Any) -> tuple[str, list[Any], list[Any]]:
    if not isinstance(directive, dict):
        raise InvalidEmf("a metric directive is not an object")
    namespace, sets, metrics = (directive.get(key) for key in ("Namespace", "Dimensions", "Metrics"))
    if not isinstance(namespace, str) or not 1 <= len(namespace) <= 255:
        raise InvalidEmf(f"Namespace is {namespace!r}; it must be a string of 1 to 255 characters")
    if not isinstance(sets, list) or not sets:
        raise InvalidEmf("Dimensions must be an array with at least one set of dimension names")
    if not isinstance(metrics, list):
        raise InvalidEmf("Metrics must be an array of metric definitions")
    if len(metrics) > MAX_METRICS:
        raise InvalidEmf(f"a directive has {len(metrics)} metrics; EMF allows {MAX_METRICS}")
    return namespace, sets, metrics


def _dimensions(document: dict[str, Any], keys: Any) -> dict[str, str]:
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise InvalidEmf(f"a dimension set is {keys!r}; it must be an array of names of root members")
    if len(keys) > MAX_DIMENSIONS:
        raise InvalidEmf(f"a dimension set has {len(keys)} names; EMF allows {MAX_DIMENSIONS}")
    return {key: _dimension_value(document, key) for key in keys}


def _dimension_value(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise InvalidEmf(f"dimension {key!r} has the value {value!r}; it must be a string on the root node")
    if len(value) > MAX_DIMENSION_VALUE_CHARS:
        raise InvalidEmf(f"dimension {key!r} has {len(value)} characters; EMF allows {MAX_DIMENSION_VALUE_CHARS}")
    return value


def _definition(metric: Any) -> tuple[str, str, int]:
    name = metric.get("Name") if isinstance(metric, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidEmf(f"a metric definition is {metric!r}; it must have a Name")
    unit, resolution_s = metric.get("Unit", "None"), metric.get("StorageResolution", 60)
    if unit not in UNITS:
        raise InvalidEmf(f"metric {name!r} has the unit {unit!r}, which is not a unit of CloudWatch")
    if resolution_s not in (1, 60):
        raise InvalidEmf(f"metric {name!r} has StorageResolution {resolution_s!r}; it must be 1 or 60")
    return name, unit, resolution_s


def _values(document: dict[str, Any], name: str) -> tuple[float, ...]:
    target = document.get(name)
    values: list[Any] = target if isinstance(target, list) else [target]
    if len(values) > MAX_VALUES:
        raise InvalidEmf(f"metric {name!r} has {len(values)} values; EMF allows {MAX_VALUES}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise InvalidEmf(f"metric {name!r} has the value {value!r}; it must be a number on the root node")
    return tuple(float(value) for value in values)
