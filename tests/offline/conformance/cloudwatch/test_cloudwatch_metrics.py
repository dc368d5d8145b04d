"""CloudWatch's rules on metrics, through boto3 against a cloud whose time is stepped."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings, Seconds


def moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def minute(cloud: SteppedCloud) -> float:
    """The beginning of the present minute of cloud time."""
    return cloud.time() // 60 * 60


def statistics(cloud: SteppedCloud, name: str, *, period: int = 60, minutes: int = 10, **asked: Any) -> list[Any]:
    """Data points of a metric in App over the last minutes, oldest first."""
    start = asked.pop("StartTime", moment(minute(cloud) - 60 * minutes))
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="App",
        MetricName=name,
        StartTime=start,
        EndTime=moment(minute(cloud) + 60),
        Period=period,
        **(asked or {"Statistics": ["Sum"]}),
    )["Datapoints"]
    return sorted(points, key=lambda point: point["Timestamp"])


def test_values_of_a_period_become_its_statistics(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str
) -> None:
    """Sum, Average, Minimum, Maximum and SampleCount are over all values of a period.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    data = [{"MetricName": metric, "Value": value, "Unit": "Count"} for value in (1, 2, 6)]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    names = ["Sum", "Average", "Minimum", "Maximum", "SampleCount"]
    (point,) = statistics(stepped_cloud, metric, Statistics=names)
    assert [point[name] for name in names] == [9, 3, 1, 6, 3]
    assert point["Unit"] == "Count"


def test_values_with_counts_count_as_often(stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str) -> None:
    """Values and Counts state how often each value came, and serve percentiles.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    cloudwatch.put_metric_data(
        Namespace="App", MetricData=[{"MetricName": metric, "Values": [10, 20], "Counts": [99, 1]}]
    )
    (point,) = statistics(stepped_cloud, metric, ExtendedStatistics=["p50", "p99.9"])
    assert point["ExtendedStatistics"]["p50"] == 10
    assert point["ExtendedStatistics"]["p99.9"] > 10


def test_trimmed_counts_exclude_the_lower_and_include_the_upper_bound(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str
) -> None:
    """TC(150:1000) is the number of values above 150 and up to 1000; a bound left out is open.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    data = [{"MetricName": metric, "Values": [150, 151, 1000, 1001], "Counts": [1, 2, 3, 4]}]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    names = ["TC(150:1000)", "TC(150:)", "TC(:150)", "TC(2000:3000)"]
    (point,) = statistics(stepped_cloud, metric, ExtendedStatistics=names)
    assert [point["ExtendedStatistics"][name] for name in names] == [5, 9, 1, 0]


def test_percentiles_of_statistic_sets_are_not_available(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str
) -> None:
    """A statistic set whose values differ has no percentiles.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles
    """
    values = {"SampleCount": 4, "Sum": 20, "Minimum": 1, "Maximum": 9}
    cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": metric, "StatisticValues": values}])
    assert statistics(stepped_cloud, metric, ExtendedStatistics=["p50"]) == []
    assert statistics(stepped_cloud, metric, Statistics=["Average"])[0]["Average"] == 5


def test_percentiles_of_negative_values_are_not_available(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str
) -> None:
    """Percentile statistics are not available for metrics with a negative value.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles
    """
    data = [{"MetricName": metric, "Values": [-1, 5]}]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    assert statistics(stepped_cloud, metric, ExtendedStatistics=["p50"]) == []


def test_dimensions_make_metrics_of_their_own(stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str) -> None:
    """Each combination of dimensions is a separate metric; nothing is aggregated across them.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#dimension-combinations
    """
    dimensions = [{"Name": "Server", "Value": "Prod"}, {"Name": "Domain", "Value": "Rio"}]
    cloudwatch.put_metric_data(
        Namespace="App", MetricData=[{"MetricName": metric, "Value": 1, "Dimensions": dimensions}]
    )
    assert statistics(stepped_cloud, metric) == []
    assert statistics(stepped_cloud, metric, Statistics=["Sum"], Dimensions=dimensions[:1]) == []
    assert len(statistics(stepped_cloud, metric, Statistics=["Sum"], Dimensions=dimensions[::-1])) == 1


def test_units_are_kept_apart(stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str) -> None:
    """Data points with different units are aggregated separately.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Unit
    """
    for unit in ("Seconds", "Count"):
        data = [{"MetricName": metric, "Value": 1, "Unit": unit}]
        cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    assert {point["Unit"] for point in statistics(stepped_cloud, metric)} == {"Seconds", "Count"}
    assert len(statistics(stepped_cloud, metric, Statistics=["Sum"], Unit="Seconds")) == 1
    assert statistics(stepped_cloud, metric, Statistics=["Sum"], Unit="Bytes") == []


def test_start_times_are_rounded_down_to_the_minute(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str
) -> None:
    """A start time of the last 15 days is rounded down to the whole minute.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": metric, "Value": 1}])
    late_in_the_minute = moment(minute(stepped_cloud) + 0.9)
    (point,) = statistics(stepped_cloud, metric, StartTime=late_in_the_minute, Statistics=["Sum"])
    assert point["Timestamp"].timestamp() == minute(stepped_cloud)


def test_high_resolution_metrics_have_sub_minute_periods(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str
) -> None:
    """StorageResolution 1 keeps values by the second; periods of 1, 5, 10, 20 and 30 seconds read them.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html#high-resolution-metrics
    """
    begins = minute(stepped_cloud) - 60
    data = [
        {"MetricName": metric, "Value": 1, "StorageResolution": 1, "Timestamp": moment(begins + second)}
        for second in (0, 4, 5, 31)
    ]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    assert [point["Sum"] for point in statistics(stepped_cloud, metric, period=5)] == [2, 1, 1]
    assert [point["Sum"] for point in statistics(stepped_cloud, metric, period=30)] == [3, 1]


def test_seconds_are_kept_for_three_hours(cloudwatch: Any, stepped_cloud: SteppedCloud, metric: str) -> None:
    """Data points with a period under a minute are available for 3 hours, by the minute for 15 days.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention
    """
    old = moment(minute(stepped_cloud) - 4 * 3600)
    datum = {"MetricName": metric, "Value": 1, "StorageResolution": 1, "Timestamp": old}
    cloudwatch.put_metric_data(Namespace="App", MetricData=[datum])
    asked = {"Namespace": "App", "MetricName": metric, "StartTime": old, "Statistics": ["Sum"]}
    end = moment(minute(stepped_cloud) - 4 * 3600 + 600)
    assert cloudwatch.get_metric_statistics(**asked, EndTime=end, Period=10)["Datapoints"] == []
    assert len(cloudwatch.get_metric_statistics(**asked, EndTime=end, Period=60)["Datapoints"]) == 1


def test_a_metric_is_seen_after_its_delay() -> None:
    """A value appears in statistics some time after it was sent.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html
    """
    with stepped(CloudConfig(readings=Readings(metric_delay=Seconds(45, 45)))) as cloud:
        cloud.client("cloudwatch").put_metric_data(
            Namespace="App", MetricData=[{"MetricName": "late", "Value": 1}]
        )
        cloud.advance(44)
        assert statistics(cloud, "late") == []
        cloud.advance(1)
        assert len(statistics(cloud, "late")) == 1


@pytest.mark.parametrize(
    "datum",
    [
        {"Value": 1, "Values": [1]},
        {"Values": [1, 2], "Counts": [1]},
        {"Values": list(range(151))},
        {"Value": 2.0**361},
        {"Value": 1, "StorageResolution": 5},
        {"Value": 1, "Unit": "Furlongs"},
        {"Value": 1, "Dimensions": [{"Name": f"d{place}", "Value": "v"} for place in range(31)]},
        {},
    ],
    ids=["two kinds", "counts", "151 values", "too large", "resolution", "unit", "31 dimensions", "no value"],
)
def test_data_beyond_the_limits_is_refused(cloudwatch: Any, metric: str, datum: dict[str, Any]) -> None:
    """PutMetricData accepts one kind of value, 150 values, 30 dimensions, known units, and +-2^360.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
    """
    with pytest.raises(ClientError) as error:
        cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": metric, **datum}])
    assert error.value.response["Error"]["Code"] in (
        "InvalidParameterValue",
        "InvalidParameterCombination",
        "MissingParameter",
    )


@pytest.mark.parametrize("seconds", [-14 * 86_400 - 60, 2 * 3600 + 60])
def test_timestamps_lie_between_two_weeks_ago_and_two_hours_ahead(
    stepped_cloud: SteppedCloud, cloudwatch: Any, metric: str, seconds: int
) -> None:
    """Time stamps are at most two weeks before and two hours after now.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    datum = {"MetricName": metric, "Value": 1, "Timestamp": moment(stepped_cloud.time() + seconds)}
    with pytest.raises(ClientError) as error:
        cloudwatch.put_metric_data(Namespace="App", MetricData=[datum])
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_at_most_a_thousand_data_a_request(cloudwatch: Any, metric: str) -> None:
    """A PutMetricData request holds at most 1000 metrics.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": metric, "Value": 1}] * 1000)
    with pytest.raises(ClientError) as error:
        cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": metric, "Value": 1}] * 1001)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_namespaces_of_aws_are_reserved(cloudwatch: Any, metric: str) -> None:
    """A custom namespace must not begin with AWS/.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Namespace
    """
    with pytest.raises(ClientError) as error:
        cloudwatch.put_metric_data(Namespace="AWS/Mine", MetricData=[{"MetricName": metric, "Value": 1}])
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_at_most_1440_data_points_a_call(stepped_cloud: SteppedCloud, metric: str) -> None:
    """GetMetricStatistics returns at most 1,440 data points; more is an error.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    assert statistics(stepped_cloud, metric, minutes=1439) == []
    with pytest.raises(ClientError) as error:
        statistics(stepped_cloud, metric, minutes=1440)
    assert error.value.response["Error"]["Code"] == "InvalidParameterCombination"


def test_a_period_is_a_multiple_of_sixty_or_short(stepped_cloud: SteppedCloud, metric: str) -> None:
    """Periods are 1, 5, 10, 20, 30 or a multiple of 60 seconds.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    with pytest.raises(ClientError) as error:
        statistics(stepped_cloud, metric, period=45)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_statistics_and_percentiles_exclude_each_other(stepped_cloud: SteppedCloud, metric: str) -> None:
    """GetMetricStatistics accepts either Statistics or ExtendedStatistics.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    with pytest.raises(ClientError) as error:
        statistics(stepped_cloud, metric, Statistics=["Sum"], ExtendedStatistics=["p50"])
    assert error.value.response["Error"]["Code"] == "InvalidParameterCombination"


def test_other_statistics_are_refused_by_name(stepped_cloud: SteppedCloud, metric: str) -> None:
    """Trimmed means and their kin exist on AWS; here they are refused, not guessed.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    with pytest.raises(ClientError, match="does not model the CloudWatch statistic tm90"):
        statistics(stepped_cloud, metric, ExtendedStatistics=["tm90"])


def test_metrics_are_listed_by_namespace_name_and_dimensions(cloudwatch: Any, metric: str) -> None:
    """ListMetrics filters by namespace, name, and dimensions with or without a value.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
    """
    for server in ("a", "b"):
        dimensions = [{"Name": "Server", "Value": server}]
        data = [{"MetricName": metric, "Value": 1, "Dimensions": dimensions}]
        cloudwatch.put_metric_data(Namespace="App", MetricData=data)

    def listed(**filters: Any) -> int:
        return len(cloudwatch.list_metrics(MetricName=metric, **filters)["Metrics"])

    assert listed() == 2
    assert listed(Namespace="Other") == 0
    assert listed(Dimensions=[{"Name": "Server"}]) == 2
    assert listed(Dimensions=[{"Name": "Server", "Value": "a"}]) == 1


@pytest.mark.slow
def test_metrics_without_data_for_two_weeks_are_not_listed() -> None:
    """ListMetrics shows metrics with data in the past two weeks; RecentlyActive those of three hours.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
    """
    with stepped() as cloud:
        cloudwatch = cloud.client("cloudwatch")
        cloudwatch.put_metric_data(Namespace="Old", MetricData=[{"MetricName": "old", "Value": 1}])
        cloud.advance(4 * 3600)
        assert cloudwatch.list_metrics(Namespace="Old", RecentlyActive="PT3H")["Metrics"] == []
        assert len(cloudwatch.list_metrics(Namespace="Old")["Metrics"]) == 1
        cloud.advance(14 * 86_400)
        assert cloudwatch.list_metrics(Namespace="Old")["Metrics"] == []
