"""What API Gateway tells a function of a request."""

import base64
import re
from collections.abc import Callable
from typing import Any

import httpx


def test_the_event_has_exactly_the_documented_members(proxy_api: Any) -> None:
    """A proxy event of payload format 1.0 has these members at the top and in its request context.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    event = proxy_api.event(path="/things/7")
    assert set(event) == {
        "resource",
        "path",
        "httpMethod",
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "requestContext",
        "body",
        "isBase64Encoded",
    }
    assert set(event["requestContext"]) == {
        "accountId",
        "apiId",
        "deploymentId",
        "domainName",
        "domainPrefix",
        "extendedRequestId",
        "httpMethod",
        "identity",
        "path",
        "protocol",
        "requestId",
        "requestTime",
        "requestTimeEpoch",
        "resourceId",
        "resourcePath",
        "stage",
    }


def test_what_was_not_sent_is_null(proxy_api: Any) -> None:
    """Absent query, path parameters, stage variables and body arrive as null, not as empty objects.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    event = proxy_api.event()
    assert event["queryStringParameters"] is None
    assert event["multiValueQueryStringParameters"] is None
    assert event["pathParameters"] is None
    assert event["stageVariables"] is None
    assert event["body"] is None
    assert event["isBase64Encoded"] is False


def test_the_request_context_describes_api_stage_and_time(proxy_api: Any) -> None:
    """The request context names account, API, stage, resource and the time in Common Log Format.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    context = proxy_api.event(path="/a/b")["requestContext"]
    assert (context["accountId"], context["apiId"], context["stage"]) == ("123456789012", proxy_api.id, "prod")
    assert (context["path"], context["resourcePath"]) == ("/prod/a/b", "/{proxy+}")
    assert context["resourceId"] == proxy_api.resources["/{proxy+}"]
    assert context["domainName"] == f"{proxy_api.id}.execute-api.us-east-1.amazonaws.com"
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["protocol"] == "HTTP/1.1"


def test_request_ids_in_event_and_answer_agree(proxy_api: Any) -> None:
    """x-amzn-RequestId and x-amz-apigw-id of the answer are requestId and extendedRequestId of the event.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    answer = proxy_api.call()
    context = answer.json()["requestContext"]
    assert answer.headers["x-amzn-requestid"] == context["requestId"]
    assert answer.headers["x-amz-apigw-id"] == context["extendedRequestId"]


def test_header_names_keep_the_clients_spelling(proxy_api: Any) -> None:
    """Over HTTP/1.1, header names reach the function as the client spelled them.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    headers = proxy_api.event(headers={"X-MiXed-Case": "1"})["headers"]
    assert headers["X-MiXed-Case"] == "1"


def test_repeated_headers_are_kept_in_multi_value_headers(proxy_api: Any) -> None:
    """headers holds the last of several values, multiValueHeaders all of them in order.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    event = proxy_api.event(headers=[("X-Many", "1"), ("X-Many", "2")])
    assert event["headers"]["X-Many"] == "2"
    assert event["multiValueHeaders"]["X-Many"] == ["1", "2"]


def test_repeated_query_parameters_are_kept_and_decoded(proxy_api: Any) -> None:
    """queryStringParameters holds the last value, multiValueQueryStringParameters all, decoded once.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    event = proxy_api.event(path="/?a=1&a=2&b=x%2By+z&flag")
    assert event["queryStringParameters"] == {"a": "2", "b": "x+y z", "flag": ""}
    assert event["multiValueQueryStringParameters"]["a"] == ["1", "2"]


def test_the_path_stays_encoded_and_path_parameters_are_decoded(rest_api: Callable[..., Any]) -> None:
    """event.path is as sent; a {parameter} holds one decoded segment.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
    """
    api = rest_api()
    api.proxy("/models/{name}")
    api.deploy()
    event = api.event(path="/models/a%20b+c")
    assert event["path"] == "/models/a%20b+c"
    assert event["pathParameters"] == {"name": "a b+c"}


def test_a_greedy_parameter_takes_the_rest_of_the_path(proxy_api: Any) -> None:
    """{proxy+} holds every remaining segment, without the leading slash.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
    """
    event = proxy_api.event(path="/a/b/c")
    assert event["resource"] == "/{proxy+}"
    assert event["pathParameters"] == {"proxy": "a/b/c"}


def test_stage_variables_reach_the_function(rest_api: Callable[..., Any]) -> None:
    """A stage's variables are in the event.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/stage-variables.html
    """
    api = rest_api()
    api.proxy("/")
    api.deploy(variables={"colour": "yellow"})
    assert api.event()["stageVariables"] == {"colour": "yellow"}


def test_a_text_body_arrives_as_text(proxy_api: Any) -> None:
    """Without binary media types a body is text.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
    """
    event = proxy_api.event("POST", content='{"ä": 1}'.encode(), headers={"Content-Type": "application/json"})
    assert (event["body"], event["isBase64Encoded"]) == ('{"ä": 1}', False)


def test_a_body_of_a_binary_media_type_arrives_in_base64(rest_api: Callable[..., Any]) -> None:
    """A request whose Content-Type is among the API's binaryMediaTypes is base64-encoded, others are not.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """
    api = rest_api(binaryMediaTypes=["application/octet-stream"])
    api.proxy("/")
    api.deploy()
    binary = api.event("POST", content=b"\x00\xff", headers={"Content-Type": "application/octet-stream"})
    text = api.event("POST", content=b"plain", headers={"Content-Type": "text/plain"})
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\x00\xff", True)
    assert (text["body"], text["isBase64Encoded"]) == ("plain", False)


def test_all_types_are_binary_under_a_full_wildcard(rest_api: Callable[..., Any]) -> None:
    """binaryMediaTypes */* makes every body binary, also JSON and one without a Content-Type.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """
    api = rest_api(binaryMediaTypes=["*/*"])
    api.proxy("/")
    api.deploy()
    untyped = api.event("POST", content=b"\x00")
    typed = api.event("POST", json={"a": 1})
    assert untyped["isBase64Encoded"] is True
    assert base64.b64decode(typed["body"]) == b'{"a":1}'


def test_a_trace_id_is_passed_on_or_made(proxy_api: Any) -> None:
    """X-Amzn-Trace-Id of the client is kept; without one API Gateway makes a root.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    given = "Root=1-67891233-abcdef012345678912345678"
    assert proxy_api.event(headers={"X-Amzn-Trace-Id": given})["headers"]["X-Amzn-Trace-Id"] == given
    made = proxy_api.event()["headers"]["X-Amzn-Trace-Id"]
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", made)


def test_forwarding_headers_are_added(proxy_api: Any) -> None:
    """X-Forwarded-For ends with the caller's address; port and protocol are named beside it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    headers = proxy_api.event(headers={"X-Forwarded-For": "203.0.113.9"})["headers"]
    assert headers["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"
    assert {"X-Forwarded-Port", "X-Forwarded-Proto"} <= set(headers)


def test_the_source_ip_is_the_peers_whatever_it_claims(proxy_api: Any) -> None:
    """identity.sourceIp is the TCP connection's, not X-Forwarded-For's.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    event = proxy_api.event(headers={"X-Forwarded-For": "203.0.113.9"})
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_an_api_answers_under_its_own_host_name(proxy_api: Any) -> None:
    """The invoke URL is https://{api}.execute-api.{region}.amazonaws.com/{stage}.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
    """
    answer = httpx.get(
        f"{proxy_api.cloud.config.endpoint_url}/prod/here",
        headers={"Host": f"{proxy_api.id}.execute-api.us-east-1.amazonaws.com"},
        trust_env=False,
    )
    assert answer.status_code == 200
    assert answer.json()["path"] == "/here"
