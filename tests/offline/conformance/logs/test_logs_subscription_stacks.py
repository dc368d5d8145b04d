"""Subscription filters of CloudFormation."""


def test_a_stack_makes_changes_and_deletes_a_filter(subscriptions, aws, stacks, recorder, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-subscriptionfilter.html"""
    function, received = recorder
    group = unique_name("group")

    def template(pattern):
        return {
            "Resources": {
                "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": group}},
                "Permission": {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {
                        "FunctionName": function,
                        "Action": "lambda:InvokeFunction",
                        "Principal": "logs.amazonaws.com",
                        "SourceAccount": {"Ref": "AWS::AccountId"},
                    },
                },
                "Filter": {
                    "Type": "AWS::Logs::SubscriptionFilter",
                    "DependsOn": "Permission",
                    "Properties": {
                        "LogGroupName": {"Ref": "Group"},
                        "FilterPattern": pattern,
                        "DestinationArn": subscriptions.arn_of(function),
                    },
                },
            },
            "Outputs": {"Name": {"Value": {"Ref": "Filter"}}},
        }

    stack = stacks.create(template("{ $.n = 1 }"))
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    name = stacks.outputs(stack)["Name"]
    (found,) = aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert (found["filterName"], found["filterPattern"]) == (name, "{ $.n = 1 }")
    assert stacks.update(stack, template("{ $.n = 2 }")) == "UPDATE_COMPLETE"
    (found,) = aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert (found["filterName"], found["filterPattern"]) == (name, "{ $.n = 2 }")
    aws("logs").create_log_stream(logGroupName=group, logStreamName="s")
    subscriptions.put(aws, group, '{"n": 1}', '{"n": 2}')
    assert [event["message"] for event in received()[0]["logEvents"]] == ['{"n": 2}']
    without = template("")
    del without["Resources"]["Filter"], without["Outputs"]
    assert stacks.update(stack, without) == "UPDATE_COMPLETE"
    assert aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []


def test_a_stack_without_the_permission_fails_with_the_services_message(
    subscriptions, aws, stacks, group, deploy_function
):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-subscriptionfilter.html"""
    function = deploy_function("def handler(event, context):\n    pass\n")
    properties = {"LogGroupName": group, "FilterPattern": "", "DestinationArn": subscriptions.arn_of(function)}
    stack = stacks.create(
        {"Resources": {"F": {"Type": "AWS::Logs::SubscriptionFilter", "Properties": properties}}}
    )
    assert stacks.status(stack) == "ROLLBACK_COMPLETE"
    assert any("Could not execute the lambda function" in reason for _, _, reason in stacks.events(stack))


def test_a_stack_removes_a_log_groups_retention(aws, stacks, unique_name):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html"""
    group = unique_name("group")

    def template(**retention):
        properties = {"LogGroupName": group, **retention}
        return {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": properties}}}

    def described():
        (found,) = aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return found.get("retentionInDays")

    stack = stacks.create(template(RetentionInDays=7))
    assert described() == 7
    assert stacks.update(stack, template()) == "UPDATE_COMPLETE"
    assert described() is None, "DeleteRetentionPolicy"
