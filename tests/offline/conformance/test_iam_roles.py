"""What the role of a function allows it, and in which words it is refused the rest."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
#: Makes the call that its event names, and answers with the error's code, message and status, or with null.
CALLING = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handler(event, context):
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    client = boto3.client(event["service"], config=config)
    try:
        getattr(client, event["call"])(**event["params"])
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [error.response["Error"]["Code"], error.response["Error"]["Message"], status]
"""
HERE = "us-east-1:123456789012"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


class Caller:
    """A function under a role of its own, whose inline policy a test sets."""

    def __init__(self, aws: Any, role: str, name: str) -> None:
        self._iam, self._functions = aws("iam"), aws("lambda")
        self.role, self.name = role, name
        self.session = f"arn:aws:sts::123456789012:assumed-role/{role}/{name}"

    def may(self, *statements: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self._iam.put_role_policy(RoleName=self.role, PolicyName="may", PolicyDocument=document)

    def call(self, service: str, call: str, **params: Any) -> list[Any] | None:
        """Code, message and status of the error; None for success."""
        event = json.dumps({"service": service, "call": call, "params": params}).encode()
        answer = self._functions.invoke(FunctionName=self.name, Payload=event)
        result = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, result
        found: list[Any] | None = result
        return found

    def refused(self, service: str, call: str, **params: Any) -> bool:
        error = self.call(service, call, **params)
        return error is not None and error[0] in ("AccessDenied", "AccessDeniedException", "AuthorizationError")


@pytest.fixture(scope="module")
def caller(aws: Callable[..., Any], zip_of: Callable[..., bytes]) -> Caller:
    role, name = "calling-role", "calling"
    arn = aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=arn,
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": CALLING})},
        Timeout=30,
        MemorySize=512,
    )
    return Caller(aws, role, name)


def test_what_no_policy_allows_is_denied_by_default(caller):
    """A call that no policy of the function's role allows is denied, naming session, action and resource.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    caller.may(allow("sts:GetCallerIdentity"))
    arn = f"arn:aws:lambda:{HERE}:function:other:live"
    assert caller.call("lambda", "invoke", FunctionName="other", Qualifier="live") == [
        "AccessDeniedException",
        f"User: {caller.session} is not authorized to perform: lambda:InvokeFunction on resource: {arn} "
        "because no identity-based policy allows the lambda:InvokeFunction action",
        403,
    ]


def test_an_explicit_deny_beats_every_allow(caller):
    """Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html"""
    caller.may(allow("*"), deny("ssm:PutParameter"))
    code, message, status = caller.call("ssm", "put_parameter", Name="/a", Value="1", Type="String")
    assert (code, status) == ("AccessDeniedException", 400)
    assert message.endswith(
        f"ssm:PutParameter on resource: arn:aws:ssm:{HERE}:parameter/a "
        "with an explicit deny in an identity-based policy"
    )


def test_a_change_of_policy_holds_for_sessions_that_stand(caller):
    """A role's policies are read at every call, also for existing sessions.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_modify.html
    """
    caller.may(allow("cloudwatch:ListMetrics"))
    assert caller.call("cloudwatch", "list_metrics") is None
    caller.may(allow("cloudwatch:GetMetricData"))
    assert caller.refused("cloudwatch", "list_metrics")


def test_actions_match_by_wildcard_whatever_their_case(caller):
    """Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html"""
    caller.may(allow(["SSM:get*"]))
    assert caller.call("ssm", "get_parameter", Name="/missing")[0] == "ParameterNotFound"
    assert caller.refused("ssm", "delete_parameter", Name="/missing")


def test_not_action_names_all_others(caller):
    """Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html"""
    caller.may({"Effect": "Allow", "NotAction": "ssm:*", "Resource": "*"})
    assert caller.refused("ssm", "get_parameter", Name="/missing")
    assert caller.call("sqs", "list_queues") is None


def test_resources_match_by_wildcard(caller):
    """Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    caller.may(allow("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/team-?/*"))
    assert caller.call("ssm", "get_parameter", Name="/team-a/x")[0] == "ParameterNotFound"
    assert caller.refused("ssm", "get_parameter", Name="/team-ab/x")


def test_not_resource_names_all_others(caller):
    """Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html"""
    kept = f"arn:aws:ssm:{HERE}:parameter/kept"
    caller.may({"Effect": "Allow", "Action": "ssm:*", "NotResource": kept})
    assert caller.refused("ssm", "delete_parameter", Name="/kept")
    assert caller.call("ssm", "delete_parameter", Name="/other")[0] == "ParameterNotFound"


def test_every_resource_of_a_call_must_be_allowed(caller):
    """Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html"""
    caller.may(allow("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/one"))
    assert caller.call("ssm", "get_parameters", Names=["/one"]) is None
    assert caller.refused("ssm", "get_parameters", Names=["/one", "/two"])


def test_an_action_without_resources_needs_a_statement_for_all(caller):
    """Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html"""
    caller.may(allow("cloudwatch:ListMetrics", f"arn:aws:cloudwatch:{HERE}:alarm:*"))
    assert caller.refused("cloudwatch", "list_metrics")


def test_a_condition_on_the_namespace_of_metrics(caller):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html"""
    caller.may(
        allow("cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": ["Birds", "Nests"]}})
    )
    datum = [{"MetricName": "Eggs", "Value": 1}]
    assert caller.call("cloudwatch", "put_metric_data", Namespace="Birds", MetricData=datum) is None
    assert caller.refused("cloudwatch", "put_metric_data", Namespace="Cats", MetricData=datum)


def test_a_condition_on_the_source_of_events(caller):
    """Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html"""
    bus = f"arn:aws:events:{HERE}:event-bus/default"
    caller.may(allow("events:PutEvents", bus, Condition={"StringEquals": {"events:source": "birds"}}))

    def entry(source: str) -> dict[str, str]:
        return {"Source": source, "DetailType": "song", "Detail": "{}"}

    assert caller.call("events", "put_events", Entries=[entry("birds")]) is None
    assert caller.refused("events", "put_events", Entries=[entry("birds"), entry("cats")])


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"Null": {"aws:SourceVpc": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"StringLike": {"aws:RequestedRegion": "us-*"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/calling-*"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}, True),
    ],
)
def test_conditions_on_what_is_known_of_a_call(caller, condition, allowed):
    """Conditions on global keys: a key that the call does not have fails all but negated and optional operators.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    caller.may(allow("sqs:ListQueues", Condition=condition))
    assert caller.refused("sqs", "list_queues") is not allowed


def test_attached_managed_policies_count(aws, caller):
    """Managed policies of AWS and of the account allow as inline ones do.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    caller.may(allow("sts:GetCallerIdentity"))
    arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
    aws("iam").attach_role_policy(RoleName=caller.role, PolicyArn=arn)
    assert caller.call("sqs", "list_queues") is None
    aws("iam").detach_role_policy(RoleName=caller.role, PolicyArn=arn)
    assert caller.refused("sqs", "list_queues")


def test_a_permissions_boundary_limits_what_policies_allow(aws, caller):
    """Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    caller.may(allow("*"))
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:*")]})
    bound = aws("iam").create_policy(PolicyName="calling-bound", PolicyDocument=document)["Policy"]["Arn"]
    aws("iam").put_role_permissions_boundary(RoleName=caller.role, PermissionsBoundary=bound)
    error = caller.call("sqs", "list_queues")
    within = caller.call("ssm", "get_parameter", Name="/missing")
    aws("iam").delete_role_permissions_boundary(RoleName=caller.role)
    assert error[1].endswith("because no permissions boundary allows the sqs:ListQueues action")
    assert within[0] == "ParameterNotFound"


@pytest.mark.parametrize(
    ("service", "call", "params", "code", "action", "resource", "status"),
    [
        ("s3", "get_object", {"Bucket": "b", "Key": "k"}, "AccessDenied", "s3:GetObject", "arn:aws:s3:::b/k", 403),
        ("s3", "list_objects_v2", {"Bucket": "b"}, "AccessDenied", "s3:ListBucket", "arn:aws:s3:::b", 403),
        ("sns", "publish", {"TopicArn": f"arn:aws:sns:{HERE}:t", "Message": "m"}, "AuthorizationError",
         "sns:Publish", f"arn:aws:sns:{HERE}:t", 403),
        ("sts", "assume_role", {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "ss"},
         "AccessDenied", "sts:AssumeRole", "arn:aws:iam::123456789012:role/r", 403),
        ("dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "1"}}}, "AccessDeniedException",
         "dynamodb:GetItem", f"arn:aws:dynamodb:{HERE}:table/t", 400),
        ("stepfunctions", "start_execution", {"stateMachineArn": f"arn:aws:states:{HERE}:stateMachine:m"},
         "AccessDeniedException", "states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:m", 400),
        ("logs", "put_log_events", {"logGroupName": "g", "logStreamName": "s",
                                    "logEvents": [{"timestamp": 1, "message": "m"}]},
         "AccessDeniedException", "logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:g:log-stream:s", 400),
    ],
)  # fmt: skip
def test_services_name_action_and_resource(caller, service, call, params, code, action, resource, status):
    """Each service reports a denial in its own format, with its own code, action and resource.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    caller.may(allow("sts:GetCallerIdentity"))
    found = caller.call(service, call, **params)
    assert (found[0], found[2]) == (code, status)
    assert f"is not authorized to perform: {action} on resource: {resource} because" in found[1]


def test_who_one_is_may_always_be_asked(caller):
    """GetCallerIdentity is always allowed.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    caller.may(deny("*"))
    assert caller.call("sts", "get_caller_identity") is None


def test_a_call_whose_resource_is_not_told_is_decided_by_its_action(caller):
    """Services that functions seldom call are decided by the action: any resource of a statement matches.

    Differs: AWS checks the resource too; here it is not checked for IAM, CloudFormation and ECR.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    caller.may(allow("iam:GetRole", "arn:aws:iam::123456789012:role/another"))
    assert caller.call("iam", "get_role", RoleName=caller.role) is None
    assert caller.refused("iam", "list_roles")


def test_others_than_functions_are_not_held_to_policies(cloud, aws, caller):
    """Callers other than functions may do everything.

    Differs: only the policies of functions' own roles are enforced; all others are stored.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    caller.may(deny("*"))
    role = f"arn:aws:iam::123456789012:role/{caller.role}"
    given = aws("sts").assume_role(RoleArn=role, RoleSessionName="a-person")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], "us-east-1")
    assert session.client("sqs", endpoint_url=cloud.config.endpoint_url).list_queues()["ResponseMetadata"]


def test_what_functions_asked_for_can_be_read(cloud, caller):
    """Every action and resource of a function's calls is recorded, as by CloudTrail.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-user-guide.html
    """
    caller.may(allow("ssm:GetParameter"))
    caller.call("ssm", "get_parameter", Name="/asked")
    caller.call("ssm", "delete_parameter", Name="/asked")
    role = f"arn:aws:iam::123456789012:role/{caller.role}"
    answer = cloud.own_api().get("/iam/uses", params={"role": role})
    arn = f"arn:aws:ssm:{HERE}:parameter/asked"
    found = {(use["action"], use["allowed"]) for use in answer.json()["uses"] if use["resource"] == arn}
    assert found == {("ssm:GetParameter", True), ("ssm:DeleteParameter", False)}
