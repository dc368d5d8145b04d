"""Custom resources: asked through a function, answered to a URL."""

import pytest

#: Answers with Data that shows what it was asked, fails when told so, and keeps a diary in SSM.
PROVIDER = """
import json
import time
import cfnresponse

def handler(event, context):
    wanted = event["ResourceProperties"]
    failing = wanted.get("FailOn") == event["RequestType"]
    data = {
        "Asked": event["RequestType"],
        "Properties": json.dumps(wanted, sort_keys=True),
        "Old": json.dumps(event.get("OldResourceProperties"), sort_keys=True),
    }
    identity = wanted.get("Identity", "fixed")
    time.sleep(0.2)  # longer than one look of whoever waits for the answer
    status = cfnresponse.FAILED if failing else cfnresponse.SUCCESS
    cfnresponse.send(event, context, status, data, identity, reason="told to fail" if failing else None)
"""


@pytest.fixture
def custom(lambda_role):
    """A template with a provider function and one custom resource with the given properties."""

    def template(**properties):
        function = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": lambda_role,
                "Code": {"ZipFile": PROVIDER},
            },
        }
        token = {"Fn::GetAtt": ["Provider", "Arn"]}
        thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": token, **properties}}
        outputs = {name: {"Value": {"Fn::GetAtt": ["Thing", name]}} for name in ("Asked", "Properties", "Old")}
        return {"Resources": {"Provider": function, "Thing": thing}, "Outputs": outputs}

    return template


def test_the_function_s_data_are_the_resource_s_attributes(stacks, custom):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html"""
    stack = stacks.create(custom(Count=3, Flag=True))
    outputs = stacks.outputs(stack)
    assert outputs["Asked"] == "Create"
    assert '"Count": "3"' in outputs["Properties"]
    assert '"Flag": "true"' in outputs["Properties"]
    assert stacks.physical_id(stack, "Thing") == "fixed"


def test_an_update_hands_over_old_and_new_properties(stacks, custom):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-update.html"""
    stack = stacks.create(custom(Word="old"))
    assert stacks.update(stack, custom(Word="new")) == "UPDATE_COMPLETE"
    outputs = stacks.outputs(stack)
    assert outputs["Asked"] == "Update"
    assert '"Word": "old"' in outputs["Old"]
    assert '"Word": "new"' in outputs["Properties"]


def test_a_new_physical_id_is_a_replacement(stacks, custom):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-update.html"""
    stack = stacks.create(custom(Identity="first"))
    stacks.update(stack, custom(Identity="second"))
    assert stacks.physical_id(stack, "Thing") == "second"
    assert stacks.statuses(stack, "Thing")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]


def test_a_failed_answer_fails_the_resource(stacks, custom):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html"""
    stack = stacks.create(custom(FailOn="Create"))
    assert stacks.status(stack) == "ROLLBACK_COMPLETE"
    reasons = [
        reason for name, status, reason in stacks.events(stack) if (name, status) == ("Thing", "CREATE_FAILED")
    ]
    assert reasons[0].startswith(
        "Received response status [FAILED] from custom resource. Message returned: told to fail"
    )


def test_a_failed_delete_fails_the_stack_s_delete(stacks, custom):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-delete.html"""
    stack = stacks.create(custom(FailOn="Delete"))
    assert stacks.delete(stack) == "DELETE_FAILED"
    assert stacks.delete(stack, RetainResources=["Thing"]) == "DELETE_COMPLETE"


def test_no_answer_within_the_service_timeout_fails_the_resource(stacks, deploy_function):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html"""
    silent = deploy_function("def handler(event, context):\n    return None\n")
    token = f"arn:aws:lambda:us-east-1:123456789012:function:{silent}"
    thing = {"Type": "Custom::Silent", "Properties": {"ServiceToken": token, "ServiceTimeout": 1}}
    stack = stacks.create({"Resources": {"Thing": thing}})
    reasons = " ".join(reason for _, _, reason in stacks.events(stack))
    assert "CloudFormation did not receive a response from your Custom Resource." in reasons
