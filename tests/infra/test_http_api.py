from functools import cache
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Match, Template

from infra.constructs.http_api import CORS_HEADERS, HttpApi

CONFIGURATION: dict[str, Any] = {
    "name": "shop-dev-churn",
    "stage": "live",
    "docs": False,
    "cors_origins": (),
    "rate_limit_per_s": 100,
    "burst_limit": 200,
    "quota_requests": 0,
    "quota_period": "month",
}


@cache
def template(**changes: Any) -> Template:
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Test")
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("handler = None"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    alias = lambda_.Alias(stack, "Alias", alias_name="live", version=function.current_version)
    HttpApi(stack, "Http", backend=alias, **(CONFIGURATION | changes))
    return Template.from_stack(stack)


def methods(made: Template) -> dict[tuple[str, str], bool]:
    """(path part, verb) -> whether a key is needed."""
    resources = made.find_resources("AWS::ApiGateway::Resource")
    found = [method["Properties"] for method in made.find_resources("AWS::ApiGateway::Method").values()]
    return {
        (resources[method["ResourceId"]["Ref"]]["Properties"]["PathPart"], method["HttpMethod"]): method[
            "ApiKeyRequired"
        ]
        for method in found
    }


def test_every_path_goes_to_the_alias_and_needs_a_key() -> None:
    made = template()
    (alias,) = made.find_resources("AWS::Lambda::Alias")

    assert methods(made) == {("{proxy+}", "ANY"): True}
    made.has_resource_properties(
        "AWS::ApiGateway::Method",
        {
            "Integration": {
                "Type": "AWS_PROXY",
                "IntegrationHttpMethod": "POST",
                "Uri": {"Fn::Join": ["", Match.array_with([{"Ref": alias}, "/invocations"])]},
            }
        },
    )


def test_the_api_may_invoke_the_alias_and_only_it_may() -> None:
    made = template()
    (alias,) = made.find_resources("AWS::Lambda::Alias")
    (api,) = made.find_resources("AWS::ApiGateway::RestApi")

    made.resource_count_is("AWS::Lambda::Permission", 1)
    made.has_resource_properties(
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": alias},
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Join": ["", Match.array_with([{"Ref": api}, "/*/*/*"])]},
        },
    )


def test_the_api_is_regional_with_one_stage() -> None:
    made = template()

    made.has_resource_properties("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["REGIONAL"]}})
    made.has_resource_properties("AWS::ApiGateway::Stage", {"StageName": "live"})
    made.resource_count_is("AWS::ApiGateway::Account", 0)


def test_the_key_is_under_a_usage_plan_with_the_limits_asked_for() -> None:
    made = template(rate_limit_per_s=7, burst_limit=9)
    (key,) = made.find_resources("AWS::ApiGateway::ApiKey")
    (plan,) = made.find_resources("AWS::ApiGateway::UsagePlan")
    (stage,) = made.find_resources("AWS::ApiGateway::Stage")

    made.has_resource_properties(
        "AWS::ApiGateway::UsagePlan",
        {
            "Throttle": {"RateLimit": 7, "BurstLimit": 9},
            "Quota": Match.absent(),
            "ApiStages": [Match.object_like({"Stage": {"Ref": stage}})],
        },
    )
    made.has_resource_properties(
        "AWS::ApiGateway::UsagePlanKey", {"KeyId": {"Ref": key}, "UsagePlanId": {"Ref": plan}}
    )


def test_a_quota_is_set_when_asked_for() -> None:
    template(quota_requests=5000, quota_period="week").has_resource_properties(
        "AWS::ApiGateway::UsagePlan", {"Quota": {"Limit": 5000, "Period": "WEEK"}}
    )


def test_docs_are_reached_without_a_key_when_served() -> None:
    assert methods(template(docs=True)) == {
        ("{proxy+}", "ANY"): True,
        ("docs", "GET"): False,
        ("openapi.json", "GET"): False,
    }


def test_pages_of_chosen_origins_may_call() -> None:
    made = template(cors_origins=("https://app.example",))
    answer = {
        "method.response.header.Access-Control-Allow-Origin": "'https://app.example'",
        "method.response.header.Access-Control-Allow-Headers": f"'{','.join(CORS_HEADERS)}'",
    }

    assert methods(made)["{proxy+}", "OPTIONS"] is False
    made.has_resource_properties(
        "AWS::ApiGateway::Method",
        {
            "HttpMethod": "OPTIONS",
            "Integration": {
                "Type": "MOCK",
                "ContentHandling": "CONVERT_TO_TEXT",
                "IntegrationResponses": [Match.object_like({"ResponseParameters": Match.object_like(answer)})],
            },
        },
    )


def test_pages_may_read_the_apis_own_errors_where_they_may_call() -> None:
    made = template(cors_origins=("https://app.example",))

    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        made.has_resource_properties(
            "AWS::ApiGateway::GatewayResponse",
            {
                "ResponseType": kind,
                "ResponseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            },
        )


def test_no_page_may_call_unless_asked() -> None:
    template().resource_count_is("AWS::ApiGateway::GatewayResponse", 0)


def test_the_stack_gets_no_output_that_nobody_named() -> None:
    assert template().find_outputs("*") == {}
