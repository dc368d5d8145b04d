"""Maps an operation to its IAM action: mostly its own name under its service's prefix.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

#: IAM's prefix, where it is not the name under which requests are signed.
PREFIXES = {"monitoring": "cloudwatch"}

#: Operations whose action has another name.
_RENAMED = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
    "lambda:GetLayerVersionByArn": "lambda:GetLayerVersion",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:UploadPart": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject",
}

#: Actions without resource types: only a statement for "*" allows them.
WITHOUT_RESOURCES = frozenset(
    {
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListDashboards",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData",
        "codedeploy:BatchGetDeploymentTargets",
        "codedeploy:GetDeploymentTarget",
        "codedeploy:ListDeploymentTargets",
        "dynamodb:ListTables",
        "events:ListEventBuses",
        "events:TestEventPattern",
        "kms:GenerateRandom",
        "kms:ListAliases",
        "kms:ListKeys",
        "lambda:GetAccountSettings",
        "lambda:ListFunctions",
        "lambda:ListLayers",
        "s3:ListAllMyBuckets",
        "secretsmanager:GetRandomPassword",
        "secretsmanager:ListSecrets",
        "sns:ListTopics",
        "sqs:ListQueues",
        "ssm:DescribeParameters",
        "states:ListStateMachines",
    }
)

#: Allowed whatever policies say.
#: Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
ALWAYS_ALLOWED = frozenset({"sts:GetCallerIdentity"})


def action_of(signed_as: str, operation: str) -> str:
    """The IAM action of an operation of the service that requests sign as ``signed_as``."""
    action = f"{PREFIXES.get(signed_as, signed_as)}:{operation}"
    return _RENAMED.get(action, action)
