"""What the page is told: both kinds of API, and the versions that answered their requests."""

from collections.abc import Callable
from typing import Any

import httpx

from serinus.offline.cloud.cloud import Cloud

CODE = 'def handler(event, context): return {"statusCode": 200, "body": "x" * 20000}'


def ask(cloud: Cloud, path: str) -> Any:
    return cloud.own_api().get(f"/console/{path}").json()


def test_a_request_to_an_http_api_is_seen_with_the_version_that_answered(
    cloud: Cloud, aws: Callable[..., Any], deploy_function: Any, unique_name: Callable[..., str]
) -> None:
    function, gateway = deploy_function(CODE), aws("apigatewayv2")
    aws("lambda").add_permission(
        FunctionName=function,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    arn = aws("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    api = gateway.create_api(Name=unique_name("http"), ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="POST /echo", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

    (described,) = [one for one in ask(cloud, "overview")["apis"] if one["id"] == api]
    assert described["path"] == f"/_gateway/{api}"
    assert described["authorization"] == ["NONE"]
    assert described["routes"] == [{"path": "/echo", "method": "POST", "function": function, "qualifier": None}]

    sent = httpx.post(f"{cloud.config.endpoint_url}{described['path']}/echo?a=1", content=b"\xff", trust_env=False)
    assert sent.status_code == 200
    (seen,) = [one for one in ask(cloud, "requests")["requests"] if one["api_id"] == api]
    assert (seen["method"], seen["path"], seen["status"], seen["version"]) == ("POST", "/echo?a=1", 200, "$LATEST")
    whole = ask(cloud, f"requests/{seen['number']}")
    assert whole["sent"] == {"size_bytes": 1, "content_type": "", "text": None}
    assert whole["answered"]["size_bytes"] == 20_000
    assert len(whole["answered"]["text"]) == 16_384
    assert "authorization" not in str(whole).lower()
