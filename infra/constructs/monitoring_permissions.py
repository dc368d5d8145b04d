"""The permissions of collector and monitor: only the actions that they call, on their bucket and the bus."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from serinus.lambda_handlers.contract import findings

#: Prefixes of the bucket, by who writes there.
COLLECTED = ("lines", "references")
COMPARED = ("hours", "state", "reports")


@dataclass(frozen=True, slots=True)
class MonitoringPermissions:
    """Statements about ``bucket``, which the key ``key_arn`` encrypts if it is not AWS's."""

    bucket: s3.IBucket
    key_arn: str | None

    def collect(self) -> list[iam.PolicyStatement]:
        """Write lines and references; what is there it cannot read."""
        return [self._write(COLLECTED), *self._key(["kms:GenerateDataKey"])]

    def compare(self) -> list[iam.PolicyStatement]:
        """Read everything, write results. The list is of the whole bucket: with a condition on prefixes, S3 would
        answer AccessDenied for an object that does not exist.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
        return [
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]),
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[self.bucket.arn_for_objects("*")]),
            self._write(COMPARED),
            *self._key(["kms:Decrypt", "kms:GenerateDataKey"]),
        ]

    def read_metrics(self) -> iam.PolicyStatement:
        """CloudWatch has no resources for reading."""
        return iam.PolicyStatement(actions=["cloudwatch:GetMetricData"], resources=["*"])

    def publish_findings(self) -> iam.PolicyStatement:
        bus = cdk.Stack.of(self.bucket).format_arn(service="events", resource="event-bus", resource_name="default")
        return iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[bus],
            conditions={"StringEquals": {"events:source": findings.EVENT_SOURCE}},
        )

    def _write(self, prefixes: Sequence[str]) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["s3:PutObject"], resources=[self.bucket.arn_for_objects(f"{name}/*") for name in prefixes]
        )

    def _key(self, actions: Sequence[str]) -> list[iam.PolicyStatement]:
        return [iam.PolicyStatement(actions=list(actions), resources=[self.key_arn])] if self.key_arn else []
