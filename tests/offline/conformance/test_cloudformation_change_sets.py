"""Change sets: what they say, when they fail, how they are executed."""

import json
import time

import pytest
from botocore.exceptions import ClientError

TOPIC = {"Type": "AWS::SNS::Topic"}


def named(display_name, **attributes):
    return {**TOPIC, "Properties": {"DisplayName": display_name}, **attributes}


def refusal(call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]


@pytest.fixture
def propose(stacks):
    """Creates a change set and describes it once it is ready or has failed."""

    def propose(stack, template, name="change", **settings):
        client = stacks.client
        if template is not None:
            settings["TemplateBody"] = json.dumps(template)
        made = client.create_change_set(StackName=stack, ChangeSetName=name, **settings)
        stacks.made.append(made["StackId"])
        while True:
            found = client.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True)
            if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return found
            time.sleep(0.02)

    return propose


def resource_changes(change_set):
    return {item["ResourceChange"]["LogicalResourceId"]: item["ResourceChange"] for item in change_set["Changes"]}


def test_a_change_set_of_type_create_leaves_a_stack_in_review(stacks, propose, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"""
    found = propose(unique_name("stack"), {"Resources": {"News": TOPIC}}, ChangeSetType="CREATE")
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    described = stacks.client.describe_stacks(StackName=found["StackId"])["Stacks"][0]
    assert described["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert resource_changes(found)["News"]["Action"] == "Add"


def test_executing_makes_the_stack(stacks, propose, unique_name):
    """Executing a change set creates the stack.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
    """
    found = propose(unique_name("stack"), {"Resources": {"News": TOPIC}}, ChangeSetType="CREATE")
    stacks.client.execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert stacks.status(stacks.settled(found["StackId"])) == "CREATE_COMPLETE"
    assert stacks.stack(found["StackId"])["ChangeSetId"] == found["ChangeSetId"]


def test_a_change_set_without_changes_fails_with_the_words_that_clients_look_for(stacks, propose):
    """A change set without changes fails with the message that clients match.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-create.html
    """
    template = {"Resources": {"News": TOPIC}}
    found = propose(stacks.create(template), template)
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to create a change set."
    )


def test_a_change_in_place_names_the_property_and_both_values(stacks, propose):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html"""
    stack = stacks.create({"Resources": {"News": named("old")}})
    change = resource_changes(propose(stack, {"Resources": {"News": named("new")}}))["News"]
    assert (change["Action"], change["Replacement"], change["Scope"]) == ("Modify", "False", ["Properties"])
    target = change["Details"][0]["Target"]
    assert (target["Name"], target["RequiresRecreation"]) == ("DisplayName", "Never")
    assert (target["BeforeValue"], target["AfterValue"]) == ("old", "new")


def test_a_replacement_is_foretold(stacks, propose, unique_name):
    """A change set announces a replacement.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
    """

    def group(name):
        return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}

    stack = stacks.create({"Resources": {"Log": group(unique_name("old"))}})
    change = resource_changes(propose(stack, {"Resources": {"Log": group(unique_name("new"))}}))["Log"]
    assert (change["Replacement"], change["PolicyAction"]) == ("True", "ReplaceAndDelete")


def test_what_depends_on_a_replaced_resource_is_a_dynamic_change(stacks, propose, unique_name):
    """A resource that depends on a replaced one is a dynamic change.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html
    """

    def template(name):
        value = {"Ref": "Log"}
        return {
            "Resources": {
                "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}},
                "Name": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}},
            }
        }

    stack = stacks.create(template(unique_name("old")))
    detail = resource_changes(propose(stack, template(unique_name("new"))))["Name"]["Details"][0]
    assert (detail["Evaluation"], detail["ChangeSource"]) == ("Dynamic", "ResourceReference")
    assert detail["CausingEntity"] == "Log"


def test_a_removal_says_what_becomes_of_the_resource(stacks, propose):
    """A removal states whether the resource is deleted or retained.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
    """
    stack = stacks.create({"Resources": {"News": TOPIC, "A": TOPIC, "B": {**TOPIC, "DeletionPolicy": "Retain"}}})
    changes = resource_changes(propose(stack, {"Resources": {"News": TOPIC}}))
    assert (changes["A"]["Action"], changes["A"]["PolicyAction"]) == ("Remove", "Delete")
    assert (changes["B"]["Action"], changes["B"]["PolicyAction"]) == ("Remove", "Retain")


def test_an_unknown_property_fails_the_change_set_and_its_events_say_where(propose, stacks, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html"""
    bad = {"Type": "AWS::SNS::Topic", "Properties": {"Colour": "red"}}
    found = propose(unique_name("stack"), {"Resources": {"News": bad}}, ChangeSetType="CREATE")
    assert found["Status"] == "FAILED"
    assert "AWS::EarlyValidation::PropertyValidation" in found["StatusReason"]
    events = stacks.client.describe_events(ChangeSetName=found["ChangeSetId"], Filters={"FailedEvents": True})
    (event,) = events["OperationEvents"]
    assert event["ValidationPath"] == "/Resources/News/Properties/Colour"
    assert event["ValidationStatusReason"] == "Unsupported property [Colour]"


def test_a_type_that_this_cloud_does_not_model_is_refused_by_name(propose, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html"""
    instance = {"Type": "AWS::EC2::Instance", "Properties": {}}
    found = propose(unique_name("stack"), {"Resources": {"Box": instance}}, ChangeSetType="CREATE")
    assert found["Status"] == "FAILED"
    assert "AWS::EC2::Instance (resource Box)" in found["StatusReason"]


def test_a_property_that_this_cloud_does_not_model_is_refused_by_name(propose, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-s3-bucket.html"""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"ObjectLockEnabled": True}}
    found = propose(unique_name("stack"), {"Resources": {"Files": bucket}}, ChangeSetType="CREATE")
    assert "the property ObjectLockEnabled of AWS::S3::Bucket (resource Files)" in found["StatusReason"]


def test_an_unknown_change_set_is_not_found(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html"""
    stack = stacks.create({"Resources": {"News": TOPIC}})
    error = refusal(stacks.client.describe_change_set, StackName=stack, ChangeSetName="none")
    assert (error["Code"], error["Message"]) == ("ChangeSetNotFound", "ChangeSet [none] does not exist")


def test_deleting_an_unknown_change_set_succeeds(stacks):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html"""
    stack = stacks.create({"Resources": {"News": TOPIC}})
    stacks.client.delete_change_set(StackName=stack, ChangeSetName="none")


def test_a_failed_change_set_cannot_be_executed(stacks, propose):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html"""
    template = {"Resources": {"News": TOPIC}}
    found = propose(stacks.create(template), template)
    error = refusal(stacks.client.execute_change_set, ChangeSetName=found["ChangeSetId"])
    assert error["Code"] == "InvalidChangeSetStatus"


def test_executing_one_change_set_drops_the_others(stacks, propose):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-execute.html"""
    stack = stacks.create({"Resources": {"News": named("old")}})
    first = propose(stack, {"Resources": {"News": named("first")}}, "first")
    propose(stack, {"Resources": {"News": named("second")}}, "second")
    stacks.client.execute_change_set(ChangeSetName=first["ChangeSetId"])
    assert stacks.status(stacks.settled(stack)) == "UPDATE_COMPLETE"
    left = stacks.client.list_change_sets(StackName=stack)["Summaries"]
    assert [(item["ChangeSetName"], item["ExecutionStatus"]) for item in left] == [("first", "EXECUTE_COMPLETE")]


def test_create_is_refused_for_a_stack_that_stands(stacks):
    """CREATE is rejected for a stack that exists.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    """
    template = {"Resources": {"News": TOPIC}}
    stack = stacks.create(template)
    error = refusal(
        stacks.client.create_change_set,
        StackName=stack,
        ChangeSetName="again",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(template),
    )
    assert "already exists and cannot be created again with the changeSet [again]" in error["Message"]


def test_on_stack_failure_delete_takes_the_stack_away(stacks, propose, unique_name):
    """OnStackFailure DELETE deletes the stack.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    """
    broken = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": "alias/none", "TargetKeyId": "00000000-0000-0000-0000-000000000000"},
    }
    settings = {"ChangeSetType": "CREATE", "OnStackFailure": "DELETE"}
    found = propose(unique_name("stack"), {"Resources": {"Bad": broken}}, **settings)
    stacks.client.execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert stacks.status(stacks.settled(found["StackId"])) == "DELETE_COMPLETE"


def test_a_waiter_follows_a_change_set_to_its_end(stacks, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html"""
    made = stacks.client.create_change_set(
        StackName=unique_name("stack"),
        ChangeSetName="waited",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"News": TOPIC}}),
    )
    stacks.made.append(made["StackId"])
    waiter = stacks.client.get_waiter("change_set_create_complete")
    waiter.wait(ChangeSetName=made["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 5})
