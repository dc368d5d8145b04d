"""What AWS's services may do for an endpoint: only for its own account, where they say for whom they act.

A condition on a key that a service does not send denies it everything, so each exception is AWS's own statement.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Templates = Callable[..., dict[str, Any]]
Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]

SWITCHED = '[endpoint.churn.rollout]\nstrategy = "blue_green"\n'
SHARED = (
    '[project]\nname = "shop"\n[endpoint.churn]\n[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
    '[operations]\nemails = ["ml@example.com"]\n'
    '[operations.slack]\nworkspace_id = "T0123456789"\nchannel_id = "C0123456789"\n'
)
VARIANTS = ("", SWITCHED, 'front = "http"\nauth = "iam"\n', 'cold_start = "provisioned"\n')

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
    # Its pages show trust and key policies without conditions, and name no key that it sends:
    # https://docs.aws.amazon.com/chatbot/latest/adminguide/chatbot-troubleshooting.html
    ("chatbot.amazonaws.com", "AWS::IAM::Role"),
    ("chatbot.amazonaws.com", "AWS::KMS::Key"),
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


@pytest.fixture(scope="module")
def templates(template_of: Templates, shared_template: Templates) -> list[dict[str, Any]]:
    """Templates of endpoints, and of what they share."""
    return [*(template_of(text) for text in VARIANTS), shared_template(SHARED)]


def test_a_service_that_says_for_whom_it_acts_acts_for_this_account_only(templates: list[dict[str, Any]]) -> None:
    unconditional = {
        (service, kind)
        for template in templates
        for service, kind, condition in statements_for_services(template)
        if "aws:SourceAccount" not in json.dumps(condition)
    }

    assert unconditional <= SEND_NO_SOURCE


def test_every_exception_is_used(templates: list[dict[str, Any]]) -> None:
    granted = {(service, kind) for template in templates for service, kind, _ in statements_for_services(template)}

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
