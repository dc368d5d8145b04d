"""IAM policies for those who work on a project's endpoints: an operator, a CI job, and CloudFormation itself.

`serinus policy` prints them. The operator's and the CI job's are tested by commands that run under them against
the offline cloud; CloudFormation's covers what AWS's schema of each resource type says that its handlers call.
"""

from collections.abc import Callable, Mapping
from typing import Any

from serinus.infra.names import ALIAS, DEPLOYMENT_GROUP, access_log_name
from serinus.infra.settings import Settings

Statement = dict[str, Any]

#: Resource types of the templates of endpoints and of what they share, in any setting. A test synthesizes them.
RESOURCE_TYPES = (
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration",
    "AWS::Chatbot::SlackChannelConfiguration",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentConfig",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Route53::RecordSet",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SSM::Parameter",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
)
#: Services whose every action CloudFormation may use.
_WHOLE_SERVICES = (
    "apigateway",
    "application-autoscaling",
    "chatbot",
    "cloudwatch",
    "codedeploy",
    "events",
    "lambda",
    "logs",
    "sns",
    "wafv2",
)
#: Services that the stacks' roles are for.
_PASSED_TO = ("chatbot.amazonaws.com", "codedeploy.amazonaws.com", "lambda.amazonaws.com")
#: Service-linked roles that AWS creates with an account's first domain, scaled alias and chat.
_LINKED = (
    "lambda.application-autoscaling.amazonaws.com",
    "management.chatbot.amazonaws.com",
    "ops.apigateway.amazonaws.com",
)
#: The CDK CLI's own default: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
_QUALIFIER = "hnb659fds"
#: CloudFormation shortens a stack's name in the name of a role, but keeps its beginning.
_KEPT_LETTERS = 20


def operator_policy(settings: Settings) -> Mapping[str, Any]:
    """What `serinus status`, `logs`, `key`, `rollout` and `rollback` call, on the endpoints of one environment."""
    account, region, stack = _account(settings), _region(settings), f"{settings.project}-{settings.environment}-*"

    def arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{region}:{account}:{resource}"

    group = arn("codedeploy", f"deploymentgroup:{stack}/{DEPLOYMENT_GROUP}")
    stacks = [arn("cloudformation", f"stack/{stack}/*"), arn("cloudformation", "stack/CDKToolkit/*")]
    template = f"arn:aws:s3:::cdk-{_QUALIFIER}-assets-{account}-{region}/serinus/rollback/*"
    groups = [
        arn("logs", f"log-group:/aws/lambda/{stack}"),
        arn("logs", f"log-group:/aws/lambda/CodeDeployHook_*_{stack}"),
        arn("logs", f"log-group:{access_log_name(stack)}*"),
    ]
    keys = f"arn:aws:apigateway:{region}::"
    return _document(
        _allow(
            "ReadStacks",
            [
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudformation:GetTemplate",
            ],
            stacks,
        ),
        _allow(
            "UpdateStacks",
            [
                "cloudformation:CancelUpdateStack",
                "cloudformation:ContinueUpdateRollback",
                "cloudformation:UpdateStack",
            ],
            stacks[:1],
        ),
        _allow("LargeTemplates", ["s3:GetObject", "s3:PutObject"], [template]),
        _allow(
            "MoveAlias",
            [
                "lambda:GetAlias",
                "lambda:GetFunctionConfiguration",
                "lambda:ListVersionsByFunction",
                "lambda:UpdateAlias",
            ],
            [arn("lambda", f"function:{stack}")],
        ),
        _allow(
            "ReadyEnvironments",
            [
                "lambda:DeleteProvisionedConcurrencyConfig",
                "lambda:GetProvisionedConcurrencyConfig",
                "lambda:PutProvisionedConcurrencyConfig",
            ],
            [arn("lambda", f"function:{stack}:{ALIAS}")],
        ),
        _allow("Subscribers", ["sns:ListSubscriptionsByTopic"], [arn("sns", stack)]),
        _allow(
            "Releases",
            [
                "codedeploy:GetDeployment",
                "codedeploy:GetDeploymentGroup",
                "codedeploy:ListDeployments",
                "codedeploy:PutLifecycleEventHookExecutionStatus",
                "codedeploy:StopDeployment",
            ],
            [group],
        ),
        # These have no resources, or describe several at once.
        _allow(
            "ReadAnywhere",
            [
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
                "codedeploy:BatchGetDeploymentTargets",
                "codedeploy:ListDeploymentTargets",
                "logs:DescribeLogGroups",
            ],
            ["*"],
        ),
        _allow("Logs", ["logs:FilterLogEvents"], groups),
        # The reports of the monitor, and the references that `serinus monitor accept` adds.
        _allow(
            "ReadMonitor",
            ["s3:GetObject", "s3:ListBucket"],
            [f"arn:aws:s3:::{_bucket(settings)}", f"arn:aws:s3:::{_bucket(settings)}/*"],
        ),
        _allow("AcceptReferences", ["s3:PutObject"], [f"arn:aws:s3:::{_bucket(settings)}/references/*"]),
        _allow("HeldDeployment", ["ssm:GetParameter"], [arn("ssm", f"parameter/serinus/{stack}/*")]),
        _allow("Keys", ["apigateway:GET", "apigateway:POST"], [f"{keys}/apikeys", f"{keys}/usageplans*"]),
        _allow(
            "OneKey",
            ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH"],
            [f"{keys}/apikeys/*"],
        ),
        _allow("TagKeys", ["apigateway:PUT"], [f"{keys}/tags/*"]),
    )


def ci_policy(settings: Settings) -> Mapping[str, Any]:
    """What a job that runs `serinus deploy` or `cdk deploy` calls itself. All else runs under the roles of
    `cdk bootstrap`, which it assumes."""
    account, region, stack = _account(settings), _region(settings), f"{settings.project}-{settings.environment}-*"
    roles = [
        f"arn:aws:iam::{account}:role/cdk-{_QUALIFIER}-{part}-role-{account}-{region}"
        for part in ("deploy", "file-publishing", "lookup")
    ]
    return _document(
        _allow("AssumeTheRolesOfTheBootstrap", ["sts:AssumeRole"], roles),
        _allow(
            "ReadStacks",
            ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
            [f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/*"],
        ),
        _allow("ReadAlias", ["lambda:GetAlias"], [f"arn:aws:lambda:{region}:{account}:function:{stack}"]),
        _allow(
            "ReadKeys",
            ["apigateway:GET"],
            [f"arn:aws:apigateway:{region}::/apikeys", f"arn:aws:apigateway:{region}::/usageplans*"],
        ),
    )


def bootstrap_policy(settings: Settings) -> Mapping[str, Any]:
    """What CloudFormation calls for the endpoints' stacks, for `--cloudformation-execution-policies` of
    `cdk bootstrap` in place of AdministratorAccess.

    Roles can be created under the project's name only, and be passed to Lambda, CodeDeploy and chats only.
    """
    account, region, project = _account(settings), _region(settings), settings.project
    role = f"arn:aws:iam::{account}:role/{project[:_KEPT_LETTERS]}*"
    return _document(
        _allow("Services", [f"{service}:*" for service in _WHOLE_SERVICES], ["*"]),
        _allow(
            "Roles",
            [
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            [role],
        ),
        _allow("PassRoles", ["iam:PassRole"], [role], {"StringEquals": {"iam:PassedToService": list(_PASSED_TO)}}),
        _allow(
            "LinkedRoles",
            ["iam:CreateServiceLinkedRole"],
            ["*"],
            {"StringEquals": {"iam:AWSServiceName": list(_LINKED)}},
        ),
        # `encryption_key` names any key, and a new one has no ARN yet; a key's own policy decides as well.
        _allow(
            "Keys",
            [
                "kms:CreateGrant",
                "kms:CreateKey",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:DisableKey",
                "kms:DisableKeyRotation",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GetKeyPolicy",
                "kms:GetKeyRotationStatus",
                "kms:ListKeys",
                "kms:ListResourceTags",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdateKeyDescription",
            ],
            ["*"],
        ),
        _allow(
            "Parameters",
            [
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameters",
                "ssm:ListTagsForResource",
                "ssm:PutParameter",
                "ssm:RemoveTagsFromResource",
            ],
            [
                f"arn:aws:ssm:{region}:{account}:parameter/serinus/{project}-*",
                f"arn:aws:ssm:{region}:{account}:parameter/cdk-bootstrap/*",
            ],
        ),
        _allow("ListParameters", ["ssm:DescribeParameters"], ["*"]),
        _allow(
            "DomainRecords",
            [
                "route53:ChangeResourceRecordSets",
                "route53:GetChange",
                "route53:GetHostedZone",
                "route53:ListHostedZones",
                "route53:ListResourceRecordSets",
            ],
            ["*"],
        ),
        # The monitor's bucket: CloudFormation names it after the stack.
        _allow(
            "MonitorBucket",
            [
                "s3:CreateBucket",
                "s3:DeleteBucket*",
                "s3:Get*Configuration",
                "s3:GetBucket*",
                "s3:ListTagsForResource",
                "s3:Put*Configuration",
                "s3:PutBucket*",
                "s3:TagResource",
                "s3:UntagResource",
            ],
            [f"arn:aws:s3:::{project[:_KEPT_LETTERS]}*"],
        ),
        _allow(
            "Assets",
            ["s3:GetObject", "s3:GetObjectVersion"],
            [f"arn:aws:s3:::cdk-{_QUALIFIER}-assets-{account}-{region}/*"],
        ),
    )


#: By the argument of `serinus policy`.
POLICIES: Mapping[str, Callable[[Settings], Mapping[str, Any]]] = {
    "operator": operator_policy,
    "ci": ci_policy,
    "bootstrap": bootstrap_policy,
}


def _account(settings: Settings) -> str:
    return settings.account or "*"


def _bucket(settings: Settings) -> str:
    """The name of the monitor's bucket, as CloudFormation makes it from the stack's."""
    return f"{settings.project}-{settings.environment}"[:_KEPT_LETTERS] + "*"


def _region(settings: Settings) -> str:
    return settings.region or "*"


def _allow(
    sid: str, actions: list[str], resources: list[str], condition: Mapping[str, Any] | None = None
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def _document(*statements: Statement) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
