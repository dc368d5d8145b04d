"""One encrypted topic for notifications about a release: final verdicts, alarms, and CodeDeploy's results.

The key is our own because CloudWatch and EventBridge cannot publish to a topic under AWS's key for SNS: its policy
lets no service in. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from serinus.lambda_handlers.contract import release

_ALARMS = "cloudwatch.amazonaws.com"
_ENDS = ["DeploymentSuccess", "DeploymentFailure", "DeploymentStop", "DeploymentRollback"]


class Notifications(Construct):
    """``topic``, mailed to ``emails``; every address must first confirm SNS's mail. An existing key
    (``encryption_key``, its ARN) must itself allow CloudWatch and EventBridge; without one, a key is created."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: str,
        emails: Sequence[str],
        encryption_key: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.key: kms.IKey = (
            kms.Key.from_key_arn(self, "GivenKey", encryption_key)
            if encryption_key is not None
            else kms.Key(
                self,
                "Key",
                description=f"Messages about releases of {function}",
                enable_key_rotation=True,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            )
        )
        self.topic = sns.Topic(
            self, "Topic", display_name=f"Releases of {function}"[:100], master_key=self.key, enforce_ssl=True
        )
        self._let_alarms_publish()
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        events.Rule(
            self,
            "Verdicts",
            event_pattern=events.EventPattern(
                source=[release.EVENT_SOURCE],
                detail_type=[release.EVENT_DETAIL_TYPE],
                # The judge publishes every minute; people are notified of its decisions.
                detail={"function": [function], "final": [True]},
            ),
            targets=[cast(events.IRuleTarget, targets.SnsTopic(self.topic))],
        )

    def let_publish(self, role: iam.Role) -> None:
        """Let ``role`` publish: CodeDeploy reports a deployment's end under the role of its group."""
        self.topic.grant_publish(role)

    def trigger(self) -> codedeploy.CfnDeploymentGroup.TriggerConfigProperty:
        """The events that CodeDeploy publishes to the topic."""
        return codedeploy.CfnDeploymentGroup.TriggerConfigProperty(
            trigger_name="ends", trigger_events=_ENDS, trigger_target_arn=self.topic.topic_arn
        )

    def _let_alarms_publish(self) -> None:
        """EventBridge is allowed by its target, without a condition: it sends no key that a policy could check."""
        ours = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}}
        principal = iam.ServicePrincipal(_ALARMS, conditions=ours)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn], principals=[principal])
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey*"], resources=["*"], principals=[principal]
            )
        )
