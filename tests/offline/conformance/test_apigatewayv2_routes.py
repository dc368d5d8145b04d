"""How HTTP APIs find a stage and a route, and what their control plane refuses."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

NOT_FOUND = {"message": "Not Found"}


def taken(api: Any, method: str, path: str) -> str:
    key: str = api.event(method, path)["routeKey"]
    return key


def test_the_most_specific_route_is_taken(http_api: Callable[..., Any]) -> None:
    """A full match comes before a greedy path variable, and $default comes last.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
    """
    api = http_api()
    for key in ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"):
        api.route(key)
    assert taken(api, "GET", "/pets/dog/1") == "GET /pets/dog/1"
    assert taken(api, "GET", "/pets/dog/2") == "GET /pets/dog/{id}"
    assert taken(api, "GET", "/pets/cat/1") == "GET /pets/{proxy+}"
    assert taken(api, "POST", "/test/5") == "ANY /{proxy+}"
    assert taken(api, "GET", "/") == "$default"


def test_a_request_without_a_route_is_not_found(http_api: Callable[..., Any]) -> None:
    """Without a matching route, for the method too, the answer is 404 Not Found.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
    """
    api = http_api()
    api.route("GET /here")
    for method, path in (("GET", "/"), ("POST", "/here"), ("GET", "/here/and/there"), ("GET", "/%2e%2e/here")):
        answer = api.call(method, path)
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    assert answer.headers["apigw-requestid"]


def test_a_named_stage_is_the_first_part_of_the_path(http_api: Callable[..., Any]) -> None:
    """A request reaches the stage that its path begins with, else $default; rawPath includes the stage's name.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
    """
    api = http_api()
    api.route()
    api.client.create_stage(ApiId=api.id, StageName="beta", AutoDeploy=True)
    named, default = api.event(path="/beta/a"), api.event(path="/alpha/a")
    assert (named["requestContext"]["stage"], named["rawPath"]) == ("beta", "/beta/a")
    assert (default["requestContext"]["stage"], default["rawPath"]) == ("$default", "/alpha/a")


def test_without_a_default_stage_other_paths_are_not_found(http_api: Callable[..., Any]) -> None:
    """If there is no $default stage, the API answers 404 Not Found.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
    """
    api = http_api()
    api.route()
    api.client.delete_stage(ApiId=api.id, StageName="$default")
    answer = api.call(path="/a")
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_an_http_api_answers_under_its_own_host_name(open_api: Any) -> None:
    """The $default stage is served from the base of https://{api}.execute-api.{region}.amazonaws.com.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
    """
    host = f"{open_api.id}.execute-api.us-east-1.amazonaws.com"
    url = f"{open_api.cloud.config.endpoint_url}/here?a=1"
    event = httpx.get(url, headers={"Host": host}, trust_env=False).json()
    assert (event["rawPath"], event["requestContext"]["domainName"]) == ("/here", host)


def test_a_disabled_endpoint_is_not_found(http_api: Callable[..., Any]) -> None:
    """With disableExecuteApiEndpoint the API's own URL answers 404 Not Found.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-disable-default-endpoint.html
    """
    api = http_api(DisableExecuteApiEndpoint=True)
    api.route()
    assert api.call().json() == NOT_FOUND


def test_a_stage_without_automatic_deployments_serves_its_deployment(http_api: Callable[..., Any]) -> None:
    """Changes reach a stage without autoDeploy only by a new deployment.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html
    """
    api = http_api()
    api.route("GET /one")
    api.client.create_stage(ApiId=api.id, StageName="calm")
    api.client.create_deployment(ApiId=api.id, StageName="calm")
    api.route("GET /two")
    assert [api.call(path=f"/calm/{part}").status_code for part in ("one", "two")] == [200, 404]
    api.client.create_deployment(ApiId=api.id, StageName="calm")
    assert api.call(path="/calm/two").status_code == 200


def test_a_stage_throttles_a_route(http_api: Callable[..., Any]) -> None:
    """Requests above a route's rate and burst give 429 Too Many Requests; other routes have the stage's default.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
    """
    api = http_api()
    for path in ("/slow", "/fast"):
        api.route(f"GET {path}")
    api.client.update_stage(
        ApiId=api.id,
        StageName="$default",
        DefaultRouteSettings={"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 1000},
        RouteSettings={"GET /slow": {"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 1}},
    )
    assert api.call(path="/slow").status_code == 200
    answer = api.call(path="/slow")
    assert (answer.status_code, answer.json()) == (429, {"message": "Too Many Requests"})
    assert [api.call(path="/fast").status_code for _ in range(2)] == [200, 200]


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_route_settings_name_routes_that_exist(open_api: Any) -> None:
    """Settings for a route key that the API lacks are rejected with NotFoundException.

    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
    """
    settings = {"GET /nowhere": {"ThrottlingBurstLimit": 1}}
    code, message = refused(
        open_api.client.update_stage, ApiId=open_api.id, StageName="$default", RouteSettings=settings
    )
    assert (code, "GET /nowhere" in message) == ("NotFoundException", True)


@pytest.mark.parametrize("key", ["GET", "get /a", "GET a", "GET /{a+}/b", "FETCH /a", "GET /a//b", "GET /{a"])
def test_a_route_key_has_a_form(http_api: Callable[..., Any], key: str) -> None:
    """A route key is a method and a path, or $default; a greedy variable ends it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
    """
    api = http_api()
    assert refused(api.client.create_route, ApiId=api.id, RouteKey=key)[0] == "BadRequestException"


def test_a_route_key_is_used_once(open_api: Any) -> None:
    """A second route with the same key is a ConflictException.

    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html
    """
    code, _ = refused(open_api.client.create_route, ApiId=open_api.id, RouteKey="$default")
    assert code == "ConflictException"


def test_http_apis_have_no_api_keys(open_api: Any) -> None:
    """API keys and usage plans are REST APIs' only: apiKeyRequired is refused.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
    """
    code, _ = refused(open_api.client.create_route, ApiId=open_api.id, RouteKey="GET /key", ApiKeyRequired=True)
    assert code == "BadRequestException"


def test_an_integration_waits_thirty_seconds_at_most(open_api: Any) -> None:
    """An HTTP API's integration timeout is 50 ms to 30 s.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    """
    for timeout_ms in (49, 30_001):
        with pytest.raises(ClientError, match="BadRequestException"):
            open_api.integration(TimeoutInMillis=timeout_ms)
    open_api.integration(TimeoutInMillis=30_000)


def test_what_a_route_targets_cannot_be_deleted(http_api: Callable[..., Any]) -> None:
    """An integration in use is a ConflictException to delete.

    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html
    """
    api = http_api()
    target = api.integration()
    api.route("GET /a", Target=target)
    identity = target.removeprefix("integrations/")
    code, _ = refused(api.client.delete_integration, ApiId=api.id, IntegrationId=identity)
    assert code == "ConflictException"


def test_web_sockets_and_other_integrations_are_refused_by_name(http_api: Callable[..., Any]) -> None:
    """WebSocket APIs, HTTP integrations, VPC links, parameter mappings and Lambda authorizers are not modelled.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html
    """
    api = http_api()
    client = api.client
    calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (client.create_api, {"Name": "ws", "ProtocolType": "WEBSOCKET"}),
        (client.create_integration, {"ApiId": api.id, "IntegrationType": "HTTP_PROXY"}),
        (client.create_vpc_link, {"Name": "v", "SubnetIds": ["subnet-1"]}),
        (
            client.create_authorizer,
            {
                "ApiId": api.id,
                "AuthorizerType": "REQUEST",
                "IdentitySource": ["$request.header.Authorization"],
                "Name": "a",
            },
        ),
    ]
    for call, params in calls:
        assert refused(call, **params)[0] == "NotImplemented"


def test_apis_and_their_parts_are_listed(open_api: Any) -> None:
    """GetApis, GetStages, GetRoutes and GetIntegrations return pages.

    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
    """
    client, api_id = open_api.client, open_api.id
    route = client.get_routes(ApiId=api_id)["Items"][0]
    integration = client.get_integrations(ApiId=api_id)["Items"][0]
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"
    assert [stage["StageName"] for stage in client.get_stages(ApiId=api_id)["Items"]] == ["$default"]
    endpoint = client.get_api(ApiId=api_id)["ApiEndpoint"]
    assert endpoint == f"https://{api_id}.execute-api.us-east-1.amazonaws.com"
    pages = client.get_paginator("get_apis").paginate(PaginationConfig={"PageSize": 1})
    assert api_id in [api["ApiId"] for page in pages for api in page["Items"]]


def test_requests_are_logged_and_counted(
    open_api: Any, aws: Callable[..., Any], unique_name: Callable[..., str], eventually: Callable[..., Any]
) -> None:
    """A stage logs each request in its format; Count, 4xx and 5xx are metrics by ApiId.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
    """
    group, logs = unique_name("log"), aws("logs")
    logs.create_log_group(logGroupName=group)
    open_api.client.update_stage(
        ApiId=open_api.id,
        StageName="$default",
        AccessLogSettings={
            "DestinationArn": f"arn:aws:logs:us-east-1:123456789012:log-group:{group}",
            "Format": "$context.routeKey $context.status $context.path $context.integrationErrorMessage",
        },
    )
    open_api.call(path="/seen")
    found = eventually(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert found[0]["message"] == "$default 200 /seen -"
    metrics = aws("cloudwatch").list_metrics(
        Namespace="AWS/ApiGateway", Dimensions=[{"Name": "ApiId", "Value": open_api.id}]
    )["Metrics"]
    assert {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"} <= {one["MetricName"] for one in metrics}
