"""What the endpoints of an environment share: the monitor, the topic that people are notified by, chats, and the
dashboard.

It exists only if a setting needs it. No other stack imports from it: the endpoints' alarms and logs name the topic
and the collector by ARNs that follow from its name. So the stack can be deleted, or created again, whatever the
endpoints are doing; without it what they count is lost.
"""

import aws_cdk as cdk
from constructs import Construct

from serinus.infra.constructs.alarm_topic import topic_arn
from serinus.infra.constructs.chat import ChatChannels
from serinus.infra.constructs.environment_dashboard import EnvironmentDashboard
from serinus.infra.constructs.monitoring import MonitoredEnvironment, Monitoring
from serinus.infra.constructs.notifications import Notifications
from serinus.infra.nag import acknowledge_findings
from serinus.infra.names import TAG_ENVIRONMENT, TAG_PROJECT
from serinus.infra.release import LayerZip
from serinus.infra.settings import Settings


class SharedStack(cdk.Stack):
    """The shared stack ``name`` of one environment, with what its settings switch on. ``runtime_zip``, the runtime
    layer of its first monitored endpoint, is required if there is one."""

    def __init__(
        self, scope: Construct, *, name: str, settings: Settings, runtime_zip: LayerZip | None = None
    ) -> None:
        super().__init__(
            scope,
            name,
            stack_name=name,
            description=f"What the Serinus endpoints of {settings.project} share ({settings.environment})",
            env=cdk.Environment(account=settings.account, region=settings.region),
            tags={TAG_PROJECT: settings.project, TAG_ENVIRONMENT: settings.environment},
        )
        operations = settings.operations
        if operations.has_topic:
            notifications = Notifications(
                self,
                "Notifications",
                name=name,
                functions=[endpoint.stack_name for endpoint in settings.endpoints],
                monitored=[endpoint.stack_name for endpoint in settings.monitored],
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
        monitoring = self._monitor(settings, runtime_zip) if settings.monitored else None
        if operations.dashboard:
            EnvironmentDashboard(
                self,
                "Dashboard",
                name=name,
                endpoints=settings.endpoints,
                monitor_alarms=monitoring.alarm_names if monitoring else (),
            )
        acknowledge_findings(self, name)

    def _monitor(self, settings: Settings, runtime_zip: LayerZip | None) -> Monitoring:
        if runtime_zip is None:
            raise ValueError(f"{self.stack_name} has a monitor, which needs the runtime layer of an endpoint")
        return Monitoring(
            self,
            "Monitoring",
            watched=MonitoredEnvironment(settings.project, settings.environment, settings.monitored),
            runtime_zip=runtime_zip,
            topic_arn=topic_arn(self, settings),
            encryption_key=settings.operations.encryption_key,
        )
