"""Custom resources: asked through a function, answered to a URL."""

import json

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow

#: Answers with Data that shows what it was asked, and fails when told so.
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
    """An update sends old and new properties.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-update.html
    """
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
    """A FAILED response fails the resource.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """
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
    """A resource without a response within the service timeout fails.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html
    """
    silent = deploy_function("def handler(event, context):\n    return None\n")
    token = f"arn:aws:lambda:us-east-1:123456789012:function:{silent}"
    thing = {"Type": "Custom::Silent", "Properties": {"ServiceToken": token, "ServiceTimeout": 1}}
    stack = stacks.create({"Resources": {"Thing": thing}})
    reasons = " ".join(reason for _, _, reason in stacks.events(stack))
    assert "CloudFormation did not receive a response from your Custom Resource." in reasons


#: Logs what it is asked; answers what the resource's property of the request's name says, or nothing.
DIARIST = """
import json
import urllib.request

def handler(event, context):
    print(json.dumps({"asked": event["RequestType"], "of": event.get("PhysicalResourceId")}))
    answer = event["ResourceProperties"].get(event["RequestType"])
    if answer:
        body = json.loads(answer) | {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
        request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT")
        urllib.request.urlopen(request).read()
"""
YES = {"Status": "SUCCESS", "PhysicalResourceId": "made"}


@pytest.fixture
def diarist(aws, deploy_function, eventually):
    """The template of a custom resource with what its function answers, and what that function was asked."""
    name = deploy_function(DIARIST)
    group = f"/aws/lambda/{name}"

    def template(*, timeout_s=60, beside=None, **answers):
        properties = {
            "ServiceToken": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
            "ServiceTimeout": timeout_s,
            **{request: json.dumps(answer) for request, answer in answers.items()},
        }
        return {"Resources": {"Thing": {"Type": "Custom::Thing", "Properties": properties}, **(beside or {})}}

    def asked(count):
        def lines():
            found = aws("logs").filter_log_events(logGroupName=group)["events"]
            told = [json.loads(one["message"]) for one in found if one["message"].startswith('{"asked"')]
            return told if len(told) >= count else None

        return [(one["asked"], one["of"]) for one in eventually(lines)]

    return template, asked


def test_what_failed_to_be_created_is_deleted_under_the_id_of_its_answer(stacks, diarist):
    """A resource that failed to be created is deleted under the id in its response.

    Source: https://github.com/aws/aws-cdk/pull/5525
    """
    template, asked = diarist
    stack = stacks.create(template(Create={"Status": "FAILED", "PhysicalResourceId": "half-made"}, Delete=YES))
    assert stacks.status(stack) == "ROLLBACK_COMPLETE"
    assert asked(2) == [("Create", None), ("Delete", "half-made")]


@pytest.mark.parametrize("answer", [None, {"Status": "FAILED"}], ids=["timed out", "without an id"])
def test_what_failed_to_be_created_without_an_id_is_deleted_under_a_generated_one(stacks, diarist, answer):
    """A resource that failed to be created without an id is deleted under a generated one.

    Source: https://github.com/aws/aws-cdk/pull/36951
    """
    template, asked = diarist
    answers = {"Delete": YES} | ({} if answer is None else {"Create": answer})
    stack = stacks.create(template(timeout_s=2 if answer is None else 60, **answers))
    assert stacks.status(stack) == "ROLLBACK_COMPLETE"
    (_, (request, identity)) = asked(2)
    assert request == "Delete"
    assert identity.startswith(f"{stack.split('/')[1]}-Thing-")


def test_what_was_being_created_when_another_resource_failed_is_deleted(stacks, diarist):
    """A resource that was being created when another one failed is deleted.

    Source: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1730
    """
    template, asked = diarist
    failing = template(Create={"Status": "FAILED", "PhysicalResourceId": "failing"}, Delete=YES)["Resources"]
    stack = stacks.create(template(Delete=YES, beside={"Failing": failing["Thing"]}))
    assert stacks.status(stack) == "ROLLBACK_COMPLETE"
    assert stacks.statuses(stack, "Thing") == [
        "CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"
    ]  # fmt: skip
    assert sorted(request for request, _ in asked(4)) == ["Create", "Create", "Delete", "Delete"]


def test_a_function_that_answers_neither_create_nor_delete_fails_the_rollback(stacks, diarist):
    """A function that responds to neither Create nor Delete fails the rollback.

    Source: https://github.com/aws/aws-cdk/issues/2126
    """
    template, asked = diarist
    stack = stacks.create(template(timeout_s=2))
    assert stacks.status(stack) == "ROLLBACK_FAILED"
    assert stacks.statuses(stack, "Thing")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_FAILED"]
    assert [request for request, _ in asked(2)] == ["Create", "Delete"]


def test_a_service_timeout_holds_for_updates_too(stacks, diarist):
    """A service timeout applies to updates too.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html
    """
    template, _ = diarist
    stack = stacks.create(template(timeout_s=2, Create=YES, Delete=YES))
    assert stacks.update(stack, template(timeout_s=1, Create=YES, Delete=YES)) == "UPDATE_ROLLBACK_FAILED"


@pytest.mark.parametrize("timeout", [0, 3601, -1, 1.5, "soon", "", True])
def test_a_service_timeout_is_an_integer_from_1_to_3600(stacks, diarist, timeout):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html"""
    template, _ = diarist
    with pytest.raises(ClientError, match="ServiceTimeout must be an integer from 1 to 3600"):
        stacks.create(template(timeout_s=timeout, Create=YES, Delete=YES))


def test_a_service_timeout_that_is_a_parameter_is_held_to_it_too(stacks, diarist):
    """A service timeout from a parameter has the same range.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html
    """
    template, _ = diarist
    document = template(timeout_s={"Ref": "Seconds"}, Create=YES, Delete=YES)
    document["Parameters"] = {"Seconds": {"Type": "String", "Default": "soon"}}
    stack = stacks.create(document)
    reasons = " ".join(reason for _, _, reason in stacks.events(stack))
    assert "ServiceTimeout must be an integer from 1 to 3600; it is 'soon'" in reasons


@pytest.mark.parametrize("timeout", [1, 3600, "360"])
def test_a_service_timeout_may_be_written_as_text(stacks, diarist, timeout):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html"""
    template, _ = diarist
    stack = stacks.create(template(timeout_s=timeout, Create=YES, Delete=YES))
    assert stacks.status(stack) == "CREATE_COMPLETE"
