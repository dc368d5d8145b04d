"""Chat channels that show the messages of a topic: AWS Chatbot, now Amazon Q Developer in chat applications.

A channel only receives. Its role has no permissions, and its guardrail denies everything: without one, AWS lets a
channel's members do whatever its role may do, up to AdministratorAccess.
https://docs.aws.amazon.com/chatbot/latest/adminguide/understanding-permissions.html

SNS decrypts messages before it delivers them. Whether AWS Chatbot needs the key nevertheless is not documented,
and people report both, so a key of ours lets it decrypt.
"""

from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from serinus.infra.settings import SlackSettings, TeamsSettings


class ChatChannels(Construct):
    """The channels ``slack`` and ``teams``, if set, of the messages of ``topic``, encrypted by ``key``; their
    configurations are called ``name``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        topic: sns.ITopic,
        key: kms.IKey,
        slack: SlackSettings | None,
        teams: TeamsSettings | None,
    ) -> None:
        super().__init__(scope, construct_id)
        service = iam.ServicePrincipal("chatbot.amazonaws.com")
        # No condition is documented for this service; there is nothing that it could do with the role.
        role = iam.Role(self, "Role", assumed_by=service)
        key.add_to_resource_policy(
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=["*"], principals=[service])
        )
        nothing = iam.ManagedPolicy.from_aws_managed_policy_name("AWSDenyAll").managed_policy_arn
        if slack is not None:
            chatbot.CfnSlackChannelConfiguration(
                self,
                "Slack",
                configuration_name=name,
                slack_workspace_id=slack.workspace_id,
                slack_channel_id=slack.channel_id,
                sns_topic_arns=[topic.topic_arn],
                iam_role_arn=role.role_arn,
                guardrail_policies=[nothing],
                logging_level="NONE",
            )
        if teams is not None:
            chatbot.CfnMicrosoftTeamsChannelConfiguration(
                self,
                "Teams",
                configuration_name=f"{name}-teams",
                teams_tenant_id=teams.tenant_id,
                team_id=teams.team_id,
                teams_channel_id=teams.channel_id,
                sns_topic_arns=[topic.topic_arn],
                iam_role_arn=role.role_arn,
                guardrail_policies=[nothing],
                logging_level="NONE",
            )
