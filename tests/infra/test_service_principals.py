"""What AWS's services may do for an endpoint: only for its own account, where they say for whom they act.

A condition on a key that a service does not send denies it everything, so each exception is AWS's own statement.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Templates = Callable[..., dict[str, Any]]
Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]

MAILED = '[endpoint.churn.rollout]\nstrategy = "blue_green"\nnotify_emails = ["ml@example.com"]\n'
VARIANTS = ("", MAILED, 'front = "http"\nauth = "iam"\n', 'cold_start = "provisioned"\n')

#: Services that AWS does not document to send aws:SourceAccount or aws:SourceArn where the policy is of this type.
SEND_NO_SOURCE = {
    # A role can be passed to a function of its own account only:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    ("lambda.amazonaws.com", "AWS::IAM::Role"),
    # "You can't use Condition blocks in Amazon SNS topic policies for EventBridge":
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    ("events.amazonaws.com", "AWS::SNS::TopicPolicy"),
    # "not supported for EventBridge-to-encrypted topics":
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    ("events.amazonaws.com", "AWS::KMS::Key"),
}


def statements_for_services(template: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Service, type of the resource and condition of each statement that lets a service in."""
    members = ("AssumeRolePolicyDocument", "PolicyDocument", "KeyPolicy")
    for resource in template["Resources"].values():
        for member in members:
            for statement in resource["Properties"].get(member, {}).get("Statement", []):
                principal = statement.get("Principal", {})
                if isinstance(principal, dict) and "Service" in principal:
                    yield principal["Service"], resource["Type"], statement.get("Condition", {})


@pytest.mark.parametrize("text", VARIANTS)
def test_a_service_that_says_for_whom_it_acts_acts_for_this_account_only(
    template_of: Templates, text: str
) -> None:
    unconditional = {
        (service, kind)
        for service, kind, condition in statements_for_services(template_of(text))
        if "aws:SourceAccount" not in json.dumps(condition)
    }

    assert unconditional <= SEND_NO_SOURCE


def test_every_exception_is_used(template_of: Templates) -> None:
    granted = {
        (service, kind) for text in VARIANTS for service, kind, _ in statements_for_services(template_of(text))
    }

    assert granted >= SEND_NO_SOURCE


def test_codedeploy_assumes_its_role_for_this_account_only(template_of: Templates) -> None:
    (condition,) = [
        condition
        for service, _, condition in statements_for_services(template_of())
        if service == "codedeploy.amazonaws.com"
    ]

    assert condition == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("text", VARIANTS)
def test_functions_are_invoked_by_apis_and_rules_of_the_stack_only(
    template_of: Templates, resources_of: Find, text: str
) -> None:
    permissions = resources_of(template_of(text), "AWS::Lambda::Permission").values()

    assert permissions
    for permission in permissions:
        assert {"SourceArn", "SourceAccount"} & set(permission["Properties"]), permission
