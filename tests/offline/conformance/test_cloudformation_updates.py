"""Updates of stacks: in place, by replacement, and back again."""

import json

import pytest
from botocore.exceptions import ClientError

BROKEN = {
    "Type": "AWS::KMS::Alias",
    "Properties": {"AliasName": "alias/broken", "TargetKeyId": "00000000-0000-0000-0000-000000000000"},
}


def topic(**attributes):
    return {"Type": "AWS::SNS::Topic", **attributes}


def named(display_name, **attributes):
    return topic(Properties={"DisplayName": display_name}, **attributes)


def group(name, **attributes):
    """A log group: its name cannot change without a replacement."""
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}, **attributes}


def refusal(call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]


def display_name(aws, arn):
    return aws("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]


def group_exists(aws, name):
    found = aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(item["logGroupName"] == name for item in found)


def test_a_mutable_property_is_changed_in_place(stacks, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html"""
    stack = stacks.create({"Resources": {"News": named("old")}})
    arn = stacks.physical_id(stack, "News")
    assert stacks.update(stack, {"Resources": {"News": named("new")}}) == "UPDATE_COMPLETE"
    assert stacks.physical_id(stack, "News") == arn
    assert display_name(aws, arn) == "new"


def test_a_create_only_property_replaces_the_resource(stacks, aws, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html"""
    old, new = unique_name("old"), unique_name("new")
    stack = stacks.create({"Resources": {"Log": group(old)}})
    assert stacks.update(stack, {"Resources": {"Log": group(new)}}) == "UPDATE_COMPLETE"
    assert stacks.physical_id(stack, "Log") == new
    assert (group_exists(aws, old), group_exists(aws, new)) == (False, True)


def test_the_replaced_resource_goes_only_in_the_cleanup(stacks, unique_name):
    """A replaced resource is deleted only in the cleanup.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    """
    stack = stacks.create({"Resources": {"Log": group(unique_name("old"))}})
    before = len(stacks.events(stack))
    stacks.update(stack, {"Resources": {"Log": group(unique_name("new"))}})
    happened = [(name, status) for name, status, _ in stacks.events(stack)[before:]]
    assert happened == [
        ("stack", "UPDATE_IN_PROGRESS"),
        ("Log", "UPDATE_IN_PROGRESS"),
        ("Log", "UPDATE_IN_PROGRESS"),
        ("Log", "UPDATE_COMPLETE"),
        ("stack", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Log", "DELETE_IN_PROGRESS"),
        ("Log", "DELETE_COMPLETE"),
        ("stack", "UPDATE_COMPLETE"),
    ]


def test_what_refers_to_a_replaced_resource_follows_it(stacks, aws, unique_name):
    """Resources that refer to a replaced one are updated.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    """

    def template(name):
        parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Log"}}}
        return {"Resources": {"Log": group(name), "Name": parameter}}

    new = unique_name("new")
    stack = stacks.create(template(unique_name("old")))
    stacks.update(stack, template(new))
    parameter = stacks.physical_id(stack, "Name")
    assert aws("ssm").get_parameter(Name=parameter)["Parameter"]["Value"] == new


def test_update_replace_policy_retain_keeps_the_old_resource(stacks, aws, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatereplacepolicy.html"""
    old = unique_name("old")
    stack = stacks.create({"Resources": {"Log": group(old, UpdateReplacePolicy="Retain")}})
    stacks.update(stack, {"Resources": {"Log": group(unique_name("new"), UpdateReplacePolicy="Retain")}})
    assert group_exists(aws, old)
    aws("logs").delete_log_group(logGroupName=old)


def test_a_custom_named_resource_cannot_be_replaced_under_its_name(stacks, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"""

    def template(key):
        properties = {"TableName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]}
        properties["AttributeDefinitions"] = [{"AttributeName": key, "AttributeType": "S"}]
        properties["BillingMode"] = "PAY_PER_REQUEST"
        return {"Resources": {"Ledger": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}}

    name = unique_name("table")
    stack = stacks.create(template("a"))
    assert stacks.update(stack, template("b")) == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [reason for _, _, reason in stacks.events(stack) if "custom-named" in reason]
    assert reasons == [
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        f"Rename {name} and update the stack again."
    ]


def test_a_resource_that_left_the_template_is_deleted_in_the_cleanup(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks.html"""
    stack = stacks.create({"Resources": {"News": topic(), "Old": topic()}})
    stacks.update(stack, {"Resources": {"News": topic()}})
    order = [(name, status) for name, status, _ in stacks.events(stack)]
    assert order.index(("stack", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")) < order.index(("Old", "DELETE_COMPLETE"))
    listed = stacks.client.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    assert [item["LogicalResourceId"] for item in listed] == ["News"]


def test_a_failed_update_returns_to_the_last_good_state(stacks, aws, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html"""
    old, new = unique_name("old"), unique_name("new")
    stack = stacks.create({"Resources": {"News": named("old"), "Log": group(old)}})
    broken = {"Resources": {"News": named("new"), "Log": group(new), "Added": topic()}}
    broken["Resources"]["Bad"] = {**BROKEN, "DependsOn": ["News", "Log", "Added"]}
    assert stacks.update(stack, broken) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.statuses(stack, "stack")[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert display_name(aws, stacks.physical_id(stack, "News")) == "old"
    assert stacks.physical_id(stack, "Log") == old
    assert (group_exists(aws, old), group_exists(aws, new)) == (True, False)
    assert stacks.statuses(stack, "Added")[-1] == "DELETE_COMPLETE"


def test_after_a_rollback_the_template_is_the_old_one_again(stacks):
    """A rollback restores the old template.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
    """
    good = {"Resources": {"News": named("old")}}
    stack = stacks.create(good)
    stacks.update(stack, {"Resources": {"News": named("new"), "Bad": BROKEN}})
    assert stacks.client.get_template(StackName=stack)["TemplateBody"] == good
    assert refusal(stacks.update, stack_id=stack, template=good)["Message"] == "No updates are to be performed."


def test_an_update_without_changes_is_refused(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html"""
    template = {"Resources": {"News": topic()}}
    stack = stacks.create(template)
    error = refusal(stacks.update, stack_id=stack, template=template)
    assert (error["Code"], error["Message"]) == ("ValidationError", "No updates are to be performed.")


def test_an_update_of_no_stack_is_refused(stacks):
    """An update of a stack that does not exist is rejected.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
    """
    error = refusal(stacks.update, stack_id="nowhere", template={"Resources": {"News": topic()}})
    assert error["Message"] == "Stack [nowhere] does not exist"


def test_the_type_of_a_resource_cannot_change(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"""
    stack = stacks.create({"Resources": {"Thing": topic()}})
    error = refusal(stacks.update, stack_id=stack, template={"Resources": {"Thing": {"Type": "AWS::SQS::Queue"}}})
    assert "modifies resource type of the following resources: [Thing]" in error["Message"]


def test_previous_values_and_the_previous_template_can_be_used(stacks, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Parameter.html"""
    template = {
        "Parameters": {"Word": {"Type": "String"}, "Other": {"Type": "String"}},
        "Resources": {"News": named({"Fn::Sub": "${Word}-${Other}"})},
    }
    given = [{"ParameterKey": "Word", "ParameterValue": "a"}, {"ParameterKey": "Other", "ParameterValue": "b"}]
    stack = stacks.create(template, Parameters=given)
    kept = {"ParameterKey": "Word", "UsePreviousValue": True}
    stacks.update(stack, Parameters=[kept, {"ParameterKey": "Other", "ParameterValue": "c"}])
    assert display_name(aws, stacks.physical_id(stack, "News")) == "a-c"


def test_changed_stack_tags_update_the_resources(stacks, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html"""
    stack = stacks.create({"Resources": {"News": topic()}}, Tags=[{"Key": "team", "Value": "one"}])
    stacks.update(stack, Tags=[{"Key": "team", "Value": "two"}])
    found = aws("sns").list_tags_for_resource(ResourceArn=stacks.physical_id(stack, "News"))["Tags"]
    assert found == [{"Key": "team", "Value": "two"}]


def test_a_failed_update_without_rollback_can_be_mended_by_another(stacks):
    """A failed update without rollback can be fixed by another one.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
    """
    stack = stacks.create({"Resources": {"News": named("old")}})
    broken = {"Resources": {"News": named("new"), "Bad": {**BROKEN, "DependsOn": "News"}}}
    assert stacks.update(stack, broken, DisableRollback=True) == "UPDATE_FAILED"
    assert stacks.update(stack, {"Resources": {"News": named("new")}}) == "UPDATE_COMPLETE"


def test_a_failed_update_without_rollback_can_be_rolled_back_later(stacks, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html"""
    stack = stacks.create({"Resources": {"News": named("old")}})
    broken = {"Resources": {"News": named("new"), "Bad": {**BROKEN, "DependsOn": "News"}}}
    stacks.update(stack, broken, DisableRollback=True)
    stacks.client.rollback_stack(StackName=stack)
    assert stacks.status(stacks.settled(stack)) == "UPDATE_ROLLBACK_COMPLETE"
    assert display_name(aws, stacks.physical_id(stack, "News")) == "old"


def test_an_update_can_be_cancelled_and_is_rolled_back(stacks, aws, deploy_function):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html"""
    silent = deploy_function("def handler(event, context):\n    return None\n")
    token = f"arn:aws:lambda:us-east-1:123456789012:function:{silent}"
    stack = stacks.create({"Resources": {"News": named("old")}})
    slow = {"Type": "Custom::Slow", "DependsOn": "News", "Properties": {"ServiceToken": token}}
    changed = {"Resources": {"News": named("new"), "Slow": slow}}
    stacks.client.update_stack(StackName=stack, TemplateBody=json.dumps(changed))
    stacks.client.cancel_update_stack(StackName=stack)
    assert stacks.status(stacks.settled(stack)) == "UPDATE_ROLLBACK_COMPLETE"
    assert display_name(aws, stacks.physical_id(stack, "News")) == "old"


def test_only_an_update_under_way_can_be_cancelled(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html"""
    stack = stacks.create({"Resources": {"News": topic()}})
    error = refusal(stacks.client.cancel_update_stack, StackName=stack)
    assert error["Message"] == "CancelUpdateStack cannot be called from current stack status"


def test_a_rollback_that_failed_can_be_continued(stacks, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html"""
    stack = stacks.create({"Resources": {"News": named("old")}})
    changed = {"Resources": {"News": named("new"), "Bad": {**BROKEN, "DependsOn": "News"}}}
    stacks.update(stack, changed, DisableRollback=True)
    aws("sns").delete_topic(TopicArn=stacks.physical_id(stack, "News"))
    stacks.client.rollback_stack(StackName=stack)
    assert stacks.status(stacks.settled(stack)) == "UPDATE_ROLLBACK_FAILED"
    stacks.client.continue_update_rollback(StackName=stack, ResourcesToSkip=["News"])
    assert stacks.status(stacks.settled(stack)) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_new_resource_with_retain_except_on_create_is_removed_by_the_rollback(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html"""
    stack = stacks.create({"Resources": {"News": topic()}})
    added = {"Loose": topic(DeletionPolicy="Retain"), "Kept": topic(DeletionPolicy="RetainExceptOnCreate")}
    bad = {**BROKEN, "DependsOn": ["Loose", "Kept"]}
    stacks.update(stack, {"Resources": {"News": topic(), **added, "Bad": bad}})
    assert stacks.statuses(stack, "Loose")[-1] == "DELETE_SKIPPED"
    assert stacks.statuses(stack, "Kept")[-1] == "DELETE_COMPLETE"


def test_an_export_in_use_cannot_change(stacks, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html"""
    export = unique_name("export")

    def template(value):
        return {"Resources": {"News": topic()}, "Outputs": {"Out": {"Value": value, "Export": {"Name": export}}}}

    exporter = stacks.create(template("old"))
    imported = {"Out": {"Value": {"Fn::ImportValue": export}}}
    stacks.create({"Resources": {"News": topic()}, "Outputs": imported})
    assert stacks.update(exporter, template("new")) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.outputs(exporter) == {"Out": "old"}


def test_changed_outputs_alone_are_an_update(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html"""
    stack = stacks.create({"Resources": {"News": topic()}})
    outputs = {"Said": {"Value": "hello"}}
    assert stacks.update(stack, {"Resources": {"News": topic()}, "Outputs": outputs}) == "UPDATE_COMPLETE"
    assert stacks.outputs(stack) == {"Said": "hello"}
