"""A CDK app that knows nothing of this project: the stranger whose deploy must just work.

Context ``-c revision=2`` is its next release; ``-c broken=1`` is one that fails halfway.
"""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

HANDLER = "def handler(event, context):\n    return {revision}\n"


class Stranger(cdk.Stack):
    """A bucket, a topic that feeds a queue, a table, and a function that may use them."""

    def __init__(self, scope: cdk.App, name: str) -> None:
        super().__init__(
            scope,
            name,
            env=cdk.Environment(account="123456789012", region="us-east-1"),
            termination_protection=True,
        )
        revision = int(self.node.try_get_context("revision") or 1)
        bucket = s3.Bucket(
            self, "Files", removal_policy=cdk.RemovalPolicy.DESTROY, enforce_ssl=True, versioned=True
        )
        queue = sqs.Queue(self, "Work", visibility_timeout=cdk.Duration.seconds(30 * revision))
        topic = sns.Topic(self, "News")
        topic.add_subscription(subscriptions.SqsSubscription(queue))
        table = dynamodb.Table(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        function = lambda_.Function(
            self,
            "Greeter",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER.format(revision=revision)),
            environment={"BUCKET": bucket.bucket_name, "TABLE": table.table_name},
            log_group=logs.LogGroup(
                self, "Log", retention=logs.RetentionDays.ONE_WEEK, removal_policy=cdk.RemovalPolicy.DESTROY
            ),
        )
        bucket.grant_read(function)
        table.grant_read_write_data(function)
        topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        if self.node.try_get_context("broken"):
            self._add_what_fails(queue)
        cdk.CfnOutput(self, "QueueUrl", value=queue.queue_url, export_name="stranger-queue-url")
        cdk.CfnOutput(self, "FunctionName", value=function.function_name)

    def _add_what_fails(self, queue: sqs.Queue) -> None:
        """A role with a managed policy that does not exist: found out only when it is made."""
        missing = iam.ManagedPolicy.from_aws_managed_policy_name("NoSuchPolicy")
        role = iam.Role(
            self, "Broken", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), managed_policies=[missing]
        )
        role.node.add_dependency(queue)


app = cdk.App()
Stranger(app, "stranger")
app.synth()
