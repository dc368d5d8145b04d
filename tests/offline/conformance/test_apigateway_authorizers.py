"""Lambda authorizers: functions that decide who may call."""

from collections.abc import Callable
from typing import Any

import pytest

#: Does as its token says; counts its calls in the context that it returns.
AUTHORIZER = """
calls = 0

def handler(event, context):
    global calls
    calls += 1
    token = event.get("authorizationToken") or (event.get("headers") or {}).get("X-Token")
    if token == "raise":
        raise Exception("Unauthorized")
    if token == "fail":
        raise Exception("out of order")
    if token == "malformed":
        return {"principalId": "me"}
    statement = {"Action": "execute-api:Invoke", "Effect": token, "Resource": event["methodArn"]}
    return {
        "principalId": "me",
        "policyDocument": {"Version": "2012-10-17", "Statement": [] if token == "nothing" else [statement]},
        "context": {"calls": calls, "type": event["type"], "flag": True},
    }
"""


@pytest.fixture
def guarded(
    rest_api: Callable[..., Any], deploy_function: Callable[..., str], aws: Callable[..., Any]
) -> Callable[..., Any]:
    """Makes an API behind an authorizer; keyword arguments are CreateAuthorizer's."""

    def make(**settings: Any) -> Any:
        function = deploy_function(AUTHORIZER)
        aws("lambda").add_permission(
            FunctionName=function,
            StatementId="s",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        api = rest_api()
        wanted = {"type": "TOKEN", "identitySource": "method.request.header.X-Token", **settings}
        authorizer = api.client.create_authorizer(
            restApiId=api.id, name="a", authorizerUri=api.uri(function), **wanted
        )
        api.proxy("/{proxy+}", authorizationType="CUSTOM", authorizerId=authorizer["id"])
        api.deploy()
        return api

    return make


def test_an_allowed_request_carries_the_authorizers_context(guarded: Callable[..., Any]) -> None:
    """The function sees principalId and the authorizer's context, all values as text.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
    """
    context = guarded().event(path="/a", headers={"X-Token": "Allow"})["requestContext"]["authorizer"]
    assert context == {"principalId": "me", "calls": "1", "type": "TOKEN", "flag": "true"}


@pytest.mark.parametrize(
    ("token", "status", "body"),
    [
        (None, 401, {"message": "Unauthorized"}),
        ("raise", 401, {"message": "Unauthorized"}),
        ("Deny", 403, {"Message": "User is not authorized to access this resource with an explicit deny"}),
        ("nothing", 403, {"Message": "User is not authorized to access this resource"}),
        ("fail", 500, {"message": None}),
        ("malformed", 500, {"message": None}),
    ],
)
def test_other_requests_are_refused(
    guarded: Callable[..., Any], token: str | None, status: int, body: dict[str, Any]
) -> None:
    """No token or "Unauthorized": 401; a policy that denies or does not allow: 403; a failing function: 500.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
    """
    answer = guarded().call(path="/a", headers={"X-Token": token} if token else {})
    assert (answer.status_code, answer.json()) == (status, body)


def test_a_policy_is_kept_for_its_time_to_live(guarded: Callable[..., Any]) -> None:
    """A policy is cached by token, for all paths; requests to other paths are checked against it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
    """
    api, allowed = guarded(), {"X-Token": "Allow"}
    calls = [api.event(path="/a", headers=allowed)["requestContext"]["authorizer"]["calls"] for _ in range(2)]
    assert calls == ["1", "1"]
    assert api.call(path="/b", headers=allowed).status_code == 403


def test_a_time_to_live_of_zero_asks_each_time(guarded: Callable[..., Any]) -> None:
    """authorizerResultTtlInSeconds 0 turns caching off.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
    """
    api, allowed = guarded(authorizerResultTtlInSeconds=0), {"X-Token": "Allow"}
    calls = [api.event(path="/a", headers=allowed)["requestContext"]["authorizer"]["calls"] for _ in range(2)]
    assert calls == ["1", "2"]


def test_a_token_must_match_its_expression(guarded: Callable[..., Any]) -> None:
    """identityValidationExpression rejects a token without invoking the function.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
    """
    api = guarded(identityValidationExpression="A.*")
    assert api.call(path="/a", headers={"X-Token": "Deny"}).status_code == 401
    assert api.call(path="/a", headers={"X-Token": "Allow"}).status_code == 200


def test_a_request_authorizer_gets_the_request(guarded: Callable[..., Any]) -> None:
    """A REQUEST authorizer's function gets headers, query, path and context; all its sources must be present.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
    """
    api = guarded(type="REQUEST", identitySource="method.request.header.X-Token, method.request.querystring.q")
    context = api.event(path="/a?q=1", headers={"X-Token": "Allow"})["requestContext"]["authorizer"]
    assert context["type"] == "REQUEST"
    assert api.call(path="/a", headers={"X-Token": "Allow"}).status_code == 401


def test_cognito_authorizers_are_refused_by_name(rest_api: Callable[..., Any]) -> None:
    """User pools are not modelled.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
    """
    api = rest_api()
    with pytest.raises(api.client.exceptions.ClientError, match="Cognito user pools"):
        api.client.create_authorizer(restApiId=api.id, name="a", type="COGNITO_USER_POOLS", providerARNs=[])
