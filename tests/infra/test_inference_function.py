from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Match, Template

from serinus.infra.constructs.inference_function import InferenceFunction

CONFIGURATION: dict[str, Any] = {
    "name": "shop-dev-churn",
    "description": "churn 0123456789ab",
    "runtime": "python3.13",
    "architecture": "x86_64",
    "memory_mb": 1024,
    "timeout_s": 10,
    "environment": {"SERINUS_ENDPOINT": "churn"},
    "layer_hashes": ("a" * 64, "b" * 64),
    "reserved_concurrency": None,
    "log_retention_days": 30,
    "alias_name": "live",
}


def create(**changes: Any) -> tuple[InferenceFunction, cdk.Stack]:
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Test")
    layer = lambda_.LayerVersion.from_layer_version_arn(
        stack, "L", "arn:aws:lambda:us-east-1:123456789012:layer:l:1"
    )
    return InferenceFunction(stack, "Inference", layers=[layer], **(CONFIGURATION | changes)), stack


@cache
def template(**changes: Any) -> Template:
    return Template.from_stack(create(**changes)[1])


def test_the_function_is_configured_as_asked() -> None:
    template(architecture="arm64", runtime="python3.14", reserved_concurrency=5).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "FunctionName": "shop-dev-churn",
            "Handler": "serinus.lambda_handlers.inference.handler.handler",
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "MemorySize": 1024,
            "Timeout": 10,
            "ReservedConcurrentExecutions": 5,
            "Environment": {"Variables": {"SERINUS_ENDPOINT": "churn"}},
            "Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"],
        },
    )


def test_concurrency_is_not_reserved_unless_asked() -> None:
    template().has_resource_properties("AWS::Lambda::Function", {"ReservedConcurrentExecutions": Match.absent()})


def test_logs_are_kept_as_long_as_asked_and_deleted_with_the_endpoint() -> None:
    template(log_retention_days=365).has_resource(
        "AWS::Logs::LogGroup",
        {
            "Properties": {"LogGroupName": "/aws/lambda/shop-dev-churn", "RetentionInDays": 365},
            "DeletionPolicy": "Delete",
        },
    )


def test_the_function_logs_to_that_group() -> None:
    made = template()
    (group,) = made.find_resources("AWS::Logs::LogGroup")

    made.has_resource_properties("AWS::Lambda::Function", {"LoggingConfig": {"LogGroup": {"Ref": group}}})


def test_of_lambdas_own_lines_only_those_on_failures_are_logged() -> None:
    levels = {"LogFormat": "JSON", "SystemLogLevel": "WARN", "ApplicationLogLevel": "INFO"}
    template().has_resource_properties("AWS::Lambda::Function", {"LoggingConfig": levels})


def test_the_role_may_write_its_own_log_lines_and_nothing_else() -> None:
    made = template()
    (group,) = made.find_resources("AWS::Logs::LogGroup")

    made.has_resource_properties(
        "AWS::IAM::Role",
        {
            "ManagedPolicyArns": Match.absent(),
            "Policies": [
                {
                    "PolicyName": "WriteLogs",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                                "Resource": {"Fn::GetAtt": [group, "Arn"]},
                            }
                        ],
                    },
                }
            ],
        },
    )
    made.resource_count_is("AWS::IAM::Policy", 0)


def test_a_version_outlives_its_release_but_not_its_failed_creation() -> None:
    template().has_resource(
        "AWS::Lambda::Version", {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    )


def test_the_alias_points_at_the_published_version() -> None:
    made = template()
    (version,) = made.find_resources("AWS::Lambda::Version")

    made.has_resource_properties(
        "AWS::Lambda::Alias", {"Name": "live", "FunctionVersion": {"Fn::GetAtt": [version, "Version"]}}
    )


def test_the_same_release_is_the_same_version() -> None:
    assert create()[0].version_hash == create()[0].version_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "churn ffffffffffff"},
        {"runtime": "python3.12"},
        {"architecture": "arm64"},
        {"memory_mb": 2048},
        {"timeout_s": 11},
        {"environment": {"SERINUS_ENDPOINT": "churn", "LEVEL": "debug"}},
        {"layer_hashes": ("a" * 64, "c" * 64)},
        {"layer_hashes": ("c" * 64, "b" * 64)},
    ],
)
def test_what_decides_behaviour_makes_another_version(changes: dict[str, Any]) -> None:
    before, after = create()[0], create(**changes)[0]

    assert before.version_hash != after.version_hash
    assert before.version.node.id != after.version.node.id


@pytest.mark.parametrize("changes", [{"log_retention_days": 7}, {"reserved_concurrency": 3}])
def test_what_decides_no_behaviour_leaves_the_version(changes: dict[str, Any]) -> None:
    assert create()[0].version_hash == create(**changes)[0].version_hash


def test_every_property_of_the_function_is_known_to_be_hashed_or_not() -> None:
    """A property that is added later must be added to the version's hash, or to what is not versioned."""
    hashed = {"Code", "Handler", "Layers", "Description", "Runtime", "Architectures", "MemorySize", "Timeout"}
    unversioned = {"FunctionName", "Role", "LoggingConfig", "ReservedConcurrentExecutions"}
    (function,) = template(reserved_concurrency=1).find_resources("AWS::Lambda::Function").values()

    assert set(function["Properties"]) == hashed | unversioned | {"Environment"}
