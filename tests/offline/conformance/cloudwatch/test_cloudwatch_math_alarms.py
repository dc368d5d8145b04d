"""CloudWatch's rules on alarms that watch metric math."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_metric_math_can_be_watched(watched: Callable[..., Any]) -> None:
    """An alarm on an expression watches the one query that returns data.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html
    """
    prefix = uuid.uuid4().hex[:8]
    metrics = [math_query(name, f"{prefix}-{name}") for name in ("errors", "calls")]
    alarm = math_alarm(watched, *metrics, expression="IF(calls > 10, 100 * errors / calls, 0)", Threshold=20)
    alarm.send(50, f"{prefix}-errors")
    alarm.send(5, f"{prefix}-calls")
    assert alarm.minutes(None) == ["OK"]
    alarm.send(50, f"{prefix}-errors")
    alarm.send(100, f"{prefix}-calls")
    assert alarm.minutes(None) == ["ALARM"]


def math_query(query_id: str, metric: str, period: int = 60) -> dict[str, Any]:
    metric_stat = {"Metric": {"Namespace": "App", "MetricName": metric}, "Period": period, "Stat": "Sum"}
    return {"Id": query_id, "MetricStat": metric_stat, "ReturnData": False}


def math_alarm(watched: Callable[..., Any], *metrics: dict[str, Any], expression: str, **settings: Any) -> Any:
    single = ("Namespace", "MetricName", "Statistic", "Period")
    queries = [*metrics, {"Id": "e1", "Expression": expression, "Label": "watched"}]
    return watched(**dict.fromkeys(single), Metrics=queries, **settings)


def test_searches_cannot_be_watched(watched: Callable[..., Any]) -> None:
    """An alarm cannot be based on a SEARCH expression.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    with pytest.raises(ClientError, match="SEARCH is not supported on Metric Alarms"):
        math_alarm(watched, expression="SUM(SEARCH('{App} x', 'Sum', 60))")


def test_metrics_of_one_alarm_share_their_period(watched: Callable[..., Any]) -> None:
    """Each metric of a math alarm must use the same period.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-on-metric-math-expressions
    """
    with pytest.raises(ClientError) as error:
        math_alarm(watched, math_query("m1", "a"), math_query("m2", "b", 300), expression="m1 + m2")
    assert error.value.response["Error"]["Code"] == "ValidationError"


def test_a_math_alarm_has_at_most_ten_metrics(watched: Callable[..., Any]) -> None:
    """An expression of an alarm includes at most 10 metrics.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-on-metric-math-expressions
    """
    metrics = [math_query(f"m{place}", "a") for place in range(11)]
    with pytest.raises(ClientError) as error:
        math_alarm(watched, *metrics, expression="SUM(METRICS())")
    assert error.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize("expression", ["METRICS()", "AVG(m1)", "m1 +", "m1 + unknown", "NOSUCH(m1)"])
def test_a_watched_expression_yields_one_time_series(watched: Callable[..., Any], expression: str) -> None:
    """An alarm watches a single time series: no array, no number, nothing that does not parse.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    metrics = [math_query(name, name) for name in ("m1", "m2")]
    with pytest.raises(ClientError) as error:
        math_alarm(watched, *metrics, expression=expression)
    assert error.value.response["Error"]["Code"] == "ValidationError"
