"""Deployments, stages and what is reported of their requests."""

import json
from collections.abc import Callable
from typing import Any

import pytest


def test_a_stage_serves_its_deployments_snapshot(rest_api: Callable[..., Any]) -> None:
    """Changes of an API take effect only when it is deployed again.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
    """
    api = rest_api()
    api.proxy("/old")
    api.deploy()
    api.proxy("/new")
    assert api.call(path="/new").status_code == 403
    api.deploy()
    assert api.call(path="/new").status_code == 200


def test_a_stage_can_be_pointed_back_to_an_earlier_deployment(rest_api: Callable[..., Any]) -> None:
    """Replacing deploymentId of a stage serves that deployment's snapshot again.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-deployments.html
    """
    api = rest_api()
    api.proxy("/old")
    first = api.deploy()
    api.client.delete_resource(restApiId=api.id, resourceId=api.resource("/old"))
    api.proxy("/new")
    api.deploy()
    assert api.call(path="/old").status_code == 403
    api.client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
    )
    assert api.event(path="/old")["requestContext"]["deploymentId"] == first
    assert api.call(path="/new").status_code == 403


def test_binary_media_types_need_a_new_deployment(rest_api: Callable[..., Any]) -> None:
    """binaryMediaTypes of an API take effect with its next deployment.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-configure-with-console.html
    """
    api = rest_api()
    api.proxy("/")
    api.deploy()
    api.client.update_rest_api(
        restApiId=api.id, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/image~1png"}]
    )
    picture = {"content": b"\x89", "headers": {"Content-Type": "image/png"}}
    assert api.event("POST", **picture)["isBase64Encoded"] is False
    api.deploy()
    assert api.event("POST", **picture)["isBase64Encoded"] is True


def test_two_stages_may_serve_two_deployments(rest_api: Callable[..., Any]) -> None:
    """Each stage has its own deployment.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-stages.html
    """
    api = rest_api()
    api.proxy("/one")
    api.deploy("first")
    api.proxy("/two")
    api.deploy("second")
    assert api.call(path="/two", stage="first").status_code == 403
    assert api.call(path="/two", stage="second").status_code == 200


def test_a_deployment_in_use_cannot_be_deleted(rest_api: Callable[..., Any]) -> None:
    """DeleteDeployment is refused while a stage points to the deployment.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteDeployment.html
    """
    api = rest_api()
    api.proxy("/")
    deployment = api.deploy()
    with pytest.raises(api.client.exceptions.BadRequestException, match="must be moved or deleted"):
        api.client.delete_deployment(restApiId=api.id, deploymentId=deployment)
    api.client.delete_stage(restApiId=api.id, stageName="prod")
    api.client.delete_deployment(restApiId=api.id, deploymentId=deployment)
    assert api.client.get_deployments(restApiId=api.id)["items"] == []


def test_an_api_without_methods_or_integrations_cannot_be_deployed(rest_api: Callable[..., Any]) -> None:
    """CreateDeployment requires a method, and an integration for every method.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
    """
    api = rest_api()
    with pytest.raises(api.client.exceptions.BadRequestException, match="doesn't contain any methods"):
        api.deploy()
    api.method("/", "GET")
    with pytest.raises(api.client.exceptions.BadRequestException, match="No integration defined for method"):
        api.deploy()


def test_a_stage_in_a_usage_plan_cannot_be_deleted(
    rest_api: Callable[..., Any], usage_plan: Callable[..., Any]
) -> None:
    """A stage in a usage plan cannot be deleted, nor can a usage plan with stages.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-create-usage-plans.html
    """
    api = rest_api()
    api.proxy("/")
    api.deploy()
    plan_id, _ = usage_plan(api)
    bad_request = api.client.exceptions.BadRequestException
    with pytest.raises(bad_request):
        api.client.delete_stage(restApiId=api.id, stageName="prod")
    with pytest.raises(bad_request):
        api.client.delete_usage_plan(usagePlanId=plan_id)
    api.client.update_usage_plan(
        usagePlanId=plan_id,
        patchOperations=[{"op": "remove", "path": "/apiStages", "value": f"{api.id}:prod"}],
    )
    api.client.delete_stage(restApiId=api.id, stageName="prod")
    api.client.delete_usage_plan(usagePlanId=plan_id)


def test_stage_settings_are_patched_by_path(rest_api: Callable[..., Any]) -> None:
    """UpdateStage sets variables, tracing and method settings by patch paths; values are strings.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
    """
    api = rest_api()
    api.proxy("/")
    api.deploy(variables={"gone": "1"})
    stage = api.client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[
            {"op": "replace", "path": "/variables/colour", "value": "yellow"},
            {"op": "remove", "path": "/variables/gone"},
            {"op": "replace", "path": "/tracingEnabled", "value": "true"},
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "12.5"},
            {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"},
        ],
    )
    assert stage["variables"] == {"colour": "yellow"}
    assert stage["tracingEnabled"] is True
    settings = stage["methodSettings"]["*/*"]
    assert (settings["throttlingRateLimit"], settings["loggingLevel"]) == (12.5, "INFO")


def test_access_logs_are_written_in_the_stages_format(
    rest_api: Callable[..., Any], aws: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    """A stage's access log has one line per request, with $context variables replaced and "-" for unset ones.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    api = rest_api()
    api.proxy("/known")
    api.deploy()
    group = f"/access/{api.id}"
    aws("logs").create_log_group(logGroupName=group)
    line = (
        '{"id":"$context.requestId","path":"$context.resourcePath","status":$context.status,'
        '"key":"$context.identity.apiKey"}'
    )
    api.client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[
            {
                "op": "replace",
                "path": "/accessLogSettings/destinationArn",
                "value": f"arn:aws:logs:us-east-1:123456789012:log-group:{group}",
            },
            {"op": "replace", "path": "/accessLogSettings/format", "value": line},
        ],
    )
    request_id = api.call(path="/known").headers["x-amzn-requestid"]
    api.call(path="/unknown")
    events = eventually(
        lambda: (
            (found := aws("logs").filter_log_events(logGroupName=group)["events"]) and len(found) == 2 and found
        )
    )
    logged = [json.loads(event["message"]) for event in events]
    assert logged[0] == {"id": request_id, "path": "/known", "status": 200, "key": "-"}
    assert (logged[1]["path"], logged[1]["status"]) == ("-", 403)


def test_execution_logs_tell_why_a_request_failed(
    rest_api: Callable[..., Any], aws: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    """At logging level ERROR, API-Gateway-Execution-Logs_{api}/{stage} holds the reason of a failure.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    api = rest_api()
    api.proxy("/")
    api.deploy()
    level = {"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}
    api.client.update_stage(restApiId=api.id, stageName="prod", patchOperations=[level])
    api.call()
    request_id = api.answer("malformed").headers["x-amzn-requestid"]
    group = f"API-Gateway-Execution-Logs_{api.id}/prod"
    eventually(lambda: aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"])
    lines = [event["message"] for event in aws("logs").filter_log_events(logGroupName=group)["events"]]
    assert all(line.startswith(f"({request_id}) ") for line in lines)
    assert any("Malformed Lambda proxy response" in line for line in lines)
    assert lines[-1].endswith("Method completed with status: 502")


def test_requests_are_counted_by_api_and_stage(
    rest_api: Callable[..., Any], aws: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    """AWS/ApiGateway has Count, 4XXError, 5XXError and Latency by ApiName, and by ApiName and Stage.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    """
    api = rest_api()
    name = api.client.get_rest_api(restApiId=api.id)["name"]
    api.proxy("/known")
    api.deploy()
    for path in ("/known", "/known", "/unknown"):
        api.call(path=path)
    now = api.cloud.clock.time()

    def total(metric: str, statistic: str = "Sum") -> float:
        points = aws("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=metric,
            Dimensions=[{"Name": "ApiName", "Value": name}, {"Name": "Stage", "Value": "prod"}],
            StartTime=now - 600,
            EndTime=now + 600,
            Period=1200,
            Statistics=[statistic],
        )["Datapoints"]
        return float(sum(point[statistic] for point in points))

    assert eventually(lambda: total("Count") == 3)
    assert total("4XXError") == 1
    assert total("5XXError") == 0
    assert total("Latency", "SampleCount") == 3
    assert total("IntegrationLatency", "SampleCount") == 2


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_export", {"restApiId": "a", "stageName": "b", "exportType": "oas30"}),
        ("import_rest_api", {"body": b"{}"}),
        ("create_vpc_link", {"name": "link", "targetArns": []}),
        ("test_invoke_method", {"restApiId": "a", "resourceId": "b", "httpMethod": "GET"}),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(
    aws: Callable[..., Any], operation: str, parameters: dict[str, Any]
) -> None:
    """Exports, imports, VPC links and test invocations are refused, never ignored.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
    """
    client = aws("apigateway")
    with pytest.raises(
        client.exceptions.ClientError, match=f"does not model apigateway:{operation.title().replace('_', '')}"
    ):
        getattr(client, operation)(**parameters)


def test_lists_come_in_pages(aws: Callable[..., Any], unique_name: Callable[..., str]) -> None:
    """Lists return limit items, and position selects the next page.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html
    """
    client, prefix = aws("apigateway"), unique_name("paged")
    for number in range(5):
        client.create_api_key(name=f"{prefix}-{number}")
    pages = client.get_paginator("get_api_keys").paginate(nameQuery=prefix, PaginationConfig={"PageSize": 2})
    assert [len(page["items"]) for page in pages] == [2, 2, 1]


@pytest.mark.parametrize("kind", ["HTTP", "HTTP_PROXY", "AWS"])
def test_other_integrations_are_refused(rest_api: Callable[..., Any], kind: str) -> None:
    """Only Lambda proxies and mocks are modelled; the others are refused when they are put.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html
    """
    api = rest_api()
    place = api.method("/", "GET")
    with pytest.raises(api.client.exceptions.ClientError, match=f"integrations of type {kind}"):
        api.client.put_integration(**place, type=kind, integrationHttpMethod="GET", uri="http://example.org")


def test_integration_timeouts_have_bounds(rest_api: Callable[..., Any]) -> None:
    """An integration's timeout is 50 ms to 29 s.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    """
    api = rest_api()
    for timeout_ms in (49, 29_001):
        with pytest.raises(api.client.exceptions.BadRequestException, match="50 ms and 29000 ms"):
            api.proxy(f"/t{timeout_ms}", timeoutInMillis=timeout_ms)


def test_key_values_may_be_chosen_within_bounds(aws: Callable[..., Any], unique_name: Callable[..., str]) -> None:
    """A chosen key has 20 to 128 characters and is unique; values are shown on request only.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-key-file-format.html
    """
    client, value = aws("apigateway"), unique_name("a-value-of-twenty-characters")
    key = client.create_api_key(name="k", value=value)
    assert "value" not in client.get_api_key(apiKey=key["id"])
    assert client.get_api_key(apiKey=key["id"], includeValue=True)["value"] == value
    with pytest.raises(client.exceptions.ConflictException):
        client.create_api_key(name="k", value=value)
    with pytest.raises(client.exceptions.BadRequestException, match="at least 20 characters"):
        client.create_api_key(name="k", value="short")


def test_a_new_api_has_a_root_and_two_models(rest_api: Callable[..., Any]) -> None:
    """CreateRestApi makes the root resource and the models Empty and Error.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
    """
    api = rest_api()
    assert [one["path"] for one in api.client.get_resources(restApiId=api.id)["items"]] == ["/"]
    assert {one["name"] for one in api.client.get_models(restApiId=api.id)["items"]} == {"Empty", "Error"}


def test_siblings_may_not_share_a_name_or_a_variable(rest_api: Callable[..., Any]) -> None:
    """A parent has each path part once, and at most one {variable}.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
    """
    api = rest_api()
    api.resource("/a")
    api.resource("/{b}")
    with pytest.raises(api.client.exceptions.ConflictException):
        api.client.create_resource(restApiId=api.id, parentId=api.root, pathPart="a")
    with pytest.raises(api.client.exceptions.BadRequestException, match="only one is allowed"):
        api.client.create_resource(restApiId=api.id, parentId=api.root, pathPart="{c}")


def test_gateway_responses_are_listed_with_their_defaults(rest_api: Callable[..., Any]) -> None:
    """GetGatewayResponses lists every type; those not set are defaults.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetGatewayResponses.html
    """
    api = rest_api()
    api.client.put_gateway_response(restApiId=api.id, responseType="THROTTLED", statusCode="503")
    listed = {one["responseType"]: one for one in api.client.get_gateway_responses(restApiId=api.id)["items"]}
    assert (listed["THROTTLED"]["defaultResponse"], listed["THROTTLED"]["statusCode"]) == (False, "503")
    assert (listed["QUOTA_EXCEEDED"]["defaultResponse"], listed["QUOTA_EXCEEDED"]["statusCode"]) == (True, "429")


def test_tags_are_kept_by_arn(rest_api: Callable[..., Any]) -> None:
    """APIs and stages are tagged by ARN.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging.html
    """
    api = rest_api(tags={"a": "1"})
    api.proxy("/")
    api.deploy()
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api.id}"
    api.client.tag_resource(resourceArn=arn, tags={"b": "2"})
    api.client.untag_resource(resourceArn=arn, tagKeys=["a"])
    api.client.tag_resource(resourceArn=f"{arn}/stages/prod", tags={"c": "3"})
    assert api.client.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    assert api.client.get_stage(restApiId=api.id, stageName="prod")["tags"] == {"c": "3"}
