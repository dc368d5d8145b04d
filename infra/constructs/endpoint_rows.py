"""One endpoint's rows of a dashboard: is it up, is it fast, is it right, what does it cost, how do releases go."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from serinus.infra import prices
from serinus.infra.constructs.endpoint_metrics import (
    BY_EXECUTED_VERSION,
    BY_OUTCOME,
    HOUR,
    MINUTE,
    EndpointMetrics,
    combined,
)
from serinus.lambda_handlers.contract import release, signals

_WIDTH = 24
_HEIGHT = 6
_HOURS_A_MONTH = 730

Row = list[cloudwatch.IWidget]


class EndpointRows:
    """The rows of the endpoint whose metrics these are, of ``memory_mb`` on ``architecture``."""

    def __init__(self, metrics: EndpointMetrics, *, memory_mb: int, architecture: str) -> None:
        self._metrics = metrics
        self._dollars_per_ms = memory_mb / 1024 * prices.PER_GB_SECOND[architecture] / 1000

    def rows(self, name: str) -> list[Row]:
        """All rows, under the heading ``name``."""
        return [
            [cloudwatch.TextWidget(markdown=f"# {name}", width=_WIDTH, height=1)],
            *self._is_it_up(),
            *self._is_it_fast(),
            *self._is_it_right(),
            *self._what_does_it_cost(),
            *self._releases(),
        ]

    def _is_it_up(self) -> list[Row]:
        metrics = self._metrics
        answered = combined(
            "100 * (1 - FILL(failed, 0) / calls)",
            "responses without 5xx, %",
            HOUR,
            calls=metrics.calls("calls", HOUR),
            failed=metrics.failed_calls("5xx", HOUR),
        )
        numbers: list[cloudwatch.IMetric] = [
            answered,
            metrics.calls("requests", HOUR),
            metrics.of_lambda("Errors", "Sum", "crashes and timeouts", HOUR),
            metrics.of_lambda("Throttles", "Sum", "throttled by Lambda", HOUR),
        ]
        errors = [metrics.failed_calls("5xx"), *metrics.rejected_calls("4xx")]
        return [
            title("Is it up?", "the last hour, as callers see it"),
            [_numbers(numbers)],
            [
                graph("Live requests per minute", [self._own(signals.METRIC_LATENCY, "SampleCount")], 3),
                graph("4xx and 5xx responses per minute", errors, 3),
                graph(
                    "Concurrent requests",
                    [metrics.of_lambda("ConcurrentExecutions", "Maximum", "maximum")],
                    3,
                ),
            ],
        ]

    def _is_it_fast(self) -> list[Row]:
        starts = self._metrics.summed(signals.METRIC_INIT, "SampleCount", "cold starts")
        init = self._own(signals.METRIC_INIT, "p90")
        latency, model = signals.METRIC_LATENCY, signals.METRIC_MODEL_TIME
        return [
            title("Is it fast?", "time in the function, init included"),
            [
                graph("Latency, 99th percentile, ms", [self._own(latency, "p99")], 4),
                graph("Latency, median, ms", [self._own(latency, "p50")], 4),
                graph("Model only, 99th percentile, ms", [self._own(model, "p99")], 4),
                graph("Cold starts per minute; init, 90th percentile, ms (right)", [starts], 4, right=[init]),
            ],
        ]

    def _is_it_right(self) -> list[Row]:
        rejected = self._metrics.by_version(signals.METRIC_REJECTED, "Sum", schema=BY_OUTCOME)
        return [
            title("Is it right?", "rejected inputs, errors and non-finite predictions"),
            [
                graph("Rejected inputs per minute, by reason", [rejected], 4),
                graph("Errors (handled, 5xx) per minute", [self._own(signals.METRIC_ERRORS, "Sum")], 4),
                graph("Non-finite predictions per minute", [self._own(signals.METRIC_NON_FINITE, "Sum")], 4),
                graph("Rows predicted per minute", [self._own(signals.METRIC_ROWS, "Sum")], 4),
            ],
        ]

    def _what_does_it_cost(self) -> list[Row]:
        metrics, per_ms = self._metrics, self._dollars_per_ms
        per_call = prices.PER_MILLION_CALLS["rest" if metrics.api else "http"] / 1e6
        used = {
            "duration": metrics.of_lambda("Duration", "Sum", "ms", HOUR),
            "invoked": metrics.of_lambda("Invocations", "Sum", "invocations", HOUR),
            "calls": metrics.calls("calls", HOUR),
        }
        compute = f"{per_ms:.12f} * FILL(duration, 0)"
        requests = f"{prices.PER_MILLION_INVOCATIONS / 1e6:.12f} * FILL(invoked, 0)"
        calls = f"{per_call:.12f} * FILL(calls, 0)"
        total = f"({compute} + {requests} + {calls})"
        parts = [
            combined(compute, "Lambda's duration", HOUR, duration=used["duration"]),
            metrics.summed(signals.METRIC_INIT, "Sum", "cold starts", factor=per_ms, period=HOUR),
            combined(requests, "Lambda's requests", HOUR, invoked=used["invoked"]),
            combined(calls, "API Gateway", HOUR, calls=used["calls"]),
        ]
        numbers = [
            combined(total, "the last hour, $", HOUR, **used),
            combined(f"{_HOURS_A_MONTH} * {total}", "per month at this rate, $", HOUR, **used),
            combined(f"1000 * {total} / FILL(calls, 0)", "per thousand requests, $", HOUR, **used),
        ]
        about = (
            f"an estimate from list prices of us-east-1 ({prices.AS_OF}): duration times memory, and requests; "
            "without logs, metrics, alarms, WAF, snapshots and provisioned environments (docs/costs.md)"
        )
        return [
            title("What does it cost?", about),
            [_numbers(numbers, width=12), graph("US dollars per hour", parts, 2, stacked=True, period=HOUR)],
        ]

    def _releases(self) -> list[Row]:
        verdict = self._own(release.METRIC_VERDICT, "Minimum")
        crashes = self._metrics.by_version("Errors", "Sum", schema=BY_EXECUTED_VERSION)
        share = self._metrics.share_by_version(signals.METRIC_LATENCY)
        meaning = "Verdict: 1 promote, 0 not enough evidence, -1 roll back"
        return [
            title("Releases", "both versions while traffic shifts"),
            [
                graph("Share of live requests, %", [share], 3, stacked=True),
                graph(meaning, [verdict], 3, axis=cloudwatch.YAxisProps(min=-1, max=1)),
                graph("Crashes per minute, while traffic shifts", [crashes], 3),
            ],
        ]

    def _own(self, metric: str, statistic: str) -> cloudwatch.MathExpression:
        return self._metrics.by_version(metric, statistic)


def title(question: str, about: str) -> Row:
    """A heading above rows."""
    return [cloudwatch.TextWidget(markdown=f"## {question}\n{about}", width=_WIDTH, height=2)]


def _numbers(metrics: Sequence[cloudwatch.IMetric], *, width: int = _WIDTH) -> cloudwatch.SingleValueWidget:
    return cloudwatch.SingleValueWidget(metrics=list(metrics), period=HOUR, width=width, height=4)


def graph(
    title: str,
    lines: Sequence[cloudwatch.IMetric],
    columns: int,
    *,
    right: Sequence[cloudwatch.IMetric] = (),
    stacked: bool = False,
    axis: cloudwatch.YAxisProps | None = None,
    period: cdk.Duration = MINUTE,
) -> cloudwatch.GraphWidget:
    """``lines`` over time, in a row of ``columns`` such graphs."""
    return cloudwatch.GraphWidget(
        title=title,
        left=list(lines),
        right=list(right),
        stacked=stacked,
        left_y_axis=axis or cloudwatch.YAxisProps(min=0),
        period=period,
        width=_WIDTH // columns,
        height=_HEIGHT,
    )
