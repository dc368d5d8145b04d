"""One encrypted topic for an environment's messages: alarms, verdicts, ends of releases, findings, stuck stacks.

The key is our own because CloudWatch and EventBridge cannot publish to a topic under AWS's key for SNS: its policy
lets no service in. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html

Releases reach the topic as events and not by CodeDeploy's own triggers: those publish under the role of each
deployment group, which the key would have to name.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from serinus.lambda_handlers.contract import findings, release

_ALARMS = "cloudwatch.amazonaws.com"
#: Names of 64 characters, and ARNs of their stacks, that fit into a pattern of 2048:
#: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
_MOST_NAMES = 12
#: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
_ENDS = ["SUCCESS", "FAILURE", "STOP"]
#: Statuses in which a stack accepts no update until somebody has ended them:
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_STUCK = ["ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"]


class Notifications(Construct):
    """Topic ``name``, mailed to ``emails``, about the endpoints of ``functions``, and about findings on those that
    are ``monitored``; every address must first confirm SNS's mail. An existing key (``encryption_key``, its ARN)
    must itself allow CloudWatch and EventBridge; without one, a key is created."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        functions: Sequence[str],
        monitored: Sequence[str] = (),
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
                description=f"Messages of {name}",
                enable_key_rotation=True,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            )
        )
        self.topic = sns.Topic(
            self, "Topic", topic_name=name, display_name=name[:100], master_key=self.key, enforce_ssl=True
        )
        self._let_alarms_publish()
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        for start in range(0, len(functions), _MOST_NAMES):
            names, suffix = functions[start : start + _MOST_NAMES], "" if start == 0 else str(start)
            self._publish_releases(names, suffix)
            self._publish_stuck_stacks(names, suffix)
        for start in range(0, len(monitored), _MOST_NAMES):
            self._publish_findings(monitored[start : start + _MOST_NAMES], "" if start == 0 else str(start))

    def _publish_releases(self, functions: Sequence[str], suffix: str) -> None:
        """Publish the verdicts on, and the ends of, the releases of ``functions``."""
        self._publish_events(
            f"Verdicts{suffix}",
            # The judge publishes every minute; people are notified of its decisions.
            events.EventPattern(
                source=[release.EVENT_SOURCE],
                detail_type=[release.EVENT_DETAIL_TYPE],
                detail={"function": list(functions), "final": [True]},
            ),
            title=(
                f"{events.EventField.from_path('$.detail.function')}: the judge's verdict on version "
                f"{events.EventField.from_path('$.detail.canary')} is "
                f"{events.EventField.from_path('$.detail.verdict')}"
            ),
            text=events.EventField.from_path("$.detail.reason"),
        )
        self._publish_events(
            f"Releases{suffix}",
            events.EventPattern(
                source=["aws.codedeploy"],
                detail_type=["CodeDeploy Deployment State-change Notification"],
                detail={"state": _ENDS, "application": list(functions)},
            ),
            title=(
                f"{events.EventField.from_path('$.detail.application')}: deployment "
                f"{events.EventField.from_path('$.detail.deploymentId')} ended with "
                f"{events.EventField.from_path('$.detail.state')}"
            ),
            text="SUCCESS: the alias serves this deployment's version. After any other end, a further deployment "
            "restores the previous version and ends with a message of its own.",
        )

    def _publish_findings(self, functions: Sequence[str], suffix: str) -> None:
        """Publish what the monitor found, or finds no more, on the endpoints of ``functions``."""
        self._publish_events(
            f"Findings{suffix}",
            events.EventPattern(
                source=[findings.EVENT_SOURCE],
                detail_type=[findings.EVENT_DETAIL_TYPE],
                detail={"function": list(functions)},
            ),
            title=events.EventField.from_path("$.detail.title"),
            text=events.EventField.from_path("$.detail.text"),
        )

    def _publish_stuck_stacks(self, stacks: Sequence[str], suffix: str) -> None:
        """Publish that one of ``stacks`` accepts no update any more."""
        arn = cdk.Stack.of(self).format_arn(service="cloudformation", resource="stack", resource_name="")
        self._publish_events(
            f"StuckStacks{suffix}",
            events.EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={
                    "stack-id": [{"prefix": f"{arn}{stack}/"} for stack in stacks],
                    "status-details": {"status": _STUCK},
                },
            ),
            title=f"A stack is {events.EventField.from_path('$.detail.status-details.status')}",
            text=f"CloudFormation accepts no update of {events.EventField.from_path('$.detail.stack-id')} until "
            "somebody ends this status. The alias may serve another version than the stack records: the runbook "
            "of Serinus (docs/operations.md) has the commands.",
        )

    def _publish_events(self, construct_id: str, pattern: events.EventPattern, *, title: str, text: str) -> None:
        """Publish what matches, in the schema that chats show; people read it in mails as well.
        https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html"""
        message: Mapping[str, object] = {
            "version": "1.0",
            "source": "custom",
            "content": {"textType": "client-markdown", "title": title, "description": text},
        }
        target = targets.SnsTopic(self.topic, message=events.RuleTargetInput.from_object(message))
        events.Rule(self, construct_id, event_pattern=pattern, targets=[cast(events.IRuleTarget, target)])

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
