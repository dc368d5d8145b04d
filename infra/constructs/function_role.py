"""The role of a function: permissions for its log, for Lambda's own actions, and for its own work."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct


def create_function_role(
    scope: Construct,
    log_group: logs.LogGroup,
    *,
    work: Sequence[iam.PolicyStatement] = (),
    tracing: bool = False,
    encryption_key: str | None = None,
) -> iam.Role:
    """A role that may write to ``log_group`` and do ``work``; with ``tracing`` Lambda sends traces under it, with
    ``encryption_key`` (a key's ARN) it reads the function's variables under it. Nothing more."""
    statements = {
        "WriteLogs": [
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            )
        ]
    }
    if work:
        statements["Work"] = list(work)
    if tracing:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html: no resources.
        send = iam.PolicyStatement(actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"])
        statements["SendTraces"] = [send]
    if encryption_key is not None:
        statements["ReadVariables"] = [iam.PolicyStatement(actions=["kms:Decrypt"], resources=[encryption_key])]
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={name: iam.PolicyDocument(statements=listed) for name, listed in statements.items()},
    )
