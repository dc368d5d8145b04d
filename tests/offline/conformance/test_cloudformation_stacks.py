"""Stacks: made in order, described, rolled back, deleted."""

import pytest
from botocore.exceptions import ClientError

#: A custom resource that never answers its creation, and at once to the deletion that follows.
SILENT_ON_CREATE = """
import json, urllib.request

def handler(event, context):
    if event["RequestType"] != "Delete":
        return
    kept = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId")}
    body = json.dumps({"Status": "SUCCESS", **kept}).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, method="PUT"))
"""


def topic(**attributes):
    return {"Type": "AWS::SNS::Topic", **attributes}


#: Fails when it is made: there is no such key.
BROKEN = {
    "Type": "AWS::KMS::Alias",
    "Properties": {"AliasName": "alias/broken", "TargetKeyId": "00000000-0000-0000-0000-000000000000"},
}


def refusal(call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]


def test_resources_are_made_after_what_they_refer_to(stacks):
    """Resources are created after the resources that they refer to.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
    """
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}]}
    stack = stacks.create(
        {
            "Resources": {
                "Policy": {
                    "Type": "AWS::SNS::TopicPolicy",
                    "Properties": {"Topics": [{"Ref": "News"}], "PolicyDocument": policy},
                },
                "News": topic(DependsOn="First"),
                "First": topic(),
            }
        }
    )
    events = stacks.events(stack)
    made = [name for name, status, _ in events if status == "CREATE_COMPLETE"]
    assert made == ["First", "News", "Policy", "stack"]


def test_a_resource_goes_through_created_initiated_complete(stacks):
    """A resource's events are in progress, resource creation initiated, complete.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    """
    stack = stacks.create({"Resources": {"News": topic()}})
    assert [event for event in stacks.events(stack) if event[0] == "News"] == [
        ("News", "CREATE_IN_PROGRESS", ""),
        ("News", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("News", "CREATE_COMPLETE", ""),
    ]
    assert stacks.events(stack)[0] == ("stack", "CREATE_IN_PROGRESS", "User Initiated")


def test_a_generated_name_holds_stack_and_logical_id(stacks):
    """A generated name contains the stack's name and the logical id.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
    """
    stack = stacks.create({"Resources": {"News": topic()}})
    name = stacks.stack(stack)["StackName"]
    assert f":{name}-News-" in stacks.physical_id(stack, "News")


def test_a_second_stack_of_the_same_name_is_refused(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    stack = stacks.create({"Resources": {"News": topic()}})
    name = stacks.stack(stack)["StackName"]
    error = refusal(stacks.start, template={"Resources": {"News": topic()}}, StackName=name)
    assert (error["Code"], error["Message"]) == ("AlreadyExistsException", f"Stack [{name}] already exists")


def test_an_unknown_stack_is_a_validation_error(aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html"""
    error = refusal(aws("cloudformation").describe_stacks, StackName="nowhere")
    assert (error["Code"], error["Message"]) == ("ValidationError", "Stack with id nowhere does not exist")


def test_a_failed_create_is_rolled_back(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html"""
    stack = stacks.create({"Resources": {"News": topic(), "Bad": {**BROKEN, "DependsOn": "News"}}})
    assert stacks.status(stack) == "ROLLBACK_COMPLETE"
    assert stacks.statuses(stack, "stack") == ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    assert stacks.statuses(stack, "News")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    reasons = [reason for name, status, reason in stacks.events(stack) if status == "ROLLBACK_IN_PROGRESS"]
    assert reasons == ["The following resource(s) failed to create: [Bad]. Rollback requested by user."]


def test_what_is_under_way_when_another_fails_is_cancelled(stacks, deploy_function, cloud):
    """Resources in progress are cancelled when another one fails.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
    """
    silent = deploy_function(SILENT_ON_CREATE)
    token = f"arn:aws:lambda:us-east-1:123456789012:function:{silent}"
    slow = {"Type": "Custom::Slow", "Properties": {"ServiceToken": token}}
    late = {**BROKEN, "DependsOn": "News"}
    stack = stacks.create({"Resources": {"Slow": slow, "News": topic(), "Bad": late}})
    cancelled = [(name, status) for name, status, reason in stacks.events(stack) if "cancelled" in reason]
    assert cancelled == [("Slow", "CREATE_FAILED")]


def test_a_rolled_back_stack_cannot_be_updated(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"""
    stack = stacks.create({"Resources": {"Bad": BROKEN}})
    error = refusal(stacks.update, stack_id=stack, template={"Resources": {"News": topic()}})
    assert error["Message"] == f"Stack:{stack} is in ROLLBACK_COMPLETE state and can not be updated."


def test_do_nothing_leaves_what_stands(stacks):
    """DO_NOTHING keeps the resources that were created.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
    """
    template = {"Resources": {"News": topic(), "Bad": {**BROKEN, "DependsOn": "News"}}}
    stack = stacks.create(template, OnFailure="DO_NOTHING")
    assert stacks.status(stack) == "CREATE_FAILED"
    assert stacks.statuses(stack, "News")[-1] == "CREATE_COMPLETE"


def test_on_failure_delete_leaves_no_stack(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    stack = stacks.create({"Resources": {"Bad": BROKEN}}, OnFailure="DELETE")
    assert stacks.statuses(stack, "stack") == ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]


def test_a_stack_that_failed_without_rollback_can_be_rolled_back_later(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html"""
    stack = stacks.create(
        {"Resources": {"News": topic(), "Bad": {**BROKEN, "DependsOn": "News"}}}, DisableRollback=True
    )
    stacks.client.rollback_stack(StackName=stack)
    assert stacks.status(stacks.settled(stack)) == "ROLLBACK_COMPLETE"


def test_on_failure_and_disable_rollback_exclude_each_other(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    template = {"Resources": {"News": topic()}}
    error = refusal(stacks.start, template=template, OnFailure="DELETE", DisableRollback=True)
    assert error["Message"] == "You can specify either DisableRollback or OnFailure, but not both."


def test_a_deleted_stack_is_known_by_its_id_alone(stacks):
    """A deleted stack is found by its id only.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    """
    stack = stacks.create({"Resources": {"News": topic()}})
    name = stacks.stack(stack)["StackName"]
    assert stacks.delete(stack) == "DELETE_COMPLETE"
    assert "DeletionTime" in stacks.stack(stack)
    assert refusal(stacks.client.describe_stacks, StackName=name)["Code"] == "ValidationError"


def test_deleting_a_stack_that_is_not_there_succeeds(aws):
    """Deleting a stack that does not exist succeeds.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """
    aws("cloudformation").delete_stack(StackName="never-was")


def test_resources_are_deleted_before_what_they_refer_to(stacks):
    """Resources are deleted before the resources that they refer to.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
    """
    stack = stacks.create({"Resources": {"Second": topic(DependsOn="First"), "First": topic()}})
    stacks.delete(stack)
    gone = [name for name, status, _ in stacks.events(stack) if status == "DELETE_COMPLETE"]
    assert gone == ["Second", "First", "stack"]


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_a_retained_resource_outlives_its_stack(stacks, aws, policy):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html"""
    stack = stacks.create({"Resources": {"News": topic(DeletionPolicy=policy)}})
    arn = stacks.physical_id(stack, "News")
    stacks.delete(stack)
    assert stacks.statuses(stack, "News")[-1] == "DELETE_SKIPPED"
    aws("sns").delete_topic(TopicArn=arn)


@pytest.mark.parametrize(
    ("policy", "last"), [("Retain", "DELETE_SKIPPED"), ("RetainExceptOnCreate", "DELETE_COMPLETE")]
)
def test_retain_except_on_create_lets_a_failed_create_clean_up(stacks, policy, last):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html"""
    resources = {"News": topic(DeletionPolicy=policy), "Bad": {**BROKEN, "DependsOn": "News"}}
    stack = stacks.create({"Resources": resources})
    assert stacks.statuses(stack, "News")[-1] == last


def test_a_protected_stack_cannot_be_deleted(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html"""
    stack = stacks.create({"Resources": {"News": topic()}}, EnableTerminationProtection=True)
    error = refusal(stacks.client.delete_stack, StackName=stack)
    name = stacks.stack(stack)["StackName"]
    assert error["Message"] == f"Stack [{name}] cannot be deleted while TerminationProtection is enabled"


def test_a_resource_that_cannot_be_deleted_fails_the_delete_and_may_be_retained(stacks, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    stack = stacks.create({"Resources": {"Files": {"Type": "AWS::S3::Bucket"}, "News": topic()}})
    bucket = stacks.physical_id(stack, "Files")
    aws("s3").put_object(Bucket=bucket, Key="full", Body=b"")
    assert stacks.delete(stack) == "DELETE_FAILED"
    assert stacks.stack(stack)["StackStatusReason"] == "The following resource(s) failed to delete: [Files]. "
    assert stacks.statuses(stack, "News")[-1] == "DELETE_COMPLETE"
    assert stacks.delete(stack, RetainResources=["Files"]) == "DELETE_COMPLETE"
    aws("s3").delete_object(Bucket=bucket, Key="full")
    aws("s3").delete_bucket(Bucket=bucket)


def test_resources_may_be_retained_only_after_a_failed_delete(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    stack = stacks.create({"Resources": {"News": topic()}})
    error = refusal(stacks.client.delete_stack, StackName=stack, RetainResources=["News"])
    assert "must be in DELETE_FAILED state" in error["Message"]


def test_an_export_is_listed_imported_and_guarded(stacks, unique_name):
    """An export is listed, can be imported, and cannot be deleted while it is imported.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    export = unique_name("export")
    outputs = {"Arn": {"Value": {"Ref": "News"}, "Export": {"Name": export}}}
    exporter = stacks.create({"Resources": {"News": topic()}, "Outputs": outputs})
    value = {"Fn::ImportValue": export}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}
    importer = stacks.create({"Resources": {"Copy": parameter}, "Outputs": {"Arn": {"Value": value}}})
    assert stacks.outputs(importer)["Arn"] == stacks.physical_id(exporter, "News")
    listed = {item["Name"]: item for item in stacks.client.list_exports()["Exports"]}
    assert listed[export]["ExportingStackId"] == exporter
    name = stacks.stack(importer)["StackName"]
    assert stacks.client.list_imports(ExportName=export)["Imports"] == [name]
    error = refusal(stacks.client.delete_stack, StackName=exporter)
    assert f"Cannot delete export {export} as it is in use by {name}" in error["Message"]


def test_an_export_name_is_taken_once(stacks, unique_name):
    """An export name is unique.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    export = unique_name("export")
    template = {
        "Resources": {"News": topic()},
        "Outputs": {"Arn": {"Value": "x", "Export": {"Name": export}}},
    }
    first = stacks.create(template)
    second = stacks.create(template)
    assert stacks.status(second) == "ROLLBACK_COMPLETE"
    name = stacks.stack(first)["StackName"]
    reasons = " ".join(reason for _, _, reason in stacks.events(second))
    assert f"Export with name {export} is already exported by stack {name}." in reasons


def test_the_stack_s_tags_reach_its_resources(stacks, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html"""
    own = {"Tags": [{"Key": "team", "Value": "own"}]}
    tags = [{"Key": "team", "Value": "stack"}, {"Key": "cost", "Value": "7"}]
    stack = stacks.create({"Resources": {"News": topic(Properties=own)}}, Tags=tags)
    found = aws("sns").list_tags_for_resource(ResourceArn=stacks.physical_id(stack, "News"))["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"team": "own", "cost": "7"}


def test_a_nested_stack_is_made_with_its_parent_and_gives_its_outputs(stacks, aws, unique_name):
    """A nested stack is created with its parent and returns its outputs.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
    """
    bucket = unique_name("templates")
    aws("s3").create_bucket(Bucket=bucket)
    child = (
        '{"Parameters": {"Word": {"Type": "String"}}, "Resources": {"News": {"Type": "AWS::SNS::Topic"}},'
        ' "Outputs": {"Said": {"Value": {"Ref": "Word"}}}}'
    )
    aws("s3").put_object(Bucket=bucket, Key="child.json", Body=child.encode())
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": f"https://{bucket}.s3.us-east-1.amazonaws.com/child.json",
            "Parameters": {"Word": "hello"},
        },
    }
    outputs = {"Said": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Said"]}}}
    stack = stacks.create({"Resources": {"Child": nested}, "Outputs": outputs})
    assert stacks.outputs(stack) == {"Said": "hello"}
    child_id = stacks.physical_id(stack, "Child")
    assert stacks.stack(child_id)["ParentId"] == stack
    stacks.delete(stack)
    assert stacks.status(child_id) == "DELETE_COMPLETE"


def test_deleting_a_stack_that_is_being_made_stops_it(stacks, deploy_function):
    """Deleting a stack that is being created stops the creation.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """
    silent = deploy_function(SILENT_ON_CREATE)
    token = f"arn:aws:lambda:us-east-1:123456789012:function:{silent}"
    slow = {"Type": "Custom::Slow", "Properties": {"ServiceToken": token}}
    stack = stacks.start({"Resources": {"Slow": slow, "News": topic()}})
    assert stacks.delete(stack) == "DELETE_COMPLETE"


def test_imports_survive_a_rolled_back_update(stacks, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html"""
    export = unique_name("export")
    stacks.create({"Resources": {"News": topic()}, "Outputs": {"Out": {"Value": "x", "Export": {"Name": export}}}})
    properties = {"DisplayName": {"Fn::ImportValue": export}}
    stack = stacks.create({"Resources": {"News": topic(Properties=properties)}})
    stacks.update(stack, {"Resources": {"News": topic(), "Bad": BROKEN}})
    name = stacks.stack(stack)["StackName"]
    assert stacks.client.list_imports(ExportName=export)["Imports"] == [name]


def test_events_come_newest_first_in_pages_that_stay_as_they_are(stacks):
    """Events are listed newest first, a hundred a page; later events do not shift the pages.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html
    """
    stack = stacks.create({"Resources": {f"News{number}": topic() for number in range(40)}})
    first = stacks.client.describe_stack_events(StackName=stack)
    stacks.update(stack, {"Resources": {"News0": topic()}})
    second = stacks.client.describe_stack_events(StackName=stack, NextToken=first["NextToken"])
    told = [event["EventId"] for event in first["StackEvents"] + second["StackEvents"]]
    assert (len(first["StackEvents"]), len(set(told)), "NextToken" in second) == (100, 40 * 3 + 2, False)
    assert first["StackEvents"][0]["ResourceStatus"] == second["StackEvents"][-1]["ResourceStatus"].replace(
        "IN_PROGRESS", "COMPLETE"
    )
    error = refusal(stacks.client.describe_stack_events, StackName=stack, NextToken="soon")
    assert (error["Code"], error["Message"]) == ("ValidationError", "Invalid NextToken")
