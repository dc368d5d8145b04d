"""What API Gateway makes of a function's answer."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

INTERNAL = {"message": "Internal server error"}


def test_status_headers_and_body_are_the_functions(proxy_api: Any) -> None:
    """statusCode, headers and body become the HTTP answer.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    answer = proxy_api.answer({"statusCode": 418, "headers": {"X-Tea": "pot"}, "body": "short and stout"})
    assert (answer.status_code, answer.headers["x-tea"], answer.text) == (418, "pot", "short and stout")


def test_the_content_type_is_json_unless_set(proxy_api: Any) -> None:
    """Without a Content-Type of the function, the answer is application/json.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    assert proxy_api.answer({"statusCode": 200, "body": "{}"}).headers["content-type"] == "application/json"
    typed = proxy_api.answer({"statusCode": 200, "headers": {"content-type": "text/csv"}, "body": "a"})
    assert typed.headers["content-type"] == "text/csv"


def test_multi_value_headers_are_sent_one_by_one(proxy_api: Any) -> None:
    """Each value of multiValueHeaders is a separate header; it takes precedence over headers.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    answer = proxy_api.answer(
        {
            "statusCode": 200,
            "headers": {"set-cookie": "lost=1"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        }
    )
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize(
    "malformed",
    [
        "just text",
        ["a", "list"],
        None,
        {"statusCode": 200, "unknown": 1},
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": "X-A: 1"},
    ],
)
def test_a_malformed_answer_is_a_502(proxy_api: Any, malformed: Any) -> None:
    """A response that lacks the documented form gives 502 Internal server error.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    answer = proxy_api.answer(malformed)
    assert (answer.status_code, answer.json()) == (502, INTERNAL)
    assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_an_answer_without_a_status_is_a_200(proxy_api: Any) -> None:
    """All members of the response are optional; statusCode defaults to 200 and may be a numeric string.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    assert proxy_api.answer({"body": "x"}).status_code == 200
    assert proxy_api.answer({"statusCode": "201"}).status_code == 201


def test_a_function_error_is_a_502(proxy_api: Any) -> None:
    """An unhandled error of the function gives 502 without details.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    """
    answer = proxy_api.call(headers={"X-Raise": "secret"})
    assert (answer.status_code, answer.json()) == (502, INTERNAL)


def test_an_integration_timeout_is_a_504(rest_api: Callable[..., Any]) -> None:
    """A function slower than the integration's timeout gives 504 Endpoint request timed out.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    api = rest_api()
    api.proxy("/", timeoutInMillis=60)
    api.deploy()
    answer = api.call(headers={"X-Sleep": "1"})
    assert (answer.status_code, answer.json()) == (504, {"message": "Endpoint request timed out"})


def test_a_function_that_does_not_allow_api_gateway_is_a_500(
    rest_api: Callable[..., Any], deploy_function: Callable[..., str], aws: Callable[..., Any]
) -> None:
    """Without a matching statement in the function's policy the call fails with 500; with one it works.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    function = deploy_function("def handler(event, context):\n    return {'body': 'let in'}")
    api = rest_api()
    api.proxy("/open", "GET", function=function)
    api.deploy()
    denied = api.call(path="/open")
    aws("lambda").add_permission(
        FunctionName=function,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/*/GET/open",
    )
    assert (denied.status_code, denied.json()) == (500, INTERNAL)
    assert api.call(path="/open").text == "let in"


def test_a_permission_for_another_method_does_not_count(
    rest_api: Callable[..., Any], deploy_function: Callable[..., str], aws: Callable[..., Any]
) -> None:
    """SourceArn of the permission must match API, stage, method and resource.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    """
    function = deploy_function("def handler(event, context):\n    return {'body': 'let in'}")
    aws("lambda").add_permission(
        FunctionName=function,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn="arn:aws:execute-api:us-east-1:123456789012:otherapi/*/*/*",
    )
    api = rest_api()
    api.proxy("/", "GET", function=function)
    api.deploy()
    assert api.call().status_code == 500


def test_a_missing_function_is_a_500(rest_api: Callable[..., Any]) -> None:
    """An integration whose function does not exist answers 500 Internal server error.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    api = rest_api()
    api.proxy("/", function="nobody")
    api.deploy()
    assert (api.call().status_code, api.call().json()) == (500, INTERNAL)


def test_a_binary_answer_is_decoded_for_a_client_that_accepts_it(rest_api: Callable[..., Any]) -> None:
    """isBase64Encoded bodies are decoded if the first type of Accept is binary, else sent as base64 text.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """
    api = rest_api(binaryMediaTypes=["image/png"])
    api.proxy("/")
    api.deploy()
    result = {
        "statusCode": 200,
        "headers": {"Content-Type": "image/png"},
        "body": base64.b64encode(b"\x89PNG").decode(),
        "isBase64Encoded": True,
    }
    assert api.answer(result, headers={"Accept": "image/png, */*"}).content == b"\x89PNG"
    assert api.answer(result, headers={"Accept": "text/html, image/png"}).text == result["body"]


def test_every_answer_may_be_binary_under_a_full_wildcard(rest_api: Callable[..., Any]) -> None:
    """With binaryMediaTypes */* a base64 answer is decoded whatever the client accepts.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """
    api = rest_api(binaryMediaTypes=["*/*"])
    api.proxy("/")
    api.deploy()
    answer = api.answer({"body": base64.b64encode(b"\x00\x01").decode(), "isBase64Encoded": True})
    assert answer.content == b"\x00\x01"


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "Date", "Server", "WWW-Authenticate"])
def test_headers_that_the_gateway_sets_itself_are_remapped(proxy_api: Any, name: str) -> None:
    """A function's own Connection, Content-Length, Date, Server and WWW-Authenticate are renamed.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    """
    answer = proxy_api.answer({"statusCode": 200, "headers": {name: "mine"}, "body": "abc"})
    assert answer.headers[f"x-amzn-remapped-{name.lower()}"] == "mine"
    assert answer.headers["content-length"] == "3"


def test_a_head_request_gets_headers_and_no_body(proxy_api: Any) -> None:
    """HEAD reaches the function like any method; the client gets no body.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
    """
    answer = proxy_api.answer({"statusCode": 200, "headers": {"X-A": "1"}, "body": "abc"}, http_method="HEAD")
    assert (answer.status_code, answer.headers["x-a"], answer.content) == (200, "1", b"")


def test_a_compressed_answer_leaves_for_clients_that_accept_it(rest_api: Callable[..., Any]) -> None:
    """Bodies of minimumCompressionSize bytes or more are compressed as Accept-Encoding allows.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
    """
    api = rest_api(minimumCompressionSize=100)
    api.proxy("/")
    api.deploy()
    large, small = {"body": "x" * 100}, {"body": "x" * 99}
    assert api.answer(large, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert api.answer(large, headers={"Accept-Encoding": "gzip"}).text == "x" * 100
    assert "content-encoding" not in api.answer(large, headers={"Accept-Encoding": "identity"}).headers
    assert "content-encoding" not in api.answer(small, headers={"Accept-Encoding": "gzip"}).headers


def test_a_compressed_request_is_decoded_before_the_function(rest_api: Callable[..., Any]) -> None:
    """Where compression is on, a gzip body reaches the function decompressed.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-make-request-with-compressed-payload.html
    """
    import gzip

    api = rest_api(minimumCompressionSize=0)
    api.proxy("/")
    api.deploy()
    event = api.event(
        "POST",
        content=gzip.compress(b'{"a": 1}'),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert event["body"] == '{"a": 1}'


def test_a_stage_variable_may_name_the_alias(
    rest_api: Callable[..., Any], deploy_function: Callable[..., str], aws: Callable[..., Any]
) -> None:
    """${stageVariables.name} in the integration's URI is replaced by the stage's value.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/aws-api-gateway-stage-variables-reference.html
    """
    function = deploy_function("def handler(event, context):\n    return {'body': context.invoked_function_arn}")
    functions = aws("lambda")
    version = functions.publish_version(FunctionName=function)["Version"]
    functions.create_alias(FunctionName=function, Name="blue", FunctionVersion=version)
    functions.add_permission(
        FunctionName=function,
        Qualifier="blue",
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api = rest_api()
    api.proxy("/", function=f"{function}:${{stageVariables.alias}}")
    api.deploy(variables={"alias": "blue"})
    assert api.call().text.endswith(f"{function}:blue")
