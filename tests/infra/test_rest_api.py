"""The REST API in front: its routes, who may call them, its limits."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from cfnlint.api import lint as cfn_lint

from serinus.infra.constructs.rest_api import RestFront

Fronts = Callable[..., Template]
KEY, OPEN, SIGNED = (True, "NONE"), (False, "NONE"), (False, "AWS_IAM")


@pytest.fixture(scope="module")
def template(front_template: Callable[..., Template]) -> Fronts:
    def create(**changes: Any) -> Template:
        return front_template(RestFront, stage="live", **changes)

    return create


def methods(made: Template) -> dict[tuple[str, str], tuple[bool, str]]:
    """(path part, verb) -> whether a key is needed, and the kind of authorization."""
    resources = made.find_resources("AWS::ApiGateway::Resource")
    found = [method["Properties"] for method in made.find_resources("AWS::ApiGateway::Method").values()]
    return {
        (resources[method["ResourceId"]["Ref"]]["Properties"]["PathPart"], method["HttpMethod"]): (
            method["ApiKeyRequired"],
            method["AuthorizationType"],
        )
        for method in found
    }


def test_every_path_goes_to_the_alias_and_needs_a_key(template: Fronts) -> None:
    made = template()
    (alias,) = made.find_resources("AWS::Lambda::Alias")

    assert methods(made) == {("{proxy+}", "ANY"): KEY}
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


def test_the_api_may_invoke_the_alias_and_only_it_may(template: Fronts) -> None:
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


def test_the_api_is_regional_with_one_stage(template: Fronts) -> None:
    made = template()

    made.has_resource_properties("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["REGIONAL"]}})
    made.has_resource_properties("AWS::ApiGateway::Stage", {"StageName": "live"})
    made.resource_count_is("AWS::ApiGateway::Account", 0)


def test_the_key_is_under_a_usage_plan_with_the_limits_asked_for(template: Fronts) -> None:
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


def test_a_quota_is_set_when_asked_for(template: Fronts) -> None:
    template(quota_requests=5000, quota_period="week").has_resource_properties(
        "AWS::ApiGateway::UsagePlan", {"Quota": {"Limit": 5000, "Period": "WEEK"}}
    )


def test_docs_are_reached_without_a_key_when_served(template: Fronts) -> None:
    assert methods(template(docs=True)) == {
        ("{proxy+}", "ANY"): KEY,
        ("docs", "GET"): OPEN,
        ("openapi.json", "GET"): OPEN,
    }


def test_pages_of_chosen_origins_may_call(template: Fronts) -> None:
    made = template(cors_origins=("https://app.example",))
    answer = {
        "method.response.header.Access-Control-Allow-Origin": "'https://app.example'",
        "method.response.header.Access-Control-Allow-Headers": (
            "'accept,content-encoding,content-type,inference-header-content-length,x-api-key'"
        ),
    }

    assert methods(made)["{proxy+}", "OPTIONS"] == OPEN
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


@pytest.mark.parametrize("origins", [("https://app.example",), ("https://app.example", "https://other.example")])
def test_both_templates_of_a_preflight_are_read_as_text(template: Fronts, origins: tuple[str, ...]) -> None:
    """The second origin adds a template to the response, and every media type is binary."""
    as_text = Match.object_like({"ContentHandling": "CONVERT_TO_TEXT"})
    template(cors_origins=origins).has_resource_properties(
        "AWS::ApiGateway::Method",
        {
            "HttpMethod": "OPTIONS",
            "Integration": Match.object_like(
                {"ContentHandling": "CONVERT_TO_TEXT", "IntegrationResponses": [as_text]}
            ),
        },
    )


def test_pages_may_read_the_apis_own_errors_where_they_may_call(template: Fronts) -> None:
    made = template(cors_origins=("https://app.example",))

    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        made.has_resource_properties(
            "AWS::ApiGateway::GatewayResponse",
            {
                "ResponseType": kind,
                "ResponseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            },
        )


def test_no_page_may_call_unless_asked(template: Fronts) -> None:
    template().resource_count_is("AWS::ApiGateway::GatewayResponse", 0)


def test_the_stack_gets_no_output_that_nobody_named(template: Fronts) -> None:
    assert template().find_outputs("*") == {}


def test_with_iam_every_path_but_the_docs_wants_a_signature(template: Fronts) -> None:
    assert methods(template(auth="iam", docs=True)) == {
        ("{proxy+}", "ANY"): SIGNED,
        ("docs", "GET"): OPEN,
        ("openapi.json", "GET"): OPEN,
    }


def test_a_public_endpoint_has_one_open_path(template: Fronts) -> None:
    assert methods(template(auth="public", docs=True)) == {("{proxy+}", "ANY"): OPEN}


@pytest.mark.parametrize("auth", ["iam", "public"])
def test_without_keys_the_whole_stage_is_throttled(template: Fronts, auth: str) -> None:
    made = template(auth=auth, rate_limit_per_s=7, burst_limit=9)
    throttle = {"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 7, "ThrottlingBurstLimit": 9}

    made.has_resource_properties("AWS::ApiGateway::Stage", {"MethodSettings": [Match.object_like(throttle)]})
    for kind in ("ApiKey", "UsagePlan", "UsagePlanKey"):
        made.resource_count_is(f"AWS::ApiGateway::{kind}", 0)


def test_with_keys_the_stage_has_no_throttle_of_its_own(template: Fronts) -> None:
    template().has_resource_properties("AWS::ApiGateway::Stage", {"MethodSettings": Match.absent()})


def test_pages_may_send_what_a_signature_is_made_of(template: Fronts) -> None:
    made = template(auth="iam", cors_origins=("https://app.example",))
    sent = (
        "'accept,authorization,content-encoding,content-type,inference-header-content-length,"
        "x-amz-content-sha256,x-amz-date,x-amz-security-token'"
    )
    answer = {"method.response.header.Access-Control-Allow-Headers": sent}

    assert methods(made)["{proxy+}", "OPTIONS"] == OPEN
    made.has_resource_properties(
        "AWS::ApiGateway::Method",
        {
            "HttpMethod": "OPTIONS",
            "Integration": {
                "IntegrationResponses": [Match.object_like({"ResponseParameters": Match.object_like(answer)})]
            },
        },
    )


def test_tokens_are_refused(template: Fronts) -> None:
    with pytest.raises(ValueError, match="does not accept tokens of any issuer"):
        template(auth="jwt")


@pytest.mark.slow
@pytest.mark.parametrize("auth", ["iam", "public"])
def test_cfn_lint_has_no_error_and_no_warning(template: Fronts, auth: str) -> None:
    made = template(auth=auth, docs=True, cors_origins=("https://app.example",))

    assert [str(match) for match in cfn_lint(json.dumps(made.to_json()))] == []
