"""Every operation that the cloud answers, itself or through moto, is named by a test."""

import re
from pathlib import Path

import pytest
from botocore import xform_name
from moto.core.utils import get_service_model

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.service import Service

SERVICES = [type(service) for service in Cloud(CloudConfig()).services.by_name.values()]
TESTS = Path(__file__).parents[1]
WORDS = frozenset(
    word for path in TESTS.rglob("*.py") if path != Path(__file__) for word in re.findall(r"\w+", path.read_text())
)


def untested(service: type[Service], words: frozenset[str]) -> list[str]:
    """The operations of ``service`` that are answered and not among ``words``, in either spelling."""
    operations = get_service_model(service.name).operation_names
    answered = {name for name in operations if getattr(service, xform_name(name), None)}
    return sorted(name for name in answered | service.moto_operations if not {name, xform_name(name)} & words)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_operation_that_is_answered_is_named_by_a_test(service: type[Service]) -> None:
    assert untested(service, WORDS) == [], "test these operations, or remove them so that they are refused by name"


def test_an_operation_that_no_test_names_is_reported() -> None:
    class Topics(Service):
        name = "sns"
        moto_operations = frozenset({"CreateTopic", "DeleteTopic", "ListTopics"})

        def publish(self) -> None:
            """One that is answered here."""

    assert untested(Topics, frozenset({"create_topic", "ListTopics"})) == ["DeleteTopic", "Publish"]
