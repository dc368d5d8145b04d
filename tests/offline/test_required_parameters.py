"""A call without a parameter that AWS requires is refused by AWS's code, and not by an error of the cloud."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.core.config import CloudConfig

SERVICES = [type(service) for service in Cloud(CloudConfig()).services.by_name.values()]
#: Parameters by which a request finds its operation.
URL = ("uri", "querystring")
CHECKED = [service for service in SERVICES if service.missing_parameter]


def incomplete_calls(service: Any) -> list[tuple[str, dict[str, str]]]:
    """Operations that require more than their URL, each with the parameters of its URL alone."""
    model, calls = get_service_model(service.name), []
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        if not hasattr(service, xform_name(name)) or shape is None:
            continue
        in_url = {key for key, member in shape.members.items() if member.serialization.get("location") in URL}
        required = set(shape.required_members)
        if required - in_url:
            calls.append((name, dict.fromkeys(sorted(required & in_url), "x")))
    return calls


@pytest.mark.parametrize(
    ("service", "code", "operation", "params"),
    [(one.name, one.missing_parameter, *call) for one in CHECKED for call in incomplete_calls(one)],
)
def test_a_call_without_a_required_parameter_is_refused(
    aws: Callable[..., Any], service: str, code: str, operation: str, params: dict[str, str]
) -> None:
    with pytest.raises(ClientError) as refused:
        aws(service)._make_api_call(operation, params)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "failed to satisfy constraint: Member must not be null" in refused.value.response["Error"]["Message"]


def test_the_services_that_check_are_those_that_have_one_code() -> None:
    assert {service.name for service in CHECKED} == {
        "apigateway",
        "apigatewayv2",
        "application-autoscaling",
        "cloudformation",
        "cloudwatch",
        "events",
        "logs",
        "sns",
        "wafv2",
    }
