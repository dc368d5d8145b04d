"""The dashboard of an environment: all endpoints side by side, then each by itself.

One for all endpoints, since AWS bills dashboards. It belongs to the shared stack, which is deployed before the
endpoints: it names only what follows from their names. An HTTP API's metrics have its id, so Lambda's take their
place.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html allows 500 widgets and 2,500
metrics on a dashboard, and 500 metrics and 100 alarms in a widget.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serinus.infra.constructs.endpoint_metrics import EndpointMetrics, rest_api_metrics
from serinus.infra.constructs.endpoint_rows import EndpointRows, Row, graph, title
from serinus.infra.names import DRIFT, STAGE, steady_alarm_name
from serinus.infra.settings import Endpoint
from serinus.infra.steady_alarm_plan import steady_alarm_names
from serinus.lambda_handlers.contract import signals

#: Endpoints with lines in the overview: their alarms fit into one widget.
MOST_LINES = 50
#: Endpoints with rows of their own.
MOST_SECTIONS = 15
_WIDTH = 24


class EnvironmentDashboard(Construct):
    """Dashboard ``name`` of ``endpoints``: the first `MOST_LINES` of them in the overview, the first
    `MOST_SECTIONS` also in rows of their own; a text names the others. ``monitor_alarms`` are on the monitor."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        endpoints: Sequence[Endpoint],
        monitor_alarms: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._monitor_alarms = monitor_alarms
        rows = [*self._overview(endpoints[:MOST_LINES], endpoints)]
        for endpoint in endpoints[:MOST_SECTIONS]:
            config = endpoint.settings
            rows += EndpointRows(
                metrics_of(endpoint), memory_mb=config.memory_mb, architecture=config.architecture
            ).rows(endpoint.name)
        cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=name, default_interval=cdk.Duration.hours(3), widgets=rows
        )

    def _overview(self, shown: Sequence[Endpoint], every: Sequence[Endpoint]) -> list[Row]:
        lines = [(endpoint.name, metrics_of(endpoint)) for endpoint in shown]
        alarms = [
            self._alarm(steady_alarm_name(endpoint.stack_name, alarm))
            for endpoint in shown
            for alarm in steady_alarm_names(endpoint.settings)
        ]
        status: Row = [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=_WIDTH, height=3)]
        return [
            title("All endpoints", _about(every)),
            *([status] if alarms else []),
            [
                graph("Requests per minute", [metrics.calls(label) for label, metrics in lines], 3),
                graph("Failed requests per minute", [metrics.failed_calls(label) for label, metrics in lines], 3),
                graph(
                    "Latency, 99th percentile, ms",
                    [metrics.slowest(signals.METRIC_LATENCY, "p99", label) for label, metrics in lines],
                    3,
                ),
            ],
            *self._monitored([endpoint for endpoint in shown if endpoint.settings.monitor.enabled]),
        ]

    def _monitored(self, shown: Sequence[Endpoint]) -> list[Row]:
        """What the monitor found, and whether it looks at all."""
        if not shown:
            return []
        drift = [self._alarm(steady_alarm_name(endpoint.stack_name, DRIFT)) for endpoint in shown]
        alarms = [*drift, *(self._alarm(name) for name in self._monitor_alarms)]
        lines = [metrics_of(endpoint).findings(endpoint.name) for endpoint in shown]
        return [
            [
                cloudwatch.AlarmStatusWidget(title="Monitor", alarms=alarms, width=_WIDTH // 2, height=6),
                graph("Findings of the monitor", lines, 2),
            ]
        ]

    def _alarm(self, name: str) -> cloudwatch.IAlarm:
        arn = cdk.Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return cloudwatch.Alarm.from_alarm_arn(self, name, arn)


def metrics_of(endpoint: Endpoint) -> EndpointMetrics:
    """An endpoint's metrics, as far as their dimensions follow from its name."""
    name = endpoint.stack_name
    return EndpointMetrics(name, rest_api_metrics(name, STAGE) if endpoint.settings.front == "rest" else None)


def _about(every: Sequence[Endpoint]) -> str:
    words = []
    for most, what in ((MOST_LINES, "not on this dashboard"), (MOST_SECTIONS, "only in this overview")):
        if absent := [endpoint.name for endpoint in every[most : MOST_LINES if most < MOST_LINES else None]]:
            words.append(f"{what}: {', '.join(absent)}")
    return "; ".join(words)
