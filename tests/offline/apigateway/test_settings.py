"""Settings of an account, a stage and a usage plan; gateway responses and used parts that are deleted."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Document = dict[str, Any]


def replace(path: str, value: str) -> Document:
    return {"op": "replace", "path": path, "value": value}


def answer_of(client: Any, operation: str, **params: Any) -> Document:
    answer: Document = getattr(client, operation)(**params)
    del answer["ResponseMetadata"]
    return answer


def test_the_account_s_settings_are_read_as_they_were_set_and_whole_after_a_failed_patch(
    aws: Callable[..., Any],
) -> None:
    client, role = aws("apigateway", region="eu-south-2"), "arn:aws:iam::123456789012:role/logs"
    assert "cloudwatchRoleArn" not in client.get_account()
    client.update_account(patchOperations=[replace("/cloudwatchRoleArn", role)])
    settings = answer_of(client, "get_account")
    assert (settings["cloudwatchRoleArn"], settings["features"]) == (role, ["UsagePlans"])
    assert settings["throttleSettings"] == {"rateLimit": 10_000.0, "burstLimit": 5_000}
    with pytest.raises(client.exceptions.BadRequestException, match="/throttleSettings"):
        client.update_account(
            patchOperations=[replace("/cloudwatchRoleArn", "other"), replace("/throttleSettings/rateLimit", "1")]
        )
    assert answer_of(client, "get_account") == settings


def test_a_deleted_gateway_response_is_the_default_again(api: Any) -> None:
    names = {**api.names, "responseType": "ACCESS_DENIED"}
    default = answer_of(api.client, "get_gateway_response", **names)
    assert (default["defaultResponse"], default["statusCode"]) == (True, "403")
    api.client.put_gateway_response(**names, statusCode="404")
    response = answer_of(api.client, "get_gateway_response", **names)
    assert (response["defaultResponse"], response["statusCode"]) == (False, "404")
    assert response in api.client.get_gateway_responses(**api.names)["items"]
    api.client.delete_gateway_response(**names)
    assert answer_of(api.client, "get_gateway_response", **names) == default
    with pytest.raises(api.client.exceptions.NotFoundException):
        api.client.delete_gateway_response(**names)
    with pytest.raises(api.client.exceptions.BadRequestException, match=r"Invalid gateway response type TEAPOT"):
        api.client.get_gateway_response(**api.names, responseType="TEAPOT")


@pytest.mark.parametrize(
    ("make", "delete", "use"),
    [
        ("make_model", "delete_model", {"requestModels": {"application/json": "Pet"}}),
        ("make_authorizer", "delete_authorizer", {"authorizationType": "CUSTOM"}),
    ],
)
def test_what_a_method_uses_is_not_deleted(api: Any, make: str, delete: str, use: Document) -> None:
    names = getattr(api, make)()
    ids = {name: value for name, value in names.items() if name == "authorizerId"}
    method = {**api.names, "resourceId": api.root, "httpMethod": "POST"}
    api.client.put_method(**method, **{"authorizationType": "NONE", **use, **ids})
    with pytest.raises(api.client.exceptions.ConflictException, match="referenced in"):
        getattr(api.client, delete)(**names)
    api.client.delete_method(**method)
    getattr(api.client, delete)(**names)


@pytest.mark.parametrize("setting", ["throttling/rateLimit", "throttling/burstLimit", "caching/ttlInSeconds"])
def test_a_stage_s_setting_without_a_value_is_refused(api: Any, setting: str) -> None:
    names = api.make_stage()
    with pytest.raises(ClientError, match=f"BadRequestException.*Invalid value 'None' for /\\*/\\*/{setting}"):
        api.client.update_stage(**names, patchOperations=[{"op": "replace", "path": f"/*/*/{setting}"}])


@pytest.mark.parametrize("limit", ["rateLimit", "burstLimit"])
def test_a_throttle_that_is_not_a_number_is_refused(api: Any, limit: str) -> None:
    stage = f"{api.names['restApiId']}:{api.make_stage()['stageName']}"
    names = api.make_usage_plan()
    api.client.update_usage_plan(**names, patchOperations=[{"op": "add", "path": "/apiStages", "value": stage}])
    before = answer_of(api.client, "get_usage_plan", **names)
    path = f"/apiStages/{stage}/throttle/~1pets~1GET/{limit}"
    for operation in (replace(path, "fast"), {"op": "replace", "path": path}):
        with pytest.raises(ClientError, match=r"BadRequestException.*Invalid patch value"):
            api.client.update_usage_plan(**names, patchOperations=[operation])
    assert answer_of(api.client, "get_usage_plan", **names) == before
    api.client.update_usage_plan(**names, patchOperations=[{"op": "remove", "path": "/apiStages", "value": stage}])
