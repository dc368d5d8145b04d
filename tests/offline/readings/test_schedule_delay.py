"""A schedule's target is called at its instant, or some time after, once for each instant all the same."""

import json
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings


def calls(cloud: SteppedCloud, queue: str, *, seconds: int) -> list[tuple[int, str]]:
    """The second after the start at which each event arrived, and the instant in it."""
    sqs, arrived = cloud.client("sqs"), []
    for second in range(seconds):
        cloud.advance(1)
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            arrived.append((second + 1, json.loads(message["Body"])["time"]))
    return arrived


@pytest.mark.parametrize("delay", ["0", "0..59"])
def test_a_schedule_of_a_minute(delay: str, unique_name: Any) -> None:
    readings = Readings().replaced({"schedule-delay": delay})
    with stepped(CloudConfig(seed=7, readings=readings)) as cloud:
        name = unique_name("ticks")
        queue = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        events = cloud.client("events")
        events.put_rule(Name="tick", ScheduleExpression="rate(1 minute)")
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        events.put_targets(Rule="tick", Targets=[{"Id": "queue", "Arn": arn}])
        arrived = calls(cloud, queue, seconds=360)
    late_s = [second % 60 for second, _ in arrived]
    assert len({instant for _, instant in arrived}) == len(arrived)
    if delay == "0":
        assert late_s == [0] * 6
    else:
        assert len(arrived) in (5, 6)
        assert len(set(late_s)) > 2
