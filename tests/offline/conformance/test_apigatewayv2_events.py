"""What a function behind an HTTP API gets, and what becomes of its answer."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

FAILED = (500, {"message": "Internal Server Error"})


def test_format_two_has_these_members_and_no_others(open_api: Any) -> None:
    """A payload of format 2.0 omits members that the request lacks.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    event = open_api.event()
    assert set(event) == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert set(event["requestContext"]) == {
        "accountId",
        "apiId",
        "domainName",
        "domainPrefix",
        "http",
        "requestId",
        "routeKey",
        "stage",
        "time",
        "timeEpoch",
    }
    assert set(event["requestContext"]["http"]) == {"method", "path", "protocol", "sourceIp", "userAgent"}
    assert (event["version"], event["routeKey"], event["rawQueryString"]) == ("2.0", "$default", "")


def test_request_id_in_event_and_answer_agree(open_api: Any) -> None:
    """requestContext.requestId is the answer's apigw-requestid.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
    """
    answer = open_api.call()
    assert answer.headers["apigw-requestid"] == answer.json()["requestContext"]["requestId"]


def test_headers_are_lower_case_and_joined_and_cookies_apart(open_api: Any) -> None:
    """Format 2.0 lower-cases header names, joins duplicates with commas and lists cookies separately.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    event = open_api.event(headers=[("X-Many", "1"), ("X-Many", "2"), ("Cookie", "a=1; b=2")])
    assert event["headers"]["x-many"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert {"host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"} <= set(event["headers"])


def test_query_parameters_are_joined_and_the_raw_string_stays(open_api: Any) -> None:
    """queryStringParameters joins duplicates with commas, decoded; rawQueryString stays encoded.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    event = open_api.event(path="/?a=1&a=2&b=x%2By%20z")
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x+y z"}
    assert event["rawQueryString"] == "a=1&a=2&b=x%2By%20z"


def test_paths_and_path_parameters_are_decoded(http_api: Callable[..., Any]) -> None:
    """HTTP APIs decode the path and its parameters before the function sees them.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
    """
    api = http_api()
    api.route("GET /models/{name}")
    event = api.event(path="/models/a%20b")
    assert (event["rawPath"], event["pathParameters"]) == ("/models/a b", {"name": "a b"})


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        ("application/json", False),
        ("application/json; charset=utf-8", False),
        ("text/csv", False),
        ("application/xml", False),
        ("application/javascript", False),
        ("application/octet-stream", True),
        ("application/x-www-form-urlencoded", True),
        ("multipart/form-data; boundary=x", True),
        (None, True),
    ],
)
def test_bodies_that_are_not_text_come_in_base64(open_api: Any, content_type: str | None, encoded: bool) -> None:
    """A body is text for text/* and JSON, XML and JavaScript; all others, and untyped ones, come in base64.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    headers = {"Content-Type": content_type} if content_type else {}
    event = open_api.event("POST", content=b'{"a": 1}', headers=headers)
    body = base64.b64decode(event["body"]) if encoded else event["body"].encode()
    assert (event["isBase64Encoded"], body) == (encoded, b'{"a": 1}')


def test_stage_variables_reach_functions_behind_http_apis(open_api: Any) -> None:
    """A stage's variables are in the event.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.stage-variables.html
    """
    open_api.client.update_stage(ApiId=open_api.id, StageName="$default", StageVariables={"colour": "yellow"})
    assert open_api.event()["stageVariables"] == {"colour": "yellow"}


def test_format_one_is_like_a_rest_apis(http_api: Callable[..., Any]) -> None:
    """Format 1.0 has multi-value members, the route's path as resource, and null for absent members.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    api = http_api()
    api.route("GET /a/{id}", version="1.0")
    event = api.event(path="/a/7?x=1&x=2")
    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/a/{id}", "/a/7")
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert (event["queryStringParameters"], event["pathParameters"]) == ({"x": "2"}, {"id": "7"})
    assert (event["body"], event["stageVariables"]) == (None, None)
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_an_answer_with_a_status_is_taken_apart(open_api: Any) -> None:
    """statusCode, headers, cookies and body of format 2.0 become the HTTP answer.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    result = {"statusCode": 201, "headers": {"X-Own": "1"}, "cookies": ["a=1", "b=2"], "body": "made"}
    answer = open_api.answer(result)
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (201, "made", "1")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["content-type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(("result", "body"), [({"a": 1}, '{"a": 1}'), ("Hello", "Hello"), ([1], "[1]")])
def test_an_answer_without_a_status_is_the_body(open_api: Any, result: Any, body: str) -> None:
    """Without a statusCode, format 2.0 makes the whole result the body of a 200 in JSON.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    answer = open_api.answer(result)
    assert (answer.status_code, answer.text) == (200, body)
    assert answer.headers["content-type"] == "application/json"


def test_base64_answers_are_decoded(open_api: Any) -> None:
    """isBase64Encoded bodies become bytes, whatever the client accepts.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    result = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}
    assert open_api.answer(result).content == b"\x00\xff"


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "isBase64Encoded": True, "body": "!"},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "cookies": "a=1"},
    ],
)
def test_a_malformed_answer_is_an_internal_error(open_api: Any, result: Any) -> None:
    """A response that lacks the documented form gives 500 Internal Server Error.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
    """
    answer = open_api.answer(result)
    assert (answer.status_code, answer.json()) == FAILED


def test_format_one_wants_the_documented_form(http_api: Callable[..., Any]) -> None:
    """Format 1.0 infers nothing: a response of another form gives 500 Internal Server Error.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    api = http_api()
    api.route(version="1.0")
    answer = api.answer({"a": 1})
    assert (answer.status_code, answer.json()) == FAILED
    many = api.answer({"statusCode": 200, "multiValueHeaders": {"X-Own": ["1", "2"]}, "body": "x"})
    assert (many.status_code, many.headers.get_list("x-own")) == (200, ["1", "2"])


def test_an_error_of_the_function_stays_inside(open_api: Any) -> None:
    """An unhandled error of the function gives 500 without details.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
    """
    answer = open_api.call(headers={"X-Raise": "secret"})
    assert (answer.status_code, answer.json()) == FAILED
    assert "secret" not in answer.text


def test_a_function_without_a_permission_is_an_internal_error(
    http_api: Callable[..., Any], deploy_function: Callable[..., str]
) -> None:
    """Without a statement in the function's policy the call fails with 500.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
    """
    api = http_api()
    function = deploy_function("def handler(event, context): return 'hello'")
    api.route("GET /a/{id}", Target=api.integration(function=function))
    assert api.call(path="/a/1").status_code == 500
    source = f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/*/*/a/{{id}}"
    api.cloud.client("lambda").add_permission(
        FunctionName=function,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=source,
    )
    assert api.call(path="/a/1").text == "hello"


def test_a_slow_function_is_unavailable(http_api: Callable[..., Any]) -> None:
    """A function slower than the integration's timeout gives 503 Service Unavailable.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    """
    api = http_api()
    api.route(Target=api.integration(TimeoutInMillis=100))
    answer = api.call(headers={"X-Sleep": "1"})
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def test_large_bodies_and_headers_are_refused(open_api: Any) -> None:
    """Payloads end at 10 MB, request line and headers together at 10,240 bytes.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    """
    body = open_api.call("POST", content=b" " * (10 * 1024 * 1024 + 1), headers={"Content-Type": "text/plain"})
    assert (body.status_code, body.json()) == (413, {"message": "Request Entity Too Large"})
    assert open_api.call(headers={"X-Long": "x" * 10_240}).status_code == 431


CORS = {
    "AllowOrigins": ["https://app.example.com"],
    "AllowMethods": ["POST", "GET"],
    "AllowHeaders": ["authorization"],
    "ExposeHeaders": ["x-model"],
    "MaxAge": 300,
    "AllowCredentials": True,
}
ASKED = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}


def test_preflights_are_answered_by_the_gateway(http_api: Callable[..., Any]) -> None:
    """With a CORS configuration, preflights get 204 and its headers even if there is no OPTIONS route.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """
    api = http_api(CorsConfiguration=CORS)
    api.route("POST /predict")
    answer = api.call("OPTIONS", "/predict", headers=ASKED)
    assert (answer.status_code, answer.content) == (204, b"")
    given = {name: value for name, value in answer.headers.items() if name.startswith("access-control")}
    assert given == {
        "access-control-allow-origin": "https://app.example.com",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "POST,GET",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "300",
    }
    stranger = api.call("OPTIONS", "/predict", headers={**ASKED, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


def test_the_gateway_replaces_the_functions_cors_headers(http_api: Callable[..., Any]) -> None:
    """With a CORS configuration, CORS headers of the integration are ignored.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """
    api = http_api(CorsConfiguration=CORS)
    api.route()
    own = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": ""}
    headers = {"Origin": "https://app.example.com", "X-Answer": json.dumps(own)}
    assert api.call(headers=headers).headers["access-control-allow-origin"] == "https://app.example.com"
    stranger = api.call(headers={**headers, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


def test_without_cors_options_are_requests_like_any(open_api: Any) -> None:
    """Without a CORS configuration, OPTIONS reaches the route and its function answers.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """
    assert open_api.event("OPTIONS", headers=ASKED)["requestContext"]["http"]["method"] == "OPTIONS"
