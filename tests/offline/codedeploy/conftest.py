"""A stepped cloud with a stand-in for the Lambda service, which remembers where the alias pointed when."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.core.errors import AwsError


@dataclass
class Alias:
    version: str
    additional: dict[str, float] = field(default_factory=dict)


class StandInLambda:
    """Keeps one alias, `fn:live`, and answers hooks as ``verdicts`` say (absent: never)."""

    def __init__(self, stepped_cloud: SteppedCloud) -> None:
        self._clock = stepped_cloud.cloud.clock
        self._codedeploy = stepped_cloud.client("codedeploy")
        self.current = Alias("1")
        self.history: list[tuple[float, str, dict[str, float]]] = []
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        self.verdicts: dict[str, str] = {}
        self.began_at = self._clock.time()

    async def stop(self) -> None:
        pass

    def alias(self, region: str, function: str, name: str) -> Alias:
        if (function, name) != ("fn", "live"):
            raise AwsError("ResourceNotFoundException", f"Cannot find alias {function}:{name}", status=404)
        return self.current

    async def set_alias_weights(
        self, region: str, function: str, alias: str, *, version: str, additional: dict[str, float]
    ) -> None:
        self.alias(region, function, alias)
        self.current = Alias(version, dict(additional))
        self.history.append((round(self._clock.time() - self.began_at), version, dict(additional)))

    async def invoke(
        self, function: str, qualifier: str | None, payload: bytes, *, region: str, invocation_type: str
    ) -> None:
        assert invocation_type == "Event"
        if function == "missing":
            raise AwsError("ResourceNotFoundException", "Function not found: missing", status=404)
        event = json.loads(payload)
        self.invoked.append((function, event))
        if function in self.verdicts:
            await asyncio.to_thread(self.answer, event, self.verdicts[function])

    def answer(self, event: dict[str, Any], status: str) -> None:
        self._codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )


@dataclass
class Bench:
    """What a test of CodeDeploy works with."""

    cloud: SteppedCloud
    lambda_: StandInLambda
    codedeploy: Any
    cloudwatch: Any

    def group(self, name: str = "group", config: str = "LambdaCanary10Percent5Minutes", **settings: Any) -> None:
        """A deployment group that rolls back on everything, in the application `app`."""
        settings.setdefault(
            "autoRollbackConfiguration",
            {
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
            },
        )
        if "." not in config and config.startswith("Lambda"):
            config = f"CodeDeployDefault.{config}"
        self.codedeploy.create_deployment_group(
            applicationName="app",
            deploymentGroupName=name,
            serviceRoleArn="arn:aws:iam::123456789012:role/deploy",
            deploymentConfigName=config,
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            **settings,
        )

    def deploy(self, group: str = "group", *, settle: bool = True, **hooks: str) -> str:
        """Deploy version 2 over version 1; ``BeforeAllowTraffic="function"`` and so on are its hooks."""
        content = {
            "version": 0.0,
            "Resources": [
                {
                    "fn": {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {
                            "Name": "fn",
                            "Alias": "live",
                            "CurrentVersion": "1",
                            "TargetVersion": "2",
                        },
                    }
                }
            ],
            "Hooks": [{event: function} for event, function in hooks.items()],
        }
        answer = self.codedeploy.create_deployment(
            applicationName="app",
            deploymentGroupName=group,
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}},
        )
        if settle:
            self.cloud.advance()
        return str(answer["deploymentId"])

    def info(self, deployment: str) -> dict[str, Any]:
        return dict(self.codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"])

    def target(self, deployment: str) -> dict[str, Any]:
        (target_id,) = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        answer = self.codedeploy.get_deployment_target(deploymentId=deployment, targetId=target_id)
        return dict(answer["deploymentTarget"]["lambdaTarget"])

    def events(self, deployment: str) -> list[tuple[str, str]]:
        """(lifecycle event, status), in order."""
        return [
            (event["lifecycleEventName"], event["status"]) for event in self.target(deployment)["lifecycleEvents"]
        ]

    def alarm(self, name: str, state: str | None = None) -> None:
        """An alarm on a metric without data, put into ``state``."""
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="App",
            MetricName=name,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
        if state is not None:
            self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
            self.cloud.advance()


@pytest.fixture(scope="module")
def stepped_cloud() -> Iterator[SteppedCloud]:
    with stepped() as cloud:
        yield cloud


@pytest.fixture
def bench(stepped_cloud: SteppedCloud) -> Iterator[Bench]:
    """An empty application, and a Lambda service that remembers; nothing is under way after the test."""
    machine = stepped_cloud.cloud.services.codedeploy.machine
    real = machine.functions, machine.aliases
    stand_in = StandInLambda(stepped_cloud)
    machine.functions = machine.aliases = stand_in
    codedeploy = stepped_cloud.client("codedeploy")
    codedeploy.create_application(applicationName="app", computePlatform="Lambda")
    try:
        yield Bench(stepped_cloud, stand_in, codedeploy, stepped_cloud.client("cloudwatch"))
    finally:
        under_way = codedeploy.list_deployments(includeOnlyStatuses=["Created", "InProgress"])["deployments"]
        for deployment in under_way:
            codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
        codedeploy.delete_application(applicationName="app")
        machine.functions, machine.aliases = real
