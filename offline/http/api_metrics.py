"""The AWS/ApiGateway metrics of a request that REST and HTTP APIs share."""

from collections.abc import Iterable

from serinus.offline.core.ports import MetricSink
from serinus.offline.http.passage import Passage

NAMESPACE = "AWS/ApiGateway"

#: Name, value and unit.
Measurement = tuple[str, float, str]


def record(
    passage: Passage, sink: MetricSink, dimension_sets: list[dict[str, str]], measurements: Iterable[Measurement]
) -> None:
    """Record each measurement under each set of dimensions, at the time of the request."""
    for dimensions in dimension_sets:
        for name, value, unit in measurements:
            sink.record(passage.stage.region, NAMESPACE, name, dimensions, value, unit=unit, at=passage.cloud_time)


def measurements_of(passage: Passage, client_errors: str, server_errors: str) -> list[Measurement]:
    """The counts of requests and errors, under the API kind's metric names, and latencies."""
    values = [
        ("Count", 1.0, "Count"),
        (client_errors, float(400 <= passage.status < 500), "Count"),
        (server_errors, float(passage.status >= 500), "Count"),
        ("Latency", float(round(passage.latency_ms)), "Milliseconds"),
    ]
    if passage.integration_latency_ms is not None:
        values.append(("IntegrationLatency", float(round(passage.integration_latency_ms)), "Milliseconds"))
    return values
