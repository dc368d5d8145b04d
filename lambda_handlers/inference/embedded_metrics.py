"""The part of a log line by which CloudWatch finds the endpoint's metrics in it.

The embedded metric format costs no call; names are in `contract.signals`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from serinus.lambda_handlers.contract import signals

_ALWAYS = {
    signals.METRIC_LATENCY: "Milliseconds",
    signals.METRIC_ERRORS: "Count",
    signals.METRIC_REJECTED: "Count",
    signals.METRIC_NON_FINITE: "Count",
}
_SCORED = {signals.METRIC_ROWS: "Count", signals.METRIC_MODEL_TIME: "Milliseconds"}
_COLD = {signals.METRIC_INIT: "Milliseconds"}
_FIRST = {signals.METRIC_FIRST: "Count"}


class Metadata(msgspec.Struct, frozen=True):
    """The member ``_aws`` of a line: milliseconds since 1970, and which of the line's values are metrics."""

    Timestamp: int
    CloudWatchMetrics: msgspec.Raw


@cache
def directives(cold: bool, first: bool, scored: bool, predicted: bool, rejected: bool) -> msgspec.Raw:
    """The metrics that a line holds: naming one that it lacks would be an error of its format. Made at the first
    line of its kind: init need not wait for it."""
    metrics = _ALWAYS | (_SCORED if scored else {}) | (_COLD if cold else {}) | (_FIRST if first else {})
    listed = [_directive(metrics)]
    if predicted:
        listed.append(_directive({signals.METRIC_PREDICTION: "None"}, signals.DIMENSION_BINS))
    if rejected:
        listed.append(_directive({signals.METRIC_REJECTED: "Count"}, signals.DIMENSION_OUTCOME))
    return msgspec.Raw(msgspec.json.encode(listed))


def _directive(metrics: Mapping[str, str], *dimensions: str) -> dict[str, Any]:
    """Metrics, unit by name, by function and version and ``dimensions``."""
    return {
        "Namespace": signals.METRIC_NAMESPACE,
        "Dimensions": [[signals.DIMENSION_FUNCTION, signals.DIMENSION_VERSION, *dimensions]],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics.items()],
    }
