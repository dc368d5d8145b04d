"""What a person watches during a release: share, errors, latency and verdict of both versions, and the alarms.

Which version is the stable one is not known at synth, so graphs search: whatever version has data has its line.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambda_handlers.contract import release, signals

_MINUTE = cdk.Duration.minutes(1)
_HALF = 12
_HEIGHT = 6


class RolloutDashboard(Construct):
    """The dashboard ``name`` of ``function``, with ``alarms``."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, function: str, alarms: Sequence[cloudwatch.Alarm]
    ) -> None:
        super().__init__(scope, construct_id)
        self._function = function
        graphs = [
            self._graph("Live requests a minute", signals.METRIC_LATENCY, "SampleCount", stacked=True),
            self._verdicts(),
            self._graph("Errors (handled, 5xx) a minute", signals.METRIC_ERRORS, "Sum"),
            self._crashes(),
            self._graph("Latency, 99th percentile, ms", signals.METRIC_LATENCY, "p99"),
            self._graph("Latency, median, ms", signals.METRIC_LATENCY, "p50"),
            self._graph("Rejected inputs a minute", signals.METRIC_REJECTED, "Sum"),
            self._graph("Non-finite predictions a minute", signals.METRIC_NON_FINITE, "Sum"),
        ]
        rows: list[list[cloudwatch.IWidget]] = [list(graphs[at : at + 2]) for at in range(0, len(graphs), 2)]
        alarms_row = cloudwatch.AlarmStatusWidget(
            title="Alarms that stop a release", alarms=list(alarms), width=2 * _HALF, height=3
        )
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            default_interval=cdk.Duration.hours(3),
            widgets=[[alarms_row], *rows],
        )

    def _graph(self, title: str, metric: str, statistic: str, *, stacked: bool = False) -> cloudwatch.GraphWidget:
        """A line for each version."""
        dimensions = f"{signals.DIMENSION_FUNCTION},{signals.DIMENSION_VERSION}"
        found = self._search(f"{signals.METRIC_NAMESPACE},{dimensions}", metric, statistic)
        return _widget(title, found, stacked=stacked)

    def _crashes(self) -> cloudwatch.GraphWidget:
        """Lambda's own count, by version while the alias has weights."""
        schema = "AWS/Lambda,ExecutedVersion,FunctionName,Resource"
        return _widget("Crashes a minute, while traffic shifts", self._search(schema, "Errors", "Sum"))

    def _verdicts(self) -> cloudwatch.GraphWidget:
        title = "Verdict: 1 promote, 0 not enough evidence, -1 roll back"
        schema = f"{signals.METRIC_NAMESPACE},{signals.DIMENSION_FUNCTION},{signals.DIMENSION_VERSION}"
        found = self._search(schema, release.METRIC_VERDICT, "Minimum")
        return _widget(title, found, axis=cloudwatch.YAxisProps(min=-1, max=1))

    def _search(self, schema: str, metric: str, statistic: str) -> cloudwatch.MathExpression:
        wanted = f'{{{schema}}} MetricName="{metric}" FunctionName="{self._function}"'
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{wanted}', '{statistic}', {_MINUTE.to_seconds()})",
            using_metrics={},
            label="",
            period=_MINUTE,
        )


def _widget(
    title: str,
    found: cloudwatch.MathExpression,
    *,
    stacked: bool = False,
    axis: cloudwatch.YAxisProps | None = None,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=[found],
        stacked=stacked,
        left_y_axis=axis or cloudwatch.YAxisProps(min=0),
        period=_MINUTE,
        width=_HALF,
        height=_HEIGHT,
    )
