"""Which requests reach which method, and what the gateway answers itself."""

import json
from collections.abc import Callable
from typing import Any


def test_an_unknown_path_misses_an_authentication_token(rest_api: Callable[..., Any]) -> None:
    """A path or method without a route gives 403 Missing Authentication Token.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    api = rest_api()
    api.proxy("/known", "GET")
    api.deploy()
    for answer in (api.call(path="/unknown"), api.call("POST", "/known"), api.call()):
        assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})
        assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_an_unknown_stage_is_forbidden(proxy_api: Any) -> None:
    """A stage that does not exist gives 403 Forbidden.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
    """
    answer = proxy_api.call(stage="nowhere")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_a_disabled_execute_api_endpoint_is_forbidden(rest_api: Callable[..., Any]) -> None:
    """disableExecuteApiEndpoint closes the default endpoint, without a new deployment.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html
    """
    api = rest_api()
    api.proxy("/")
    api.deploy()
    api.client.update_rest_api(
        restApiId=api.id,
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "True"}],
    )
    assert (api.call().status_code, api.call().json()) == (403, {"message": "Forbidden"})


def test_the_most_specific_resource_wins(rest_api: Callable[..., Any]) -> None:
    """A literal path is preferred to a parameter, and that to a greedy one.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
    """
    api = rest_api()
    for path in ("/{proxy+}", "/a/{id}", "/a/b"):
        api.proxy(path)
    api.deploy()
    assert api.event(path="/a/b")["resource"] == "/a/b"
    assert api.event(path="/a/c")["resource"] == "/a/{id}"
    assert api.event(path="/a/c/d")["resource"] == "/{proxy+}"


def test_a_method_is_preferred_to_any(rest_api: Callable[..., Any]) -> None:
    """A specific HTTP method is preferred to ANY of the same resource.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
    """
    api = rest_api()
    api.proxy("/", "ANY")
    mock(api, "/", "GET")
    api.deploy()
    assert api.call("GET").status_code == 204
    assert api.event("POST")["httpMethod"] == "POST"


def test_a_trailing_slash_is_ignored(rest_api: Callable[..., Any]) -> None:
    """/known/ reaches /known.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
    """
    api = rest_api()
    api.proxy("/known", "GET")
    api.deploy()
    assert api.event(path="/known/")["resource"] == "/known"


def test_a_body_over_ten_megabytes_is_a_413(proxy_api: Any) -> None:
    """The largest payload is 10 MB.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    """
    answer = proxy_api.call("POST", content=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_headers_over_10240_bytes_are_refused(proxy_api: Any) -> None:
    """Request line and header values may have 10,240 bytes together.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    """
    assert proxy_api.call(headers={"X-Large": "x" * 10_240}).status_code == 431
    assert proxy_api.call(headers={"X-Large": "x" * 9_000}).status_code == 200


def mock(api: Any, path: str, http_method: str, **response: Any) -> None:
    place = api.method(path, http_method)
    api.client.put_integration(**place, type="MOCK", requestTemplates={"application/json": "{ statusCode: 204 }"})
    api.client.put_method_response(**place, statusCode="204")
    api.client.put_integration_response(**place, statusCode="204", **response)


def test_a_cors_preflight_is_answered_by_a_mock(rest_api: Callable[..., Any]) -> None:
    """A MOCK integration with static response parameters answers OPTIONS without any backend.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
    """
    api = rest_api()
    mock(
        api,
        "/",
        "OPTIONS",
        responseParameters={
            "method.response.header.Access-Control-Allow-Origin": "'*'",
            "method.response.header.Access-Control-Allow-Methods": "'GET,POST'",
        },
    )
    api.deploy()
    answer = api.call("OPTIONS", headers={"Origin": "https://example.org"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET,POST"


ORIGINS = """#set($origin = $input.params().header.get("Origin"))
#if($origin == "") #set($origin = $input.params().header.get("origin")) #end
#if($origin.matches("https://a.example") || $origin.matches("https://b.example"))
  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)
#end"""


def test_a_response_template_may_override_a_header(rest_api: Callable[..., Any]) -> None:
    """$context.responseOverride sets a header: how the CDK answers one of several allowed origins.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
    """
    api = rest_api()
    allowed = {"method.response.header.Access-Control-Allow-Origin": "'https://first.example'"}
    mock(api, "/", "OPTIONS", responseParameters=allowed, responseTemplates={"application/json": ORIGINS})
    api.deploy()
    known = api.call("OPTIONS", headers={"Origin": "https://b.example"})
    other = api.call("OPTIONS", headers={"Origin": "https://evil.example"})
    assert known.headers["access-control-allow-origin"] == "https://b.example"
    assert other.headers["access-control-allow-origin"] == "https://first.example"


def test_a_mock_without_a_status_is_a_500(rest_api: Callable[..., Any]) -> None:
    """A mock's request template must return a statusCode.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
    """
    api = rest_api()
    place = api.method("/", "GET")
    api.client.put_integration(**place, type="MOCK", requestTemplates={"application/json": "{}"})
    api.deploy()
    assert (api.call().status_code, api.call().json()) == (500, {"message": "Internal server error"})


def test_gateway_responses_can_be_customized(rest_api: Callable[..., Any]) -> None:
    """A gateway response sets status, headers and body, with $context variables substituted.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
    """
    api = rest_api()
    api.proxy("/known")
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        responseTemplates={
            "application/json": '{"why": $context.error.messageString, "stage": "$context.stage", '
            '"type": "${context.error.responseType}"}'
        },
    )
    api.deploy()
    answer = api.call(path="/unknown")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, "*")
    assert answer.json() == {
        "why": "Missing Authentication Token",
        "stage": "prod",
        "type": "MISSING_AUTHENTICATION_TOKEN",
    }


def test_the_default_4xx_response_covers_types_without_their_own(rest_api: Callable[..., Any]) -> None:
    """DEFAULT_4XX applies to every client error that has no response of its own, keeping its status.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    api = rest_api()
    api.proxy("/known")
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="DEFAULT_4XX",
        responseParameters={"gatewayresponse.header.X-From": "'default'"},
    )
    api.deploy()
    answer = api.call(path="/unknown")
    assert (answer.status_code, answer.headers["x-from"]) == (403, "default")
    assert answer.json() == {"message": "Missing Authentication Token"}


def test_required_parameters_are_validated(rest_api: Callable[..., Any]) -> None:
    """A request without a required parameter gives 400 and names it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
    """
    api = rest_api()
    validator = api.client.create_request_validator(restApiId=api.id, name="v", validateRequestParameters=True)
    required = {"method.request.querystring.q": True, "method.request.header.X-Need": True}
    api.proxy("/", "GET", requestParameters=required, requestValidatorId=validator["id"])
    api.deploy()
    answer = api.call(path="/?q=1")
    assert answer.status_code == 400
    assert answer.json() == {"message": "Missing required request parameters: [X-Need]"}
    assert api.call(path="/?q=1", headers={"X-Need": "1"}).status_code == 200


def test_bodies_are_validated_against_their_model(rest_api: Callable[..., Any]) -> None:
    """A body that violates its model (JSON schema draft 4) gives 400 Invalid request body.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
    """
    api = rest_api()
    schema = {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer", "minimum": 0}}}
    api.client.create_model(
        restApiId=api.id, name="Person", contentType="application/json", schema=json.dumps(schema)
    )
    validator = api.client.create_request_validator(restApiId=api.id, name="v", validateRequestBody=True)
    api.proxy("/", "POST", requestModels={"application/json": "Person"}, requestValidatorId=validator["id"])
    api.deploy()
    for body in (b"", b"{", b'{"age": -1}', b"{}"):
        refused = api.call("POST", content=body, headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.json()) == (400, {"message": "Invalid request body"})
    assert api.call("POST", json={"age": 3}).status_code == 200


def test_models_may_refer_to_one_another(rest_api: Callable[..., Any]) -> None:
    """A schema refers to another model of the API by its URL.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
    """
    api = rest_api()
    url = f"https://apigateway.amazonaws.com/restapis/{api.id}/models/Age"
    for name, schema in (("Age", {"type": "integer"}), ("Ages", {"type": "array", "items": {"$ref": url}})):
        api.client.create_model(
            restApiId=api.id, name=name, contentType="application/json", schema=json.dumps(schema)
        )
    validator = api.client.create_request_validator(restApiId=api.id, name="v", validateRequestBody=True)
    api.proxy("/", "POST", requestModels={"application/json": "Ages"}, requestValidatorId=validator["id"])
    api.deploy()
    assert api.call("POST", json=["old"]).status_code == 400
    assert api.call("POST", json=[1, 2]).status_code == 200
