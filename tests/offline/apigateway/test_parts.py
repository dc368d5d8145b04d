"""Parts of a REST API are read as made and changed, and gone once deleted; a patch that fails changes nothing."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore import xform_name
from moto.core.utils import get_service_model

from serinus.offline.services.apigateway import ApiGateway

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
CERTIFICATES = [f"arn:aws:acm:us-east-1:123456789012:certificate/{number}" for number in (1, 2)]

Names = dict[str, str]
Document = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """``make``, a method of `api`, returns the parameters that name a new part, of which ``get`` then returns
    ``holds``."""

    make: str
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
        "make_rest_api",
        "get_rest_api",
        "delete_rest_api",
        {"name": "first", "description": "first"},
        "get_rest_apis",
        "update_rest_api",
        {"op": "remove", "path": "/description"},
        {"description": None},
        replace("/minimumCompressionSize", "-1"),
    ),
    Part(
        "make_resource", "get_resource", "delete_resource", {"path": "/pets", "pathPart": "pets"}, "get_resources"
    ),
    Part("make_method", "get_method", "delete_method", {"authorizationType": "AWS_IAM", "operationName": "post"}),
    Part(
        "make_method_response",
        "get_method_response",
        "delete_method_response",
        {"statusCode": "404", "responseModels": {"application/json": "Error"}},
    ),
    Part(
        "make_integration",
        "get_integration",
        "delete_integration",
        {"type": "AWS_PROXY", "httpMethod": "POST", "uri": URI, "timeoutInMillis": 500},
    ),
    Part(
        "make_integration_response",
        "get_integration_response",
        "delete_integration_response",
        {"statusCode": "404", "selectionPattern": "4.."},
    ),
    Part(
        "make_model",
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
        "make_request_validator",
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
        "make_authorizer",
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
        "make_deployment",
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
        "make_stage",
        "get_stage",
        "delete_stage",
        {"stageName": "prod", "description": "first"},
        update="update_stage",
        patch=replace("/variables/size", "7"),
        changed={"variables": {"size": "7"}},
        refused=replace("/*/*/throttling/rateLimit", "fast"),
    ),
    Part(
        "make_api_key",
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
        "make_usage_plan",
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
        "make_usage_plan_key",
        "get_usage_plan_key",
        "delete_usage_plan_key",
        {"name": "first", "type": "API_KEY"},
        "get_usage_plan_keys",
    ),
    Part(
        "make_domain_name",
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
        "make_base_path_mapping",
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
    return pytest.mark.parametrize("part", parts, ids=lambda part: part.make.removeprefix("make_"))


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
def test_a_part_is_read_as_it_was_made_and_gone_once_deleted(api: Any, part: Part) -> None:
    names = getattr(api, part.make)()
    document = answer_of(api.client, part.get, **names)
    assert {name: document.get(name) for name in part.holds} == part.holds
    if part.lists:
        assert document in getattr(api.client, part.lists)(**parents(part, names), limit=500)["items"]
    getattr(api.client, part.delete)(**names)
    for operation in (part.get, part.delete):
        with pytest.raises(api.client.exceptions.NotFoundException, match=r"Invalid .+ specified"):
            getattr(api.client, operation)(**names)
    if part.lists and part.make != "make_rest_api":
        assert document not in getattr(api.client, part.lists)(**parents(part, names), limit=500)["items"]


@each(UPDATED)
def test_an_update_is_read_afterwards(api: Any, part: Part) -> None:
    assert part.update is not None
    names = getattr(api, part.make)()
    answer = answer_of(api.client, part.update, **names, patchOperations=[part.patch])
    after = answer_of(api.client, part.get, **names | {name: answer[name] for name in names if name in answer})
    assert {name: after.get(name) for name in part.changed} == part.changed
    assert {name: answer.get(name) for name in part.changed} == part.changed


@each(UPDATED)
def test_a_patch_that_fails_half_way_changes_nothing(api: Any, part: Part) -> None:
    assert part.update is not None
    names = getattr(api, part.make)()
    before = answer_of(api.client, part.get, **names)
    with pytest.raises(api.client.exceptions.BadRequestException):
        getattr(api.client, part.update)(**names, patchOperations=[part.patch, part.refused])
    assert answer_of(api.client, part.get, **names) == before


def test_every_update_is_in_the_table() -> None:
    operations = {xform_name(name) for name in get_service_model("apigateway").operation_names}
    modelled = {name for name in operations if name.startswith("update_") and hasattr(ApiGateway, name)}
    assert modelled == {part.update for part in UPDATED} | {"update_account"}
