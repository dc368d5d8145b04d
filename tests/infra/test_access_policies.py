"""The policy of CloudFormation covers the templates in every setting, and what AWS says their types call."""

import fnmatch
import json
from collections.abc import Callable
from typing import Any

import pytest

from serinus.infra.access_policies import POLICIES, RESOURCE_TYPES, bootstrap_policy
from serinus.infra.settings import OperationsSettings, Settings
from serinus.offline.services.cloudformation.schemas import schema_of

Templates = Callable[..., dict[str, Any]]

PROD = Settings("shop", "prod", "123456789012", "eu-central-1", OperationsSettings(), ())
#: IAM's limit for a managed policy, without white space.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LARGEST_POLICY = 6144
DOMAIN = (
    '[endpoint.churn.domain]\nname = "churn.example.com"\nhosted_zone_id = "Z0123456789ABC"\n'
    'certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"\n'
)
#: Together they use every resource type.
SETTINGS = (
    'docs = true\ncors_origins = ["https://one.example"]\nquota_requests = 5\ntracing = true\naccess_logs = true\n'
    'cold_start = "provisioned"\n[endpoint.churn.provisioned]\nmaximum = 3\ntarget_percent = 70\n'
    'schedule = { "cron(0 7 * * ? *)" = 2 }\n[endpoint.churn.waf]\nip_rate_limit = 500\n'
    f"{DOMAIN}"
    '[endpoint.churn.rollout]\nstrategy = "linear"\ninterval_minutes = 7\n',
    'front = "http"\nauth = "jwt"\nretain_logs = true\naccess_logs = true\ndocs = true\n'
    '[endpoint.churn.jwt]\nissuer = "https://issuer.example"\naudience = ["serving"]\n'
    f'{DOMAIN}[endpoint.churn.rollout]\nstrategy = "blue_green"\n',
    'auth = "iam"\n[endpoint.churn.rollout]\nstrategy = "all_at_once"\n',
    "[endpoint.churn.monitor]\nenabled = true\n",
    "",
)
SHARED = (
    '[project]\nname = "shop"\n[endpoint.churn]\n[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
    '[operations]\nemails = ["ml@example.com"]\ndashboard = true\n'
    '[operations.slack]\nworkspace_id = "T0123456789"\nchannel_id = "C0123456789"\n'
    '[operations.teams]\ntenant_id = "11111111-2222-3333-4444-555555555555"\n'
    'team_id = "11111111-2222-3333-4444-555555555555"\nchannel_id = "19%3Aab12cd34%40thread.tacv2"\n'
)
#: What handlers call for properties that no template of ours has, by the beginning of the action.
NOT_OURS = {
    "amplify:": "web ACLs of Amplify",
    "apprunner:": "web ACLs of App Runner",
    "appsync:": "web ACLs of AppSync",
    "bedrock-agentcore:": "web ACLs of agents",
    "cognito-idp:": "web ACLs of user pools",
    "ec2:": "functions in a VPC, and web ACLs of Verified Access",
    "elasticfilesystem:": "functions with a file system",
    "elasticloadbalancing:": "web ACLs of load balancers",
    "firehose:": "access logs to Firehose",
    "iam:DeleteGroupPolicy": "policies of groups",
    "iam:DeleteRolePermissionsBoundary": "permissions boundaries",
    "iam:DeleteUserPolicy": "policies of users",
    "iam:GetGroupPolicy": "policies of groups",
    "iam:GetUserPolicy": "policies of users",
    "iam:ListRoles": "listing, not deploying",
    "iam:PutGroupPolicy": "policies of groups",
    "iam:PutRolePermissionsBoundary": "permissions boundaries",
    "iam:PutUserPolicy": "policies of users",
    "payments:": "paid rule groups of the marketplace",
    "s3:CreateBucketMetadataTableConfiguration": "tables of a bucket's metadata",
    "s3:DeleteObject": "replication",
    "s3:ListAllMyBuckets": "listing, not deploying",
    "s3:ListBucket": "listing, not deploying",
    "s3:PutObjectAcl": "access control lists",
    "s3:REST.PUT.OBJECT": "exports of a log group",
    "s3:UpdateBucketMetadata": "tables of a bucket's metadata",
    "s3tables:": "tables of a bucket's metadata",
    "s3files:": "functions with a file system",
}


def types_of(template: dict[str, Any]) -> set[str]:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    return {kind for kind in kinds if not kind.startswith(("Custom::", "AWS::CDK::"))}


def actions_of(policy: Any) -> list[str]:
    return [action.lower() for statement in policy["Statement"] for action in statement["Action"]]


def handler_actions(kind: str) -> set[str]:
    """The actions that a type's handlers call, as its schema in CloudFormation's registry says."""
    schema = schema_of(kind)
    assert schema is not None
    handlers = schema.document["handlers"]
    return {action for handler in handlers.values() for action in handler.get("permissions", [])}


@pytest.fixture(scope="module")
def templates(template_of: Templates, shared_template: Templates) -> list[dict[str, Any]]:
    """Templates of endpoints and of what they share that use every resource type."""
    return [*(template_of(text) for text in SETTINGS), shared_template(SHARED)]


def test_the_listed_resource_types_are_those_of_the_templates(templates: list[dict[str, Any]]) -> None:
    used = set().union(*map(types_of, templates))

    assert used == set(RESOURCE_TYPES)


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_cloudformation_may_do_what_each_types_handlers_call(kind: str) -> None:
    allowed = actions_of(bootstrap_policy(PROD))
    missing = {
        action
        for action in handler_actions(kind)
        if not any(fnmatch.fnmatch(action.lower(), pattern) for pattern in allowed)
        and not action.startswith(tuple(NOT_OURS))
    }

    assert missing == set()


def test_every_allowed_action_is_called_by_a_handler_or_said_to_be_ours() -> None:
    """Reading CDK's assets and parameters is CloudFormation's own work and no handler's."""
    called = {action.lower() for kind in RESOURCE_TYPES for action in handler_actions(kind)}
    unused = {pattern for pattern in actions_of(bootstrap_policy(PROD)) if not fnmatch.filter(called, pattern)}

    assert unused == set()


def test_roles_are_made_and_passed_under_the_projects_name_only() -> None:
    statements = {statement["Sid"]: statement for statement in bootstrap_policy(PROD)["Statement"]}

    for sid in ("Roles", "PassRoles"):
        assert statements[sid]["Resource"] == ["arn:aws:iam::123456789012:role/shop*"]
    assert statements["PassRoles"]["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "chatbot.amazonaws.com",
        "codedeploy.amazonaws.com",
        "lambda.amazonaws.com",
    ]
    assert not [action for action in actions_of(bootstrap_policy(PROD)) if action in ("*", "iam:*", "kms:*")]


def test_every_role_of_the_templates_may_be_passed(templates: list[dict[str, Any]]) -> None:
    services = {
        statement["Principal"]["Service"]
        for template in templates
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }

    assert services == {"chatbot.amazonaws.com", "codedeploy.amazonaws.com", "lambda.amazonaws.com"}


@pytest.mark.parametrize("holder", POLICIES)
def test_a_policy_fits_into_a_managed_policy(holder: str) -> None:
    long_names = Settings("p" * 40, "e" * 10, "123456789012", "ap-southeast-4", OperationsSettings(), ())

    assert len(json.dumps(POLICIES[holder](long_names), separators=(",", ":"))) < LARGEST_POLICY
