"""Parts of a REST API are read as made and changed, and gone once deleted; a patch that fails changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

from serinus.offline.services.apigateway import ApiGateway

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
CERTIFICATES = [f"arn:aws:acm:us-east-1:123456789012:certificate/{number}" for number in (1, 2)]

Names = dict[str, str]
Document = dict[str, Any]


@dataclass
class Api:
    """A REST API with the method GET of its root, for the parts that tests make."""

    client: Any
    names: Names
    root: str
    unique_name: Callable[..., str]
    delete_later: Callable[..., None]

    @property
    def method(self) -> Names:
        return {**self.names, "resourceId": self.root, "httpMethod": "GET"}


@pytest.fixture
def api(aws: Callable[..., Any], unique_name: Callable[..., str], delete_later: Callable[..., None]) -> Api:
    client = aws("apigateway")
    made = client.create_rest_api(name=unique_name("api"))
    api = Api(client, {"restApiId": made["id"]}, made["rootResourceId"], unique_name, delete_later)
    delete_later(client.delete_rest_api, **api.names)
    client.put_method(**api.method, authorizationType="NONE")
    client.put_integration(**api.method, type="MOCK")
    return api


def make_rest_api(api: Api) -> Names:
    made = api.client.create_rest_api(name="first", description="first")
    names = {"restApiId": made["id"]}
    api.delete_later(api.client.delete_rest_api, **names)
    return names


def make_resource(api: Api) -> Names:
    made = api.client.create_resource(**api.names, parentId=api.root, pathPart="pets")
    return {**api.names, "resourceId": made["id"]}


def make_method(api: Api) -> Names:
    names = {**api.names, "resourceId": api.root, "httpMethod": "POST"}
    api.client.put_method(**names, authorizationType="AWS_IAM", operationName="post")
    return names


def make_method_response(api: Api) -> Names:
    names = {**api.method, "statusCode": "404"}
    api.client.put_method_response(**names, responseModels={"application/json": "Error"})
    return names


def make_integration(api: Api) -> Names:
    names = make_method(api)
    api.client.put_integration(
        **names, type="AWS_PROXY", integrationHttpMethod="POST", uri=URI, timeoutInMillis=500
    )
    return names


def make_integration_response(api: Api) -> Names:
    names = make_method_response(api)
    api.client.put_integration_response(**names, selectionPattern="4..")
    return names


def make_model(api: Api) -> Names:
    api.client.create_model(
        **api.names, name="Pet", contentType="application/json", schema='{"type": "object"}', description="first"
    )
    return {**api.names, "modelName": "Pet"}


def make_request_validator(api: Api) -> Names:
    made = api.client.create_request_validator(**api.names, name="first", validateRequestBody=True)
    return {**api.names, "requestValidatorId": made["id"]}


def make_authorizer(api: Api) -> Names:
    made = api.client.create_authorizer(
        **api.names,
        name="first",
        type="TOKEN",
        authorizerUri=URI,
        identitySource="method.request.header.Authorization",
    )
    return {**api.names, "authorizerId": made["id"]}


def make_deployment(api: Api) -> Names:
    made = api.client.create_deployment(**api.names, description="first")
    return {**api.names, "deploymentId": made["id"]}


def make_stage(api: Api) -> Names:
    made = api.client.create_stage(
        **api.names, stageName="prod", deploymentId=make_deployment(api)["deploymentId"], description="first"
    )
    return {**api.names, "stageName": made["stageName"]}


def make_api_key(api: Api) -> Names:
    made = api.client.create_api_key(name="first", enabled=True)
    names = {"apiKey": made["id"]}
    api.delete_later(api.client.delete_api_key, **names)
    return names


def make_usage_plan(api: Api) -> Names:
    made = api.client.create_usage_plan(name="first", quota={"limit": 9, "period": "DAY"})
    names = {"usagePlanId": made["id"]}
    api.delete_later(api.client.delete_usage_plan, **names)
    return names


def make_usage_plan_key(api: Api) -> Names:
    names = {**make_usage_plan(api), "keyId": make_api_key(api)["apiKey"]}
    api.client.create_usage_plan_key(**names, keyType="API_KEY")
    return names


def make_domain_name(api: Api) -> Names:
    names = {"domainName": f"{api.unique_name('api')}.example.com"}
    api.client.create_domain_name(
        **names, regionalCertificateArn=CERTIFICATES[0], endpointConfiguration={"types": ["REGIONAL"]}
    )
    api.delete_later(api.client.delete_domain_name, **names)
    return names


def make_base_path_mapping(api: Api) -> Names:
    names = {**make_domain_name(api), "basePath": "first"}
    api.client.create_base_path_mapping(**names, **api.names)
    return names


@dataclass(frozen=True)
class Part:
    """``make`` returns the parameters that name a new part, of which ``get`` then returns ``holds``."""

    make: Callable[[Api], Names]
    get: str
    delete: str
    holds: Document
    #: The operation that lists parts of the kind, if AWS has one.
    lists: str | None = None
    update: str | None = None
    #: A patch, what ``get`` returns after it, and a patch that is refused.
    patch: Document = field(default_factory=dict)
    changed: Document = field(default_factory=dict)
    refused: Document = field(default_factory=dict)


def replace(path: str, value: str) -> Document:
    return {"op": "replace", "path": path, "value": value}


UNKNOWN_PATH = replace("/nothing", "x")
PARTS = [
    Part(
        make_rest_api,
        "get_rest_api",
        "delete_rest_api",
        {"name": "first", "description": "first"},
        "get_rest_apis",
        "update_rest_api",
        {"op": "remove", "path": "/description"},
        {"description": None},
        replace("/minimumCompressionSize", "-1"),
    ),
    Part(make_resource, "get_resource", "delete_resource", {"path": "/pets", "pathPart": "pets"}, "get_resources"),
    Part(make_method, "get_method", "delete_method", {"authorizationType": "AWS_IAM", "operationName": "post"}),
    Part(
        make_method_response,
        "get_method_response",
        "delete_method_response",
        {"statusCode": "404", "responseModels": {"application/json": "Error"}},
    ),
    Part(
        make_integration,
        "get_integration",
        "delete_integration",
        {"type": "AWS_PROXY", "httpMethod": "POST", "uri": URI, "timeoutInMillis": 500},
    ),
    Part(
        make_integration_response,
        "get_integration_response",
        "delete_integration_response",
        {"statusCode": "404", "selectionPattern": "4.."},
    ),
    Part(
        make_model,
        "get_model",
        "delete_model",
        {"name": "Pet", "description": "first", "schema": '{"type": "object"}'},
        "get_models",
        "update_model",
        {"op": "remove", "path": "/description"},
        {"description": None},
        replace("/schema", "no JSON"),
    ),
    Part(
        make_request_validator,
        "get_request_validator",
        "delete_request_validator",
        {"name": "first", "validateRequestBody": True, "validateRequestParameters": False},
        "get_request_validators",
        "update_request_validator",
        replace("/validateRequestParameters", "true"),
        {"validateRequestParameters": True},
        replace("/validateRequestBody", "perhaps"),
    ),
    Part(
        make_authorizer,
        "get_authorizer",
        "delete_authorizer",
        {"name": "first", "type": "TOKEN", "authorizerUri": URI, "authorizerResultTtlInSeconds": 300},
        "get_authorizers",
        "update_authorizer",
        replace("/authorizerResultTtlInSeconds", "60"),
        {"authorizerResultTtlInSeconds": 60},
        replace("/identitySource", "the weather"),
    ),
    Part(
        make_deployment,
        "get_deployment",
        "delete_deployment",
        {"description": "first"},
        "get_deployments",
        "update_deployment",
        replace("/description", "second"),
        {"description": "second"},
        UNKNOWN_PATH,
    ),
    Part(
        make_stage,
        "get_stage",
        "delete_stage",
        {"stageName": "prod", "description": "first"},
        update="update_stage",
        patch=replace("/variables/size", "7"),
        changed={"variables": {"size": "7"}},
        refused=replace("/*/*/throttling/rateLimit", "fast"),
    ),
    Part(
        make_api_key,
        "get_api_key",
        "delete_api_key",
        {"name": "first", "enabled": True},
        "get_api_keys",
        "update_api_key",
        replace("/enabled", "false"),
        {"enabled": False},
        UNKNOWN_PATH,
    ),
    Part(
        make_usage_plan,
        "get_usage_plan",
        "delete_usage_plan",
        {"name": "first", "quota": {"limit": 9, "period": "DAY"}},
        "get_usage_plans",
        "update_usage_plan",
        replace("/quota/limit", "10"),
        {"quota": {"limit": 10, "period": "DAY"}},
        {"op": "add", "path": "/apiStages", "value": "nowhere:prod"},
    ),
    Part(
        make_usage_plan_key,
        "get_usage_plan_key",
        "delete_usage_plan_key",
        {"name": "first", "type": "API_KEY"},
        "get_usage_plan_keys",
    ),
    Part(
        make_domain_name,
        "get_domain_name",
        "delete_domain_name",
        {"regionalCertificateArn": CERTIFICATES[0], "securityPolicy": "TLS_1_2", "domainNameStatus": "AVAILABLE"},
        "get_domain_names",
        "update_domain_name",
        replace("/regionalCertificateArn", CERTIFICATES[1]),
        {"regionalCertificateArn": CERTIFICATES[1]},
        replace("/domainName", "other.example.com"),
    ),
    Part(
        make_base_path_mapping,
        "get_base_path_mapping",
        "delete_base_path_mapping",
        {"basePath": "first"},
        "get_base_path_mappings",
        "update_base_path_mapping",
        replace("/basePath", "second"),
        {"basePath": "second"},
        replace("/restapiId", "nowhere"),
    ),
]
UPDATED = [part for part in PARTS if part.update]


def each(parts: list[Part]) -> Any:
    return pytest.mark.parametrize("part", parts, ids=lambda part: part.make.__name__.removeprefix("make_"))


def answer_of(client: Any, operation: str, **params: Any) -> Document:
    answer: Document = getattr(client, operation)(**params)
    del answer["ResponseMetadata"]
    return answer


def parents(part: Part, names: Names) -> Names:
    """Those of a part's names that its list operation takes."""
    assert part.lists is not None
    model = get_service_model("apigateway")
    operation = next(name for name in model.operation_names if xform_name(name) == part.lists)
    taken = model.operation_model(operation).input_shape.members
    return {name: value for name, value in names.items() if name in taken}


@each(PARTS)
def test_a_part_is_read_as_it_was_made_and_gone_once_deleted(api: Api, part: Part) -> None:
    names = part.make(api)
    document = answer_of(api.client, part.get, **names)
    assert {name: document.get(name) for name in part.holds} == part.holds
    if part.lists:
        assert document in getattr(api.client, part.lists)(**parents(part, names), limit=500)["items"]
    getattr(api.client, part.delete)(**names)
    for operation in (part.get, part.delete):
        with pytest.raises(api.client.exceptions.NotFoundException, match=r"Invalid .+ specified"):
            getattr(api.client, operation)(**names)
    if part.lists and part.make is not make_rest_api:
        assert document not in getattr(api.client, part.lists)(**parents(part, names), limit=500)["items"]


@each(UPDATED)
def test_an_update_is_read_afterwards(api: Api, part: Part) -> None:
    assert part.update is not None
    names = part.make(api)
    answer = answer_of(api.client, part.update, **names, patchOperations=[part.patch])
    after = answer_of(api.client, part.get, **names | {name: answer[name] for name in names if name in answer})
    assert {name: after.get(name) for name in part.changed} == part.changed
    assert {name: answer.get(name) for name in part.changed} == part.changed


@each(UPDATED)
def test_a_patch_that_fails_half_way_changes_nothing(api: Api, part: Part) -> None:
    assert part.update is not None
    names = part.make(api)
    before = answer_of(api.client, part.get, **names)
    with pytest.raises(api.client.exceptions.BadRequestException):
        getattr(api.client, part.update)(**names, patchOperations=[part.patch, part.refused])
    assert answer_of(api.client, part.get, **names) == before


def test_every_update_is_in_the_table() -> None:
    operations = {xform_name(name) for name in get_service_model("apigateway").operation_names}
    modelled = {name for name in operations if name.startswith("update_") and hasattr(ApiGateway, name)}
    assert modelled == {part.update for part in UPDATED} | {"update_account"}


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


def test_a_deleted_gateway_response_is_the_default_again(api: Api) -> None:
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
        (make_model, "delete_model", {"requestModels": {"application/json": "Pet"}}),
        (make_authorizer, "delete_authorizer", {"authorizationType": "CUSTOM"}),
    ],
)
def test_what_a_method_uses_is_not_deleted(
    api: Api, make: Callable[[Api], Names], delete: str, use: Document
) -> None:
    names = make(api)
    ids = {name: value for name, value in names.items() if name == "authorizerId"}
    method = {**api.names, "resourceId": api.root, "httpMethod": "POST"}
    api.client.put_method(**method, **{"authorizationType": "NONE", **use, **ids})
    with pytest.raises(api.client.exceptions.ConflictException, match="referenced in"):
        getattr(api.client, delete)(**names)
    api.client.delete_method(**method)
    getattr(api.client, delete)(**names)


@pytest.mark.parametrize("setting", ["throttling/rateLimit", "throttling/burstLimit", "caching/ttlInSeconds"])
def test_a_stage_s_setting_without_a_value_is_refused(api: Api, setting: str) -> None:
    names = make_stage(api)
    with pytest.raises(ClientError, match=f"BadRequestException.*Invalid value 'None' for /\\*/\\*/{setting}"):
        api.client.update_stage(**names, patchOperations=[{"op": "replace", "path": f"/*/*/{setting}"}])


@pytest.mark.parametrize("limit", ["rateLimit", "burstLimit"])
def test_a_throttle_that_is_not_a_number_is_refused(api: Api, limit: str) -> None:
    stage = f"{api.names['restApiId']}:{make_stage(api)['stageName']}"
    names = make_usage_plan(api)
    api.client.update_usage_plan(**names, patchOperations=[{"op": "add", "path": "/apiStages", "value": stage}])
    before = answer_of(api.client, "get_usage_plan", **names)
    path = f"/apiStages/{stage}/throttle/~1pets~1GET/{limit}"
    for operation in (replace(path, "fast"), {"op": "replace", "path": path}):
        with pytest.raises(ClientError, match=r"BadRequestException.*Invalid patch value"):
            api.client.update_usage_plan(**names, patchOperations=[operation])
    assert answer_of(api.client, "get_usage_plan", **names) == before
    api.client.update_usage_plan(**names, patchOperations=[{"op": "remove", "path": "/apiStages", "value": stage}])
