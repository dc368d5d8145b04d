"""The service's whole memory is plain data that can be put away and brought back."""

import json
import pickle
import threading
import time

from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def test_stacks_with_their_history_can_be_pickled(stacks, cloud):
    template = {
        "Parameters": {"Word": {"Type": "String", "Default": "x"}},
        "Resources": {"News": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Said": {"Value": {"Ref": "Word"}}},
    }
    stack_id = stacks.create(template)
    restored = pickle.loads(pickle.dumps(cloud.services.cloudformation.engine.state))
    stack = restored.stacks[stack_id]
    assert stack.status == "CREATE_COMPLETE"
    assert [output.value for output in stack.outputs] == ["x"]
    assert stack.events[-1].status == "CREATE_COMPLETE"


def test_stopping_the_cloud_breaks_an_operation_off_where_it_stands():
    function = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context):\n    return None\n"},
    }
    slow = {"Type": "Custom::Slow", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Silent", "Arn"]}}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
    template = {
        "Resources": {
            "Role": role,
            "Silent": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Slow": slow,
        }
    }
    with running(CloudConfig(port=0, max_workers=1)) as cloud:
        client = cloud.client("cloudformation")
        stack_id = client.create_stack(
            StackName="broken-off", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
        )["StackId"]
        stack = cloud.services.cloudformation.engine.state.stacks[stack_id]
        while "Slow" not in stack.resources:
            assert stack.status == "CREATE_IN_PROGRESS", stack.reason
            time.sleep(0.02)
    workers = [thread for thread in threading.enumerate() if thread.name == "stack broken-off"]
    for thread in workers:
        thread.join(30)
    assert stack.status == "CREATE_IN_PROGRESS"
    assert stack.resources["Slow"].status == "CREATE_IN_PROGRESS"
