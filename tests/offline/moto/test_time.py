"""Moto's timestamps follow the cloud's clock."""

from datetime import datetime, timedelta

import moto.core.utils
import pytest

from serinus.offline.cloud.stepped import stepped
from serinus.offline.core.clock import Clock
from serinus.offline.moto import time as moto_time

pytestmark = pytest.mark.slow


def test_moto_reads_the_clock_that_is_followed() -> None:
    clock = Clock(0, 1_800_000_000.0)
    moto_time.follow(clock)
    try:
        assert moto.core.utils.utcnow() == datetime(2027, 1, 15, 8, 0, 0)
        assert moto.core.utils.unix_time() == 1_800_000_000.0
    finally:
        moto_time.unfollow(clock)
    assert moto.core.utils.utcnow() < datetime(2027, 1, 15, 8, 0, 0) + timedelta(days=36500)
    assert moto.core.utils.utcnow() != datetime(2027, 1, 15, 8, 0, 0)


def test_what_moto_stamps_is_cloud_time() -> None:
    with stepped() as cloud:
        cloud.advance(86_400)
        queue = cloud.client("sqs").create_queue(QueueName="stamped")["QueueUrl"]
        attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        secret = cloud.client("secretsmanager").create_secret(Name="stamped", SecretString="x")["ARN"]
        described = cloud.client("secretsmanager").describe_secret(SecretId=secret)
        now = cloud.time()
        cloud.client("sqs").delete_queue(QueueUrl=queue)
        cloud.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    assert float(attributes["CreatedTimestamp"]) == pytest.approx(now, abs=5)
    assert described["CreatedDate"].timestamp() == pytest.approx(now, abs=5)


def test_moto_still_takes_its_time_from_where_it_is_patched() -> None:
    """Fails when moto reads time elsewhere: then the patch must follow."""
    assert moto.core.utils.unix_time.__globals__["utcnow"] is moto.core.utils.utcnow
