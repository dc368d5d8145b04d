"""Parts of an HTTP API are read as made and changed, and gone once deleted; a failed update changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from moto.core.utils import get_service_model

from serinus.offline.services.apigatewayv2 import ApiGatewayV2

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
CERTIFICATES = [f"arn:aws:acm:us-east-1:123456789012:certificate/{number}" for number in (1, 2)]
ABROAD = CERTIFICATES[0].replace("us-east-1", "eu-west-1")
JWT = {"Issuer": "https://issuer.example.com", "Audience": ["first"]}
LOG = {"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:calls", "Format": "$context.requestId"}

Names = dict[str, str]
Document = dict[str, Any]


@dataclass
class Api:
    """An HTTP API with a route and a stage, for the parts that tests make."""

    client: Any
    names: Names
    unique_name: Callable[..., str]
    delete_later: Callable[..., None]


@pytest.fixture
def api(aws: Callable[..., Any], unique_name: Callable[..., str], delete_later: Callable[..., None]) -> Api:
    client = aws("apigatewayv2")
    made = client.create_api(Name=unique_name("api"), ProtocolType="HTTP")
    api = Api(client, {"ApiId": made["ApiId"]}, unique_name, delete_later)
    delete_later(client.delete_api, **api.names)
    client.create_route(**api.names, RouteKey="GET /pets")
    client.create_stage(**api.names, StageName="prod")
    return api


def make_api(api: Api) -> Names:
    made = api.client.create_api(Name="first", ProtocolType="HTTP", CorsConfiguration={"MaxAge": 5})
    names = {"ApiId": made["ApiId"]}
    api.delete_later(api.client.delete_api, **names)
    return names


def make_authorizer(api: Api) -> Names:
    made = api.client.create_authorizer(
        **api.names,
        Name="first",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration=JWT,
    )
    return {**api.names, "AuthorizerId": made["AuthorizerId"]}


def make_deployment(api: Api) -> Names:
    made = api.client.create_deployment(**api.names, Description="first")
    return {**api.names, "DeploymentId": made["DeploymentId"]}


def make_integration(api: Api) -> Names:
    made = api.client.create_integration(
        **api.names, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION, PayloadFormatVersion="2.0"
    )
    return {**api.names, "IntegrationId": made["IntegrationId"]}


def make_route(api: Api) -> Names:
    made = api.client.create_route(**api.names, RouteKey="GET /first", OperationName="first")
    return {**api.names, "RouteId": made["RouteId"]}


def make_stage(api: Api) -> Names:
    made = api.client.create_stage(**api.names, StageName="first", StageVariables={"size": "1"})
    return {**api.names, "StageName": made["StageName"]}


def make_domain_name(api: Api) -> Names:
    names = {"DomainName": f"{api.unique_name('api')}.example.com"}
    api.client.create_domain_name(**names, DomainNameConfigurations=[{"CertificateArn": CERTIFICATES[0]}])
    api.delete_later(api.client.delete_domain_name, **names)
    return names


def make_api_mapping(api: Api) -> Names:
    names = make_domain_name(api)
    made = api.client.create_api_mapping(**names, **api.names, Stage="prod", ApiMappingKey="first")
    return {**names, "ApiMappingId": made["ApiMappingId"]}


@dataclass(frozen=True)
class Part:
    """``make`` returns the parameters that name a new part, of which ``get`` then returns ``holds``."""

    make: Callable[[Api], Names]
    get: str
    lists: str
    delete: str
    holds: Document
    update: str
    #: What ``update`` is called with, and returns.
    change: Document
    #: What ``update`` refuses; None where AWS refuses no value.
    refused: Document | None


PARTS = [
    Part(
        make_api,
        "get_api",
        "get_apis",
        "delete_api",
        {"Name": "first", "CorsConfiguration": {"MaxAge": 5}},
        "update_api",
        {"Name": "second"},
        {"CorsConfiguration": {"MaxAge": 100_000}},
    ),
    Part(
        make_authorizer,
        "get_authorizer",
        "get_authorizers",
        "delete_authorizer",
        {"Name": "first", "AuthorizerType": "JWT", "JwtConfiguration": JWT},
        "update_authorizer",
        {"Name": "second"},
        {"JwtConfiguration": {**JWT, "Issuer": "http://issuer.example.com"}},
    ),
    Part(
        make_deployment,
        "get_deployment",
        "get_deployments",
        "delete_deployment",
        {"Description": "first", "AutoDeployed": False, "DeploymentStatus": "DEPLOYED"},
        "update_deployment",
        {"Description": "second"},
        None,
    ),
    Part(
        make_integration,
        "get_integration",
        "get_integrations",
        "delete_integration",
        {"IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0", "TimeoutInMillis": 30_000},
        "update_integration",
        {"PayloadFormatVersion": "1.0"},
        {"TimeoutInMillis": 1},
    ),
    Part(
        make_route,
        "get_route",
        "get_routes",
        "delete_route",
        {"RouteKey": "GET /first", "OperationName": "first", "AuthorizationType": "NONE"},
        "update_route",
        {"OperationName": "second"},
        {"Target": "integrations/nowhere"},
    ),
    Part(
        make_stage,
        "get_stage",
        "get_stages",
        "delete_stage",
        {"StageName": "first", "StageVariables": {"size": "1"}, "AutoDeploy": False},
        "update_stage",
        {"StageVariables": {"size": "2"}},
        {"DefaultRouteSettings": {"ThrottlingBurstLimit": -1}},
    ),
    Part(
        make_domain_name,
        "get_domain_name",
        "get_domain_names",
        "delete_domain_name",
        {"ApiMappingSelectionExpression": "$request.basepath"},
        "update_domain_name",
        {"DomainNameConfigurations": [{"CertificateArn": CERTIFICATES[1]}]},
        {"DomainNameConfigurations": [{"CertificateArn": ABROAD, "SecurityPolicy": "TLS_1_0"}]},
    ),
    Part(
        make_api_mapping,
        "get_api_mapping",
        "get_api_mappings",
        "delete_api_mapping",
        {"ApiMappingKey": "first", "Stage": "prod"},
        "update_api_mapping",
        {"ApiMappingKey": "second"},
        {"Stage": "nowhere"},
    ),
]


def each(parts: list[Part]) -> Any:
    return pytest.mark.parametrize("part", parts, ids=lambda part: part.make.__name__.removeprefix("make_"))


def answer_of(client: Any, operation: str, **params: Any) -> Document:
    answer: Document = getattr(client, operation)(**params)
    del answer["ResponseMetadata"]
    return answer


def taken(api: Api, operation: str, names: Names) -> Names:
    """Those of a part's names, and its API's, that an operation takes."""
    model = get_service_model("apigatewayv2")
    name = next(name for name in model.operation_names if xform_name(name) == operation)
    members = model.operation_model(name).input_shape.members
    return {name: value for name, value in {**api.names, **names}.items() if name in members}


def listed(api: Api, part: Part, names: Names) -> list[Document]:
    items: list[Document] = getattr(api.client, part.lists)(**taken(api, part.lists, names), MaxResults="500")[
        "Items"
    ]
    return items


@each(PARTS)
def test_a_part_is_read_as_it_was_made_and_gone_once_deleted(api: Api, part: Part) -> None:
    names = part.make(api)
    document = answer_of(api.client, part.get, **names)
    assert {name: document.get(name) for name in part.holds} == part.holds
    assert document in listed(api, part, names)
    getattr(api.client, part.delete)(**names)
    for operation in (part.get, part.update, part.delete):
        with pytest.raises(api.client.exceptions.NotFoundException, match=r"Invalid .+ specified"):
            getattr(api.client, operation)(**taken(api, operation, names))
    assert document not in listed(api, part, names)


@each(PARTS)
def test_an_update_is_read_afterwards(api: Api, part: Part) -> None:
    names = part.make(api)
    before = answer_of(api.client, part.get, **names)
    getattr(api.client, part.update)(**taken(api, part.update, names), **part.change)
    after = answer_of(api.client, part.get, **names)
    for name, value in part.change.items():
        if name == "DomainNameConfigurations":
            assert after[name][0].items() >= value[0].items()
        else:
            assert after[name] == value
    untouched = before.keys() - part.change.keys() - {"LastUpdatedDate"}
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}


@each([part for part in PARTS if part.refused])
def test_an_update_that_fails_half_way_changes_nothing(api: Api, part: Part) -> None:
    names = part.make(api)
    before = answer_of(api.client, part.get, **names)
    with pytest.raises(api.client.exceptions.BadRequestException):
        getattr(api.client, part.update)(
            **taken(api, part.update, names), **{**part.change, **(part.refused or {})}
        )
    assert answer_of(api.client, part.get, **names) == before


def test_every_update_is_in_the_table() -> None:
    operations = {xform_name(name) for name in get_service_model("apigatewayv2").operation_names}
    modelled = {name for name in operations if name.startswith("update_") and hasattr(ApiGatewayV2, name)}
    assert modelled == {part.update for part in PARTS}


def test_settings_that_are_deleted_are_gone(api: Api) -> None:
    client, stage = api.client, {**api.names, "StageName": "prod"}
    settings = {"GET /pets": {"ThrottlingBurstLimit": 3}}
    client.update_stage(**stage, AccessLogSettings=LOG, RouteSettings=settings)
    document = client.get_stage(**stage)
    assert (document["AccessLogSettings"], document["RouteSettings"]) == (LOG, settings)
    client.delete_access_log_settings(**stage)
    client.delete_route_settings(**stage, RouteKey="GET /pets")
    document = client.get_stage(**stage)
    assert ("AccessLogSettings" in document, document["RouteSettings"]) == (False, {})
    with pytest.raises(client.exceptions.NotFoundException):
        client.delete_route_settings(**stage, RouteKey="GET /pets")
    names = make_api(api)
    client.delete_cors_configuration(**names)
    assert "CorsConfiguration" not in client.get_api(**names)


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        ("delete_access_log_settings", {"StageName": "nowhere"}),
        ("delete_route_settings", {"StageName": "nowhere", "RouteKey": "GET /pets"}),
        ("delete_cors_configuration", {"ApiId": "nowhere"}),
    ],
)
def test_settings_of_what_does_not_exist_are_not_found(api: Api, operation: str, names: Names) -> None:
    with pytest.raises(api.client.exceptions.NotFoundException, match="nowhere"):
        getattr(api.client, operation)(**{**api.names, **names})


def test_what_a_route_uses_is_not_deleted(api: Api) -> None:
    integration, authorizer = make_integration(api), make_authorizer(api)
    route = api.client.create_route(
        **api.names,
        RouteKey="GET /used",
        Target=f"integrations/{integration['IntegrationId']}",
        AuthorizationType="JWT",
        AuthorizerId=authorizer["AuthorizerId"],
    )
    with pytest.raises(api.client.exceptions.ConflictException, match="GET /used"):
        api.client.delete_integration(**integration)
    with pytest.raises(api.client.exceptions.ConflictException, match="GET /used"):
        api.client.delete_authorizer(**authorizer)
    api.client.delete_route(**api.names, RouteId=route["RouteId"])
    api.client.delete_integration(**integration)
    api.client.delete_authorizer(**authorizer)
