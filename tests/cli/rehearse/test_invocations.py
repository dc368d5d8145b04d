"""Counts by version are the same whether Lambda always names the executed version or only under weights."""

from datetime import UTC, datetime
from typing import Any

import pytest

from serinus.cli.rehearse.invocations import InvocationCounts, WeightedTime, count_invocations

MINUTE = 1_800_000_000 // 60 * 60
#: Weights from half a minute into one minute to half a minute into another, three minutes later.
START, END = MINUTE + 30, MINUTE + 210


class CloudWatch:
    """Counts of each version by minute, 600 requests a minute, a tenth of them the canary's under weights."""

    def __init__(self, *, always: bool, final: str) -> None:
        self.counts: dict[str, dict[int, int]] = {"1": {}, "2": {}}
        for second in range(MINUTE - 240, MINUTE + 480):
            weighted = START <= second < END
            if weighted or always:
                calls = {"1": 9, "2": 1} if weighted else {"1" if second < START else final: 10}
                for version, number in calls.items():
                    minutes = self.counts[version]
                    minutes[second // 60 * 60] = minutes.get(second // 60 * 60, 0) + number

    def get_metric_data(
        self, MetricDataQueries: list[dict[str, Any]], StartTime: datetime, EndTime: datetime
    ) -> dict[str, Any]:
        def result(query: dict[str, Any]) -> dict[str, Any]:
            metric = query["MetricStat"]["Metric"]
            dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            failed = metric["MetricName"] == "Errors"
            counted = {
                at: count * (0.5 if failed else 1)
                for at, count in self.counts[dimensions["ExecutedVersion"]].items()
                if StartTime.timestamp() <= at < EndTime.timestamp()
            }
            times = [datetime.fromtimestamp(at, UTC) for at in counted]
            return {"Id": query["Id"], "Timestamps": times, "Values": list(counted.values())}

        return {"MetricDataResults": [result(query) for query in MetricDataQueries]}


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("final", ["1", "2"])
def test_only_requests_under_weights_are_counted(always: bool, final: str) -> None:
    weighted = WeightedTime(START, END, "1", final)
    counted = count_invocations(CloudWatch(always=always, final=final), "shop", ["1", "2"], weighted)
    # The minute in which all traffic moves to the canary is left out where it cannot be divided.
    seconds = 150 if always and final == "2" else 180
    assert counted["2"] == InvocationCounts(seconds, seconds // 2)
    assert counted["1"].invocations == pytest.approx(9 * seconds, abs=60)
    assert counted["1"].errors == pytest.approx(counted["1"].invocations / 2, abs=1)
