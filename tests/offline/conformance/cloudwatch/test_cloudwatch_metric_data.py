"""CloudWatch's rules on GetMetricData: math, order and pages."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.stepped import SteppedCloud


def moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def minute(cloud: SteppedCloud) -> float:
    """The beginning of the present minute of cloud time."""
    return cloud.time() // 60 * 60


def test_metric_math_over_queries(stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str) -> None:
    """GetMetricData computes expressions over the metrics of the request; ReturnData hides helpers.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    data = [{"MetricName": f"{metric}-{name}", "Value": value} for name, value in (("errors", 3), ("calls", 60))]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": "App", "MetricName": f"{metric}-{name}"},
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for name in ("errors", "calls")
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[*queries, {"Id": "rate", "Expression": "100 * errors / calls", "Label": "Error rate"}],
        StartTime=moment(minute(stepped_cloud) - 300),
        EndTime=moment(minute(stepped_cloud) + 60),
    )
    (result,) = answer["MetricDataResults"]
    assert (result["Id"], result["Label"], result["Values"]) == ("rate", "Error rate", [5])


@pytest.mark.parametrize(("order", "expected"), [("TimestampAscending", [1, 2]), ("TimestampDescending", [2, 1])])
def test_data_points_come_in_the_order_asked_for(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str, order: str, expected: list[int]
) -> None:
    """ScanBy orders by time; the newest come first by default.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    data = [
        {"MetricName": metric, "Value": value, "Timestamp": moment(stepped_cloud.time() - ago)}
        for value, ago in ((1, 120), (2, 60))
    ]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    stat = {"Metric": {"Namespace": "App", "MetricName": metric}, "Period": 60, "Stat": "Sum"}
    (result,) = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": stat}],
        StartTime=moment(minute(stepped_cloud) - 300),
        EndTime=moment(minute(stepped_cloud)),
        ScanBy=order,
    )["MetricDataResults"]
    assert result["Values"] == expected


def test_data_points_come_in_pages(stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str) -> None:
    """MaxDatapoints limits the data points of an answer; NextToken continues.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    data = [
        {"MetricName": metric, "Value": ago, "Timestamp": moment(stepped_cloud.time() - 60 * ago)}
        for ago in range(1, 6)
    ]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    stat = {"Metric": {"Namespace": "App", "MetricName": metric}, "Period": 60, "Stat": "Sum"}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[{"Id": "m1", "MetricStat": stat}],
        StartTime=moment(minute(stepped_cloud) - 600),
        EndTime=moment(minute(stepped_cloud)),
        MaxDatapoints=2,
    )
    assert [page["MetricDataResults"][0]["Values"] for page in pages] == [[1, 2], [3, 4], [5]]


@pytest.mark.parametrize("expression", ["SEARCH('{App} x', 'Sum', 60)", "ANOMALY_DETECTION_BAND(m1)"])
def test_expressions_that_are_not_modelled_are_refused(
    stepped_cloud: SteppedCloud, cloudwatch: Any, expression: str
) -> None:
    """Searches and anomaly detection exist on AWS; here they are refused by name.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    with pytest.raises(ClientError, match="does not model the metric math function"):
        cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "e1", "Expression": expression}],
            StartTime=moment(stepped_cloud.time() - 60),
            EndTime=moment(stepped_cloud.time()),
        )
