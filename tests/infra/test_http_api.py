"""The HTTP API in front: its routes, who may call them, its limits."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from cfnlint.api import lint as cfn_lint

from serinus.infra.constructs.http_api import HttpFront
from serinus.infra.settings import JwtSettings
from serinus.lambda_handlers.contract.signals import EXPOSED_HEADERS

Fronts = Callable[..., Template]
JWT = JwtSettings(issuer="https://issuer.example/tenant", audience=("serving", "other"))
SCOPED = JwtSettings(issuer="https://issuer.example/tenant", audience=("serving",), scopes=("predict",))


@pytest.fixture(scope="module")
def template(front_template: Callable[..., Template]) -> Fronts:
    def create(**changes: Any) -> Template:
        return front_template(HttpFront, **{"auth": "iam", **changes})

    return create


def routes(made: Template) -> dict[str, str]:
    """Route key -> kind of authorization."""
    found = (one["Properties"] for one in made.find_resources("AWS::ApiGatewayV2::Route").values())
    return {route["RouteKey"]: route["AuthorizationType"] for route in found}


def test_every_path_goes_to_the_alias_as_payload_2(template: Fronts) -> None:
    made = template()
    (alias,) = made.find_resources("AWS::Lambda::Alias")

    made.has_resource_properties(
        "AWS::ApiGatewayV2::Integration",
        {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": {"Ref": alias}},
    )
    assert routes(made) == {"ANY /{proxy+}": "AWS_IAM"}


def test_the_api_may_invoke_the_alias_and_only_it_may(template: Fronts) -> None:
    made = template(docs=True, cors_origins=("https://app.example",))
    (alias,) = made.find_resources("AWS::Lambda::Alias")
    (api,) = made.find_resources("AWS::ApiGatewayV2::Api")

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


def test_it_answers_at_its_hosts_root_and_is_throttled_as_a_whole(template: Fronts) -> None:
    template(rate_limit_per_s=7, burst_limit=9).has_resource_properties(
        "AWS::ApiGatewayV2::Stage",
        {
            "StageName": "$default",
            "AutoDeploy": True,
            "DefaultRouteSettings": {"ThrottlingRateLimit": 7, "ThrottlingBurstLimit": 9},
        },
    )


@pytest.mark.parametrize(("jwt", "scopes"), [(JWT, Match.absent()), (SCOPED, ["predict"])])
def test_tokens_of_an_issuer_open_every_path(template: Fronts, jwt: JwtSettings, scopes: Any) -> None:
    made = template(auth="jwt", jwt=jwt)
    (authorizer,) = made.find_resources("AWS::ApiGatewayV2::Authorizer")

    made.has_resource_properties(
        "AWS::ApiGatewayV2::Authorizer",
        {
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": jwt.issuer, "Audience": list(jwt.audience)},
        },
    )
    made.has_resource_properties(
        "AWS::ApiGatewayV2::Route",
        {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": authorizer}, "AuthorizationScopes": scopes},
    )


def test_docs_are_open_beside_guarded_paths(template: Fronts) -> None:
    assert routes(template(auth="jwt", jwt=JWT, docs=True)) == {
        "ANY /{proxy+}": "JWT",
        "GET /docs": "NONE",
        "GET /openapi.json": "NONE",
    }


def test_a_public_endpoint_has_one_open_path(template: Fronts) -> None:
    made = template(auth="public", docs=True, cors_origins=("*",))

    assert routes(made) == {"ANY /{proxy+}": "NONE"}


def test_preflights_of_chosen_origins_need_no_token(template: Fronts) -> None:
    made = template(auth="jwt", jwt=JWT, cors_origins=("https://app.example",))

    assert routes(made)["OPTIONS /{proxy+}"] == "NONE"
    made.has_resource_properties(
        "AWS::ApiGatewayV2::Api",
        {
            "CorsConfiguration": {
                "AllowOrigins": ["https://app.example"],
                "AllowMethods": ["GET", "POST", "OPTIONS"],
                "AllowHeaders": [
                    "accept",
                    "authorization",
                    "content-encoding",
                    "content-type",
                    "inference-header-content-length",
                ],
                "ExposeHeaders": list(EXPOSED_HEADERS),
                "MaxAge": 3600,
            }
        },
    )


def test_no_page_may_call_unless_asked(template: Fronts) -> None:
    template().has_resource_properties("AWS::ApiGatewayV2::Api", {"CorsConfiguration": Match.absent()})


def test_keys_and_tokens_of_nobody_are_refused(template: Fronts) -> None:
    with pytest.raises(ValueError, match="has no keys"):
        template(auth="api_key")
    with pytest.raises(ValueError, match=r"jwt\.issuer is not set"):
        template(auth="jwt")


@pytest.mark.slow
@pytest.mark.parametrize("auth", ["iam", "jwt", "public"])
def test_cfn_lint_has_no_error_and_no_warning(template: Fronts, auth: str) -> None:
    made = template(auth=auth, docs=True, cors_origins=("https://app.example",), jwt=SCOPED)

    assert [str(match) for match in cfn_lint(json.dumps(made.to_json()))] == []
