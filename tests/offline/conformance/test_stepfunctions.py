"""Step Functions: state machines are kept; nothing runs them, and nothing pretends to."""

import json

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model
from moto.stepfunctions.models import stepfunctions_backends
from moto.stepfunctions.responses import StepFunctionResponse

from serinus.offline.client.session import isolated_session
from serinus.offline.services.stepfunctions import RUNNING, StepFunctions

MODEL = get_service_model("stepfunctions")
DEFINITION = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:batch"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:batch:one"
MAP_RUN = "arn:aws:states:us-east-1:123456789012:mapRun:batch/map:one"
ROLE = "arn:aws:iam::123456789012:role/states"


@pytest.fixture(scope="module")
def states(cloud):
    """A client that speaks to the cloud itself where AWS has a host of another name for an operation."""
    session = isolated_session(cloud.config.root_key, "us-east-1")
    plain = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, parameter_validation=False)
    return session.client("stepfunctions", endpoint_url=cloud.config.endpoint_url, config=plain)


@pytest.fixture
def machine(states, unique_name):
    made = states.create_state_machine(name=unique_name("machine"), definition=DEFINITION, roleArn=ROLE)
    yield made["stateMachineArn"]
    states.delete_state_machine(stateMachineArn=made["stateMachineArn"])


def test_a_state_machine_is_kept(states, machine):
    """CreateStateMachine stores the definition, which DescribeStateMachine returns.

    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
    """
    assert states.describe_state_machine(stateMachineArn=machine)["definition"] == DEFINITION
    listed = states.list_state_machines()["stateMachines"]
    assert machine in [one["stateMachineArn"] for one in listed]


@pytest.mark.parametrize("operation", sorted(RUNNING))
def test_running_a_state_machine_is_refused_by_name(states, operation):
    """Operations that run a state machine, or describe a run, are refused.

    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    params = {
        "stateMachineArn": MACHINE,
        "executionArn": EXECUTION,
        "mapRunArn": MAP_RUN,
        "activityArn": "arn:aws:states:us-east-1:123456789012:activity:a",
        "taskToken": "token",
        "output": "{}",
        "definition": DEFINITION,
        "roleArn": ROLE,
    }
    taken = MODEL.operation_model(operation).input_shape.members
    with pytest.raises(ClientError) as refusal:
        states._make_api_call(operation, {name: value for name, value in params.items() if name in taken})
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert refusal.value.response["Error"]["Code"] == "NotImplemented"
    assert f"when calling the {operation} operation" in str(refusal.value)
    assert f"does not model stepfunctions:{operation}. It stores state machines but does not run them." in str(
        refusal.value
    )


def test_a_refused_execution_leaves_nothing(states, machine):
    """A refused StartExecution starts none.

    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    with pytest.raises(ClientError, match="does not model"):
        states.start_execution(stateMachineArn=machine, input="{}")
    backend = stepfunctions_backends["123456789012"]["us-east-1"]
    assert next(one for one in backend.state_machines if one.arn == machine).executions == []


def test_every_other_operation_is_motos_or_refused_by_name():
    """Every supported operation works on stored definitions only.

    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
    """
    kept = StepFunctions.moto_operations
    assert not kept & RUNNING
    assert set(MODEL.operation_names) >= kept | RUNNING
    by_moto = {name for name in kept if hasattr(StepFunctionResponse, xform_name(name))}
    assert by_moto == kept


def _rule(aws, name):
    aws("events").put_rule(Name=name, ScheduleExpression="rate(1 day)")
    try:
        aws("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": MACHINE, "RoleArn": ROLE}])
    finally:
        aws("events").delete_rule(Name=name)


def _schedule(aws, name):
    aws("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": MACHINE, "RoleArn": ROLE},
    )


def _pipe(aws, name):
    queue = "arn:aws:sqs:us-east-1:123456789012:q"
    aws("pipes").create_pipe(Name=name, RoleArn=ROLE, Source=queue, Target=MACHINE)


def _alarm(aws, name):
    aws("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[MACHINE],
    )


def _rest_api(aws, name):
    api = aws("apigateway").create_rest_api(name=name)
    try:
        aws("apigateway").put_method(
            restApiId=api["id"], resourceId=api["rootResourceId"], httpMethod="POST", authorizationType="NONE"
        )
        aws("apigateway").put_integration(
            restApiId=api["id"],
            resourceId=api["rootResourceId"],
            httpMethod="POST",
            integrationHttpMethod="POST",
            type="AWS",
            uri="arn:aws:apigateway:us-east-1:states:action/StartExecution",
            credentials=ROLE,
        )
    finally:
        aws("apigateway").delete_rest_api(restApiId=api["id"])


def _http_api(aws, name):
    api = aws("apigatewayv2").create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    try:
        aws("apigatewayv2").create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationSubtype="StepFunctions-StartExecution",
            PayloadFormatVersion="1.0",
            RequestParameters={"StateMachineArn": MACHINE, "Input": "$request.body"},
            CredentialsArn=ROLE,
        )
    finally:
        aws("apigatewayv2").delete_api(ApiId=api)


def _stack(aws, name):
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": ROLE}}
    aws("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"M": machine}}))


@pytest.mark.parametrize("starter", [_rule, _schedule, _pipe, _alarm, _rest_api, _http_api, _stack])
def test_what_would_start_a_state_machine_is_refused_by_name(aws, unique_name, starter):
    """A rule, a schedule, a pipe, an alarm, an API or a stack that would start a state machine is refused.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-invoke-sfn.html
    """
    with pytest.raises(ClientError, match="does not model"):
        starter(aws, unique_name("starter"))
