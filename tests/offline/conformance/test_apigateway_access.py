"""Keys, usage plans, throttles and signatures."""

from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

FORBIDDEN = {"message": "Forbidden"}


@pytest.fixture
def keyed_api(rest_api: Callable[..., Any]) -> Any:
    """An API that asks for a key."""
    api = rest_api()
    api.proxy("/", apiKeyRequired=True)
    api.deploy()
    return api


def test_a_missing_or_unknown_key_is_forbidden(keyed_api: Any) -> None:
    """A method that requires a key answers 403 Forbidden without a valid one.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    for headers in ({}, {"x-api-key": "no-such-key-anywhere-here"}):
        answer = keyed_api.call(headers=headers)
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
        assert answer.headers["x-amzn-errortype"] == "ForbiddenException"


def test_a_key_outside_of_the_stages_plans_is_forbidden(keyed_api: Any, aws: Callable[..., Any]) -> None:
    """A key is valid only for stages of its usage plans.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    key = aws("apigateway").create_api_key(name="lonely", enabled=True)
    assert keyed_api.call(headers={"x-api-key": key["value"]}).status_code == 403


def test_a_key_in_a_plan_opens_the_stage(keyed_api: Any, usage_plan: Callable[..., Any]) -> None:
    """A key in a usage plan for the stage is accepted; the event holds its id.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-setup-api-key-with-restapi.html
    """
    _, value = usage_plan(keyed_api)
    identity = keyed_api.event(headers={"x-api-key": value})["requestContext"]["identity"]
    assert identity["apiKey"] == value
    assert identity["apiKeyId"]


def test_a_disabled_key_is_forbidden(keyed_api: Any, usage_plan: Callable[..., Any]) -> None:
    """A disabled key is rejected at once.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-setup-api-key-with-restapi.html
    """
    plan_id, value = usage_plan(keyed_api)
    client = keyed_api.client
    key_id = client.get_usage_plan_keys(usagePlanId=plan_id)["items"][0]["id"]
    client.update_api_key(apiKey=key_id, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
    assert keyed_api.call(headers={"x-api-key": value}).status_code == 403


def test_a_plans_burst_limits_its_keys(keyed_api: Any, usage_plan: Callable[..., Any]) -> None:
    """Requests above a plan's throttle give 429 Too Many Requests.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    _, value = usage_plan(keyed_api, throttle={"rateLimit": 0.001, "burstLimit": 2})
    answers = [keyed_api.call(headers={"x-api-key": value}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {"message": "Too Many Requests"}
    assert answers[2].headers["x-amzn-errortype"] == "TooManyRequestsException"


def test_a_plan_may_throttle_one_method(keyed_api: Any, usage_plan: Callable[..., Any]) -> None:
    """A plan's apiStages entry may set throttles by method.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    plan_id, value = usage_plan(keyed_api)
    throttle = f"/apiStages/{keyed_api.id}:prod/throttle/~1/ANY"
    keyed_api.client.update_usage_plan(
        usagePlanId=plan_id,
        patchOperations=[
            {"op": "replace", "path": f"{throttle}/rateLimit", "value": "0.001"},
            {"op": "replace", "path": f"{throttle}/burstLimit", "value": "1"},
        ],
    )
    codes = [keyed_api.call(headers={"x-api-key": value}).status_code for _ in range(2)]
    assert codes == [200, 429]


def test_a_plans_quota_ends_in_limit_exceeded(keyed_api: Any, usage_plan: Callable[..., Any]) -> None:
    """Requests above a plan's quota give 429 Limit Exceeded; GetUsage reports used and remaining.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    plan_id, value = usage_plan(keyed_api, quota={"limit": 2, "period": "MONTH"})
    answers = [keyed_api.call(headers={"x-api-key": value}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {"message": "Limit Exceeded"}
    assert answers[2].headers["x-amzn-errortype"] == "LimitExceededException"
    today = keyed_api.cloud.clock.now().date().isoformat()
    usage = keyed_api.client.get_usage(usagePlanId=plan_id, startDate=today, endDate=today)
    assert list(usage["items"].values()) == [[[2, 0]]]


@pytest.mark.parametrize(("reading", "passed"), [("exact", 2), ("best-effort", 4)])
@pytest.mark.parametrize(
    "limits",
    [{"quota": {"limit": 2, "period": "DAY"}}, {"throttle": {"rateLimit": 0.001, "burstLimit": 2}}],
    ids=["quota", "throttle"],
)
def test_plans_limits_are_applied_on_a_best_effort_basis(
    keyed_api: Any,
    usage_plan: Callable[..., Any],
    cloud: Any,
    play: Callable[..., None],
    limits: Any,
    reading: str,
    passed: int,
) -> None:
    """Throttling and quotas of plans are not hard limits; how many requests pass them is a reading.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    play(cloud, usage_plans=reading)
    _, value = usage_plan(keyed_api, **limits)
    statuses = [keyed_api.call(headers={"x-api-key": value}).status_code for _ in range(12)]
    assert (statuses.count(200), statuses.count(429)) == (passed, 12 - passed)
    assert statuses[:6] == [200] * 2 + [429] * 4


def test_a_quota_begins_anew_with_its_period(stepped: Any) -> None:
    """A DAY quota starts over at the next day, UTC, of cloud time.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    client = stepped.client("apigateway")
    api = client.create_rest_api(name="daily")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE", apiKeyRequired=True)
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_method_response(**place, statusCode="200")
    client.put_integration_response(**place, statusCode="200")
    client.create_deployment(restApiId=api["id"], stageName="prod")
    key = client.create_api_key(name="k", enabled=True)
    quota = {"limit": 1, "period": "DAY"}
    plan = client.create_usage_plan(name="p", apiStages=[{"apiId": api["id"], "stage": "prod"}], quota=quota)
    client.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    url = f"{stepped.cloud.config.endpoint_url}/_gateway/{api['id']}/prod/"

    def status() -> int:
        return httpx.get(url, headers={"x-api-key": key["value"]}, trust_env=False).status_code

    assert [status(), status()] == [200, 429]
    stepped.advance(86_400)
    assert [status(), status()] == [200, 429]


def test_a_stage_throttles_all_callers_of_a_method(rest_api: Callable[..., Any]) -> None:
    """A stage's method settings limit rate and burst; a method's own setting replaces that of */*.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    api = rest_api()
    api.proxy("/slow", "GET")
    api.proxy("/fast", "GET")
    api.deploy()
    operations = [
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "1000"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "1000"},
        {"op": "replace", "path": "/~1slow/GET/throttling/rateLimit", "value": "0.001"},
        {"op": "replace", "path": "/~1slow/GET/throttling/burstLimit", "value": "1"},
    ]
    api.client.update_stage(restApiId=api.id, stageName="prod", patchOperations=operations)
    assert [api.call(path="/slow").status_code for _ in range(2)] == [200, 429]
    assert [api.call(path="/fast").status_code for _ in range(2)] == [200, 200]


@pytest.fixture
def signed_api(rest_api: Callable[..., Any]) -> Any:
    """An API that asks for a signature."""
    api = rest_api()
    api.proxy("/{proxy+}", authorizationType="AWS_IAM")
    api.deploy()
    return api


@pytest.fixture
def user_keys(aws: Callable[..., Any], unique_name: Callable[..., str]) -> Callable[..., Any]:
    """Makes an IAM user who may do ``action`` and returns boto3 credentials."""

    def make(action: str = "execute-api:Invoke", secret: str | None = None) -> Any:
        iam, user = aws("iam"), unique_name("caller")
        iam.create_user(UserName=user)
        statement = f'{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}'
        document = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], secret or key["SecretAccessKey"], region_name="us-east-1")
        return session.get_credentials()

    return make


def signed_call(api: Any, credentials: Any, path: str = "/a%20b?z=1&a=2", body: bytes = b"{}") -> httpx.Response:
    request = AWSRequest("POST", api.url(path), data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return api.call("POST", path, content=body, headers=dict(request.headers.items()))


def test_an_unsigned_request_misses_an_authentication_token(signed_api: Any) -> None:
    """A method with AWS_IAM answers 403 Missing Authentication Token to an unsigned request.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    answer = signed_api.call(path="/a")
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


def test_a_signed_request_of_a_user_who_may_invoke_passes(signed_api: Any, user_keys: Callable[..., Any]) -> None:
    """A valid Signature Version 4 of a user with execute-api:Invoke is accepted; the event names the user.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    answer = signed_call(signed_api, user_keys())
    assert answer.status_code == 200, answer.text
    assert answer.json()["requestContext"]["identity"]["userArn"].startswith("arn:aws:iam::123456789012:user/")


def test_a_role_that_may_invoke_passes(
    signed_api: Any, aws: Callable[..., Any], unique_name: Callable[..., str]
) -> None:
    """Temporary credentials of an assumed role sign as well, with their session token.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    iam, role = aws("iam"), unique_name("role")
    anyone = '{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}'
    trust = f'{{"Version": "2012-10-17", "Statement": [{anyone}]}}'
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    invoke = '{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}'
    document = f'{{"Version": "2012-10-17", "Statement": [{invoke}]}}'
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)
    given = aws("sts").assume_role(RoleArn=arn, RoleSessionName="s")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    answer = signed_call(signed_api, session.get_credentials())
    assert answer.status_code == 200, answer.text
    assert answer.json()["requestContext"]["identity"]["userArn"].endswith(f"assumed-role/{role}/s")


def test_a_user_who_may_not_invoke_is_denied(signed_api: Any, user_keys: Callable[..., Any]) -> None:
    """Without execute-api:Invoke the answer is 403 and names user, action and resource.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    answer = signed_call(signed_api, user_keys(action="s3:GetObject"))
    assert answer.status_code == 403
    assert "is not authorized to perform: execute-api:Invoke on resource" in answer.json()["Message"]
    assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"


def test_a_wrong_signature_is_refused(signed_api: Any, user_keys: Callable[..., Any]) -> None:
    """A signature made with another secret gives 403 InvalidSignatureException.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    answer = signed_call(signed_api, user_keys(secret="another secret"))
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")


def test_an_unknown_access_key_is_refused(signed_api: Any) -> None:
    """An access key that IAM did not create gives 403 UnrecognizedClientException.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    credentials = boto3.Session("AKIAUNKNOWN", "secret", region_name="us-east-1").get_credentials()
    answer = signed_call(signed_api, credentials)
    assert answer.json() == {"message": "The security token included in the request is invalid."}
    assert answer.headers["x-amzn-errortype"] == "UnrecognizedClientException"
