"""What moto's SNS does wrong. When one of these fails, moto mended it: look whether our repair can go."""

from collections.abc import Iterator

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import SNSBackend, sns_backends
from moto.sqs.exceptions import QueueDoesNotExist

from serinus.offline.moto import sns as moto_sns

REGION = "eu-central-2"


@pytest.fixture
def backend() -> Iterator[SNSBackend]:
    """Moto's own backend, in a region that no other test uses."""
    backend: SNSBackend = sns_backends[DEFAULT_ACCOUNT_ID][REGION]
    yield backend
    backend.reset()


def test_moto_confirms_http_subscriptions_unasked(backend: SNSBackend) -> None:
    topic = backend.create_topic("t")
    subscription = backend.subscribe(topic.arn, "http://127.0.0.1:9/hook", "http")
    assert subscription.attributes["PendingConfirmation"] is False


def test_moto_fails_a_publish_for_one_missing_queue(backend: SNSBackend) -> None:
    topic = backend.create_topic("t")
    subscription = backend.subscribe(topic.arn, f"arn:aws:sqs:{REGION}:{DEFAULT_ACCOUNT_ID}:nowhere", "sqs")
    with pytest.raises(QueueDoesNotExist):
        moto_sns._deliver_to_queue(subscription, "message", "id")
    moto_sns._publish(subscription, "message", "id")
