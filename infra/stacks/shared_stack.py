"""What the endpoints of an environment share: the topic that people are notified by, chats, and the dashboard.

It exists only if a setting needs it. No other stack imports from it: the endpoints' alarms name the topic by an
ARN that follows from its name. So the stack can be deleted, or created again, whatever the endpoints are doing.
"""

import aws_cdk as cdk
from constructs import Construct

from serinus.infra.constructs.chat import ChatChannels
from serinus.infra.constructs.environment_dashboard import EnvironmentDashboard
from serinus.infra.constructs.notifications import Notifications
from serinus.infra.nag import acknowledge_findings
from serinus.infra.settings import Settings


class SharedStack(cdk.Stack):
    """The shared stack ``name`` of one environment, with what its ``operations`` settings switch on."""

    def __init__(self, scope: Construct, *, name: str, settings: Settings) -> None:
        super().__init__(
            scope,
            name,
            stack_name=name,
            description=f"What the Serinus endpoints of {settings.project} share ({settings.environment})",
            env=cdk.Environment(account=settings.account, region=settings.region),
            tags={"serinus:project": settings.project, "serinus:environment": settings.environment},
        )
        operations = settings.operations
        if operations.has_topic:
            notifications = Notifications(
                self,
                "Notifications",
                name=name,
                functions=[endpoint.stack_name for endpoint in settings.endpoints],
                emails=operations.emails,
                encryption_key=operations.encryption_key,
            )
            if operations.slack or operations.teams:
                ChatChannels(
                    self,
                    "Chat",
                    name=name,
                    topic=notifications.topic,
                    key=notifications.key,
                    slack=operations.slack,
                    teams=operations.teams,
                )
        if operations.dashboard:
            EnvironmentDashboard(self, "Dashboard", name=name, endpoints=settings.endpoints)
        acknowledge_findings(self, name)
