"""Metrics appear late: by a fixed or drawn delay, longer while they are new, and later still in ListMetrics."""

from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings


def config(**values: str) -> CloudConfig:
    readings = {name.replace("_", "-"): value for name, value in values.items()}
    return CloudConfig(seed=7, readings=Readings().replaced(readings))


def put(cloud: SteppedCloud, name: str) -> None:
    cloud.client("cloudwatch").put_metric_data(Namespace="App", MetricData=[{"MetricName": name, "Value": 1}])


def total(cloud: SteppedCloud, name: str) -> float:
    """The sum of all values of the metric that are visible."""
    seen = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="App",
        MetricName=name,
        StartTime=cloud.time() - 7200,
        EndTime=cloud.time() + 60,
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in seen["Datapoints"])


def appearances(cloud: SteppedCloud, name: str, *, until_s: int) -> list[int]:
    """The second at which each value of ``name`` appeared."""
    seen, moments = 0.0, []
    for second in range(0, until_s + 1, 5):
        now = total(cloud, name)
        moments += [second] * int(now - seen)
        seen = now
        cloud.advance(5)
    return moments


def test_a_drawn_delay_reorders_values_and_loses_none() -> None:
    with stepped(config(metric_delay="30..120")) as cloud:
        for _ in range(20):
            put(cloud, "latency")
        moments = appearances(cloud, "latency", until_s=120)
    with stepped(config(metric_delay="30..120")) as cloud:
        for _ in range(20):
            put(cloud, "latency")
        assert appearances(cloud, "latency", until_s=120) == moments
    assert len(moments) == 20
    assert min(moments) >= 30
    assert len(set(moments)) > 5


def test_a_metric_is_late_for_as_long_as_it_is_new() -> None:
    with stepped(config(metric_delay="10", new_metric_delay="120")) as cloud:
        put(cloud, "first")
        cloud.advance(119)
        assert total(cloud, "first") == 0
        cloud.advance(1)
        assert total(cloud, "first") == 1
        cloud.advance(180)
        put(cloud, "first")
        put(cloud, "second")
        cloud.advance(10)
        assert (total(cloud, "first"), total(cloud, "second")) == (2, 0)


def test_without_a_delay_a_new_metric_is_seen_at_once() -> None:
    with stepped(config()) as cloud:
        put(cloud, "first")
        assert total(cloud, "first") == 1


def test_a_new_metric_is_listed_late() -> None:
    for delay_s, listed in (("0", ["first"]), ("900", [])):
        with stepped(config(list_metrics_delay=delay_s)) as cloud:
            put(cloud, "first")
            assert total(cloud, "first") == 1
            shown = cloud.client("cloudwatch").list_metrics(Namespace="App")["Metrics"]
            assert [metric["MetricName"] for metric in shown] == listed
            cloud.advance(900)
            (metric,) = cloud.client("cloudwatch").list_metrics(Namespace="App")["Metrics"]
            assert metric["MetricName"] == "first"
