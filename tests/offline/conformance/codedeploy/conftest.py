"""What CodeDeploy's rules are tried with: real functions in a cloud whose time is stepped, through boto3."""

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped

ACCOUNT, REGION = "123456789012", "us-east-1"
DONE = [("BeforeAllowTraffic", "Succeeded"), ("AllowTraffic", "Succeeded"), ("AfterAllowTraffic", "Succeeded")]
ROLL_BACK = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
BLUE_GREEN = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
SERVING = "def handler(event, context):\n    return {}\n"
HOOK = """
import boto3
def handler(event, context):
    assert sorted(event) == ["DeploymentId", "LifecycleEventHookExecutionId"], event
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="VERDICT",
    )
"""


class Bench:
    """A function with two versions, hooks of every kind, and a group and alias for each test."""

    def __init__(self, cloud: SteppedCloud) -> None:
        self.cloud = cloud
        self.codedeploy = cloud.client("codedeploy")
        self.functions = cloud.client("lambda")
        self.cloudwatch = cloud.client("cloudwatch")
        self._serial = itertools.count(1)
        trust = {"Version": "2012-10-17", "Statement": [allow("lambda.amazonaws.com")]}
        iam = cloud.client("iam")
        self.role = iam.create_role(RoleName="codedeploy-rules", AssumeRolePolicyDocument=json.dumps(trust))[
            "Role"
        ]["Arn"]
        everything = "arn:aws:iam::aws:policy/AdministratorAccess"
        iam.attach_role_policy(RoleName="codedeploy-rules", PolicyArn=everything)
        self.function("served", SERVING, Publish=True)
        self.functions.update_function_code(FunctionName="served", ZipFile=zipped(SERVING + "# 2"), Publish=True)
        for verdict in ("Succeeded", "Failed"):
            self.function(f"CodeDeployHook_{verdict}", HOOK.replace("VERDICT", verdict))
        self.function("CodeDeployHook_Silent", SERVING)
        self.codedeploy.create_application(applicationName="app", computePlatform="Lambda")

    def function(self, name: str, code: str, **settings: Any) -> None:
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self.role,
            Handler="app.handler",
            Code={"ZipFile": zipped(code)},
            Timeout=20,
            **settings,
        )

    def release(self, config: str = "LambdaCanary10Percent5Minutes", **settings: Any) -> "Release":
        """A new alias on version 1 and a deployment group of its own."""
        name = f"release{next(self._serial)}"
        self.functions.create_alias(FunctionName="served", Name=name, FunctionVersion="1")
        settings.setdefault("autoRollbackConfiguration", {"enabled": True, "events": ROLL_BACK})
        settings.setdefault("deploymentStyle", BLUE_GREEN)
        self.codedeploy.create_deployment_group(
            applicationName="app",
            deploymentGroupName=name,
            deploymentConfigName=config if config.startswith("My") else f"CodeDeployDefault.{config}",
            serviceRoleArn=self.role,
            **settings,
        )
        return Release(self, name)

    def alarm(self, state: str) -> str:
        """An alarm in ``state``."""
        name = f"alarm{next(self._serial)}"
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
        self.set_alarm(name, state)
        return name

    def set_alarm(self, name: str, state: str) -> None:
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
        self.cloud.advance()

    def info(self, deployment: str) -> dict[str, Any]:
        return dict(self.codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"])

    def target(self, deployment: str) -> dict[str, Any]:
        (target_id,) = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        answer = self.codedeploy.get_deployment_target(deploymentId=deployment, targetId=target_id)
        return dict(answer["deploymentTarget"]["lambdaTarget"])

    def events(self, deployment: str) -> list[tuple[str, str]]:
        return [
            (event["lifecycleEventName"], event["status"]) for event in self.target(deployment)["lifecycleEvents"]
        ]


class Release:
    """An alias and the deployment group that moves it."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench = bench
        self.name = name

    def spec(self, **hooks: str) -> dict[str, Any]:
        properties = {"Name": "served", "Alias": self.name, "CurrentVersion": "1", "TargetVersion": "2"}
        return {
            "version": 0.0,
            "Resources": [{"served": {"Type": "AWS::Lambda::Function", "Properties": properties}}],
            "Hooks": [{event: f"CodeDeployHook_{verdict}"} for event, verdict in hooks.items()],
        }

    def create(self, content: str, **settings: Any) -> str:
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
        answer = self.bench.codedeploy.create_deployment(
            applicationName="app", deploymentGroupName=self.name, revision=revision, **settings
        )
        return str(answer["deploymentId"])

    def deploy(self, *, settings: dict[str, Any] | None = None, **hooks: str) -> str:
        """Deploy version 2; hooks are named by their verdict: ``BeforeAllowTraffic="Failed"``."""
        deployment = self.create(json.dumps(self.spec(**hooks)), **(settings or {}))
        self.bench.cloud.advance()
        return deployment

    @property
    def alias(self) -> tuple[str, dict[str, float]]:
        """The version that the alias names, and the weights beside it."""
        alias = self.bench.functions.get_alias(FunctionName="served", Name=self.name)
        return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def allow(service: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}


def zipped(code: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("app.py", code)
    return target.getvalue()


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    with stepped() as cloud:
        yield Bench(cloud)
