"""CodeDeploy's rules for Lambda, through boto3 with real functions against a cloud whose time is stepped."""

import io
import itertools
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from offline.cloud.stepping import SteppedCloud, stepped

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


def until(probe: Callable[[], Any]) -> Any:
    """What ``probe`` returns once it is true; functions answer in real time."""
    deadline = time.monotonic() + 30
    while not (found := probe()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with stepped() as cloud:
        yield Bench(cloud)


def test_a_canary_shifts_in_two_increments(bench: Bench) -> None:
    """Canary10Percent5Minutes sends 10 percent at once and the rest five minutes later.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    """
    release = bench.release()
    deployment = release.deploy()
    assert release.alias == ("1", {"2": 0.1})
    bench.cloud.advance(minutes=4.9)
    assert release.alias == ("1", {"2": 0.1})
    bench.cloud.advance(minutes=0.1)
    assert release.alias == ("2", {})
    assert bench.info(deployment)["status"] == "Succeeded"


def test_a_linear_shift_has_equal_increments(bench: Bench) -> None:
    """Linear10PercentEvery1Minute adds 10 percent a minute until all traffic has moved.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    """
    release = bench.release("LambdaLinear10PercentEvery1Minute")
    release.deploy()
    shares = []
    for _ in range(10):
        version, weights = release.alias
        shares.append(1.0 if version == "2" else weights["2"])
        bench.cloud.advance(minutes=1)
    assert shares == pytest.approx([step / 10 for step in range(1, 11)])


def test_all_at_once_shifts_at_once(bench: Bench) -> None:
    """LambdaAllAtOnce moves all traffic in one step.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    """
    release = bench.release("LambdaAllAtOnce")
    deployment = release.deploy()
    assert release.alias == ("2", {})
    assert bench.info(deployment)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "routing"),
    [(f"LambdaCanary10Percent{minutes}Minutes", ("TimeBasedCanary", 10, minutes)) for minutes in (5, 10, 15, 30)]
    + [
        (f"LambdaLinear10PercentEvery{text}", ("TimeBasedLinear", 10, minutes))
        for text, minutes in (("1Minute", 1), ("2Minutes", 2), ("3Minutes", 3), ("10Minutes", 10))
    ],
)
def test_predefined_configurations(bench: Bench, name: str, routing: tuple[str, int, int]) -> None:
    """The predefined configurations for Lambda and what they mean.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html#deployment-configurations-predefined-lambda
    """
    info = bench.codedeploy.get_deployment_config(deploymentConfigName=f"CodeDeployDefault.{name}")
    config = info["deploymentConfigInfo"]["trafficRoutingConfig"]
    steps = config.get("timeBasedCanary") or config.get("timeBasedLinear")
    assert (config["type"], *steps.values()) == routing
    assert info["deploymentConfigInfo"]["computePlatform"] == "Lambda"


def test_a_custom_configuration_is_obeyed(bench: Bench) -> None:
    """A custom configuration shifts by its own percentage and interval.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations-create.html
    """
    bench.codedeploy.create_deployment_config(
        deploymentConfigName="MyLinear40",
        computePlatform="Lambda",
        trafficRoutingConfig={
            "type": "TimeBasedLinear",
            "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 2},
        },
    )
    release = bench.release("MyLinear40")
    release.deploy()
    shares = [release.alias]
    for _ in range(2):
        bench.cloud.advance(minutes=2)
        shares.append(release.alias)
    assert shares == [("1", {"2": 0.4}), ("1", {"2": 0.8}), ("2", {})]


@pytest.mark.parametrize(
    "routing",
    [
        {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 100, "canaryInterval": 5}},
        {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 2881}},
        {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 321}},
        {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 0, "linearInterval": 1}},
    ],
    ids=["100 percent", "2881 minutes", "9 times 321 minutes", "0 percent"],
)
def test_custom_configurations_have_limits(bench: Bench, routing: dict[str, Any]) -> None:
    """A step shifts at most 99 percent, and first and last shift are at most 2880 minutes apart.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html#limits-deployment-configurations
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_deployment_config(
            deploymentConfigName="MyWrong", computePlatform="Lambda", trafficRoutingConfig=routing
        )
    assert refused(error) == "InvalidTrafficRoutingConfigurationException"


def test_the_prefix_of_predefined_names_is_reserved(bench: Bench) -> None:
    """A custom configuration's name must not begin with CodeDeployDefault.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html#limits-deployment-configurations
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_deployment_config(
            deploymentConfigName="CodeDeployDefault.Mine",
            computePlatform="Lambda",
            trafficRoutingConfig={"type": "AllAtOnce"},
        )
    assert refused(error) == "InvalidDeploymentConfigNameException"


def test_lifecycle_events_run_in_order(bench: Bench) -> None:
    """A Lambda deployment goes through BeforeAllowTraffic, AllowTraffic and AfterAllowTraffic.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    release = bench.release()
    deployment = release.deploy(BeforeAllowTraffic="Succeeded", AfterAllowTraffic="Succeeded")
    until(lambda: bench.events(deployment)[0] == ("BeforeAllowTraffic", "Succeeded"))
    bench.cloud.advance()
    assert bench.events(deployment)[1:] == [("AllowTraffic", "InProgress"), ("AfterAllowTraffic", "Pending")]
    bench.cloud.advance(minutes=5)
    until(lambda: bench.events(deployment) == DONE)
    times = [(event["startTime"], event["endTime"]) for event in bench.target(deployment)["lifecycleEvents"]]
    assert times == sorted(times)


def test_hooks_run_before_and_after_all_traffic(bench: Bench) -> None:
    """BeforeAllowTraffic runs before any traffic shifts, AfterAllowTraffic after all of it has.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    release = bench.release("LambdaAllAtOnce", autoRollbackConfiguration={"enabled": False})
    deployment = release.deploy(BeforeAllowTraffic="Silent")
    assert release.alias == ("1", {})
    bench.codedeploy.stop_deployment(deploymentId=deployment)
    deployment = release.deploy(AfterAllowTraffic="Silent")
    assert release.alias == ("2", {})
    assert bench.events(deployment)[2] == ("AfterAllowTraffic", "InProgress")


@pytest.mark.parametrize("event", ["BeforeAllowTraffic", "AfterAllowTraffic"])
def test_a_failed_hook_fails_and_rolls_back(bench: Bench, event: str) -> None:
    """The result of a hook can trigger a rollback; the deployment fails with HOOK_EXECUTION_FAILURE.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    release = bench.release("LambdaAllAtOnce")
    deployment = release.deploy(**{event: "Failed"})
    until(lambda: bench.info(deployment)["status"] == "Failed")
    bench.cloud.advance()
    info = bench.info(deployment)
    assert info["errorInformation"] == {
        "code": "HOOK_EXECUTION_FAILURE",
        "message": "The deployment failed because one or more of the lifecycle event validation functions failed.",
    }
    assert bench.info(info["rollbackInfo"]["rollbackDeploymentId"])["status"] == "Succeeded"
    assert release.alias == ("1", {})


def test_a_silent_hook_fails_after_an_hour(bench: Bench) -> None:
    """A deployment fails if CodeDeploy is not notified by the validation function within one hour.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    release = bench.release()
    deployment = release.deploy(BeforeAllowTraffic="Silent")
    bench.cloud.advance(minutes=59)
    assert bench.info(deployment)["status"] == "InProgress"
    bench.cloud.advance(minutes=1)
    assert bench.info(deployment)["status"] == "Failed"


@pytest.mark.parametrize("status", ["InProgress", "Skipped", "Unknown"])
def test_a_hook_answers_succeeded_or_failed_only(bench: Bench, status: str) -> None:
    """Only Succeeded and Failed can be passed to PutLifecycleEventHookExecutionStatus.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
    """
    release = bench.release("LambdaAllAtOnce")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=release.deploy(), lifecycleEventHookExecutionId="x", status=status
        )
    assert refused(error) == "InvalidLifecycleEventHookExecutionStatusException"


def test_an_unknown_execution_id_is_refused(bench: Bench) -> None:
    """The execution id must be one that CodeDeploy gave to a hook.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
    """
    release = bench.release("LambdaAllAtOnce")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=release.deploy(), lifecycleEventHookExecutionId="x", status="Succeeded"
        )
    assert refused(error) == "InvalidLifecycleEventHookExecutionIdException"


def test_an_active_alarm_stops_the_deployment(bench: Bench) -> None:
    """If an alarm of the group is activated, the deployment stops and its status is Stopped.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
    """
    alarm = bench.alarm("OK")
    release = bench.release(alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]})
    deployment = release.deploy()
    bench.cloud.advance(minutes=2)
    bench.set_alarm(alarm, "ALARM")
    info = bench.info(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert f"Activated alarms: <{alarm}>" in info["errorInformation"]["message"]
    assert bench.events(deployment)[1:] == [("AllowTraffic", "Failed"), ("AfterAllowTraffic", "Skipped")]
    assert release.alias == ("1", {})


def test_any_alarm_of_the_group_stops_it(bench: Bench) -> None:
    """Each of the alarms of a group is watched.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
    """
    alarms = [bench.alarm("OK") for _ in range(3)]
    names = [{"name": alarm} for alarm in alarms]
    deployment = bench.release(alarmConfiguration={"enabled": True, "alarms": names}).deploy()
    bench.set_alarm(alarms[2], "ALARM")
    assert bench.info(deployment)["status"] == "Stopped"


def test_an_alarm_without_data_stops_nothing(bench: Bench) -> None:
    """Only the state ALARM activates an alarm; INSUFFICIENT_DATA does not.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
    """
    alarm = bench.alarm("INSUFFICIENT_DATA")
    release = bench.release(alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]})
    deployment = release.deploy()
    bench.cloud.advance(minutes=5)
    assert bench.info(deployment)["status"] == "Succeeded"


def test_an_alarm_that_is_active_already_blocks_a_deployment(bench: Bench) -> None:
    """A deployment does not get past an alarm that is in ALARM when it starts.

    Source: https://github.com/aws/serverless-application-model/issues/716
    """
    alarm = bench.alarm("ALARM")
    release = bench.release(alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]})
    deployment = release.deploy()
    assert bench.info(deployment)["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert bench.info(deployment)["status"] == "Stopped"
    assert release.alias == ("1", {})


def test_alarms_can_be_ignored_for_a_group_or_a_deployment(bench: Bench) -> None:
    """An alarm configuration that is not enabled, or one given with the deployment, overrides.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-configure-advanced-options.html
    """
    alarm = bench.alarm("ALARM")
    watching = {"enabled": True, "alarms": [{"name": alarm}]}
    for group, override in (({**watching, "enabled": False}, None), (watching, {"enabled": False, "alarms": []})):
        release = bench.release("LambdaAllAtOnce", alarmConfiguration=group)
        settings = {"overrideAlarmConfiguration": override} if override else {}
        assert bench.info(release.deploy(settings=settings))["status"] == "Succeeded"


@pytest.mark.parametrize(("ignored", "status"), [(True, "Succeeded"), (False, "Stopped")])
def test_alarms_whose_state_cannot_be_had(bench: Bench, ignored: bool, status: str) -> None:
    """With ignorePollAlarmFailure false the deployment stops if alarm states cannot be retrieved.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AlarmConfiguration.html
    """
    alarms = {"enabled": True, "ignorePollAlarmFailure": ignored, "alarms": [{"name": "nowhere"}]}
    release = bench.release("LambdaAllAtOnce", alarmConfiguration=alarms)
    assert bench.info(release.deploy())["status"] == status


def test_a_group_has_at_most_ten_alarms(bench: Bench) -> None:
    """A maximum of 10 alarms can be added to a group.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AlarmConfiguration.html
    """
    names = [{"name": f"alarm-{place}"} for place in range(11)]
    with pytest.raises(ClientError) as error:
        bench.release(alarmConfiguration={"enabled": True, "alarms": names})
    assert refused(error) == "AlarmsLimitExceededException"


def test_a_rollback_is_a_deployment_of_its_own(bench: Bench) -> None:
    """Rolled-back deployments are new deployments with new ids, which refer to one another.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
    """
    release = bench.release()
    deployment = release.deploy()
    bench.codedeploy.stop_deployment(deploymentId=deployment)
    bench.cloud.advance()
    there = bench.info(deployment)["rollbackInfo"]
    rollback = bench.info(there["rollbackDeploymentId"])
    assert rollback["creator"] == "codeDeployRollback"
    assert rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert bench.events(rollback["deploymentId"]) == DONE
    function = bench.target(rollback["deploymentId"])["lambdaFunctionInfo"]
    assert (function["targetVersion"], function["targetVersionWeight"]) == ("1", 1.0)


@pytest.mark.parametrize("events", [["DEPLOYMENT_FAILURE"], ["DEPLOYMENT_STOP_ON_ALARM"]])
def test_a_stop_rolls_back_only_if_configured(bench: Bench, events: list[str]) -> None:
    """Rollback happens for the configured events only.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AutoRollbackConfiguration.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": True, "events": events})
    deployment = release.deploy()
    bench.codedeploy.stop_deployment(deploymentId=deployment)
    bench.cloud.advance()
    assert "rollbackInfo" not in bench.info(deployment)
    assert release.alias == ("1", {"2": 0.1})


def test_a_stop_request_decides_over_rollback(bench: Bench) -> None:
    """autoRollbackEnabled of StopDeployment says whether to put the former version back.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": False})
    deployment = release.deploy()
    answer = bench.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    bench.cloud.advance()
    assert answer["status"] == "Succeeded"
    assert release.alias == ("1", {})


def test_an_alias_left_with_weights_fails_the_next_deployment(bench: Bench) -> None:
    """After a manual stop without rollback the alias has two versions, and deployments fail until it is mended.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-deployments-lambda.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": False})
    bench.codedeploy.stop_deployment(deploymentId=release.deploy())
    assert bench.info(release.deploy())["status"] == "Failed"
    bench.functions.update_alias(
        FunctionName="served",
        Name=release.name,
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    assert bench.info(release.deploy())["status"] == "InProgress"


def test_one_deployment_at_a_time(bench: Bench) -> None:
    """A deployment group has at most one concurrent deployment.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html#limits-deployments
    """
    release = bench.release()
    release.deploy()
    with pytest.raises(ClientError) as error:
        release.deploy()
    assert refused(error) == "DeploymentLimitExceededException"


def test_a_finished_deployment_cannot_be_stopped(bench: Bench) -> None:
    """StopDeployment of a completed deployment is DeploymentAlreadyCompletedException.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
    """
    deployment = bench.release("LambdaAllAtOnce").deploy()
    with pytest.raises(ClientError) as error:
        bench.codedeploy.stop_deployment(deploymentId=deployment)
    assert refused(error) == "DeploymentAlreadyCompletedException"


def test_an_appspec_may_be_yaml(bench: Bench) -> None:
    """An AppSpec for Lambda is written in YAML or JSON.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    """
    release = bench.release("LambdaAllAtOnce")
    deployment = release.create(yaml.safe_dump(release.spec()))
    bench.cloud.advance()
    assert bench.info(deployment)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "value"),
    [("CurrentVersion", "$LATEST"), ("TargetVersion", "0"), ("Alias", ""), ("TargetVersion", "1")],
)
def test_an_appspec_must_be_complete(bench: Bench, name: str, value: str) -> None:
    """Name, alias and two positive version numbers are required.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    """
    release = bench.release()
    spec = release.spec()
    spec["Resources"][0]["served"]["Properties"][name] = value
    with pytest.raises(ClientError) as error:
        release.create(json.dumps(spec))
    assert refused(error) == "InvalidRevisionException"


def test_a_deployment_fails_if_the_alias_is_elsewhere(bench: Bench) -> None:
    """currentversion is the version that traffic currently points to.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    """
    release = bench.release("LambdaAllAtOnce")
    release.deploy()
    deployment = release.deploy()
    assert bench.info(deployment)["errorInformation"]["code"] == "INVALID_LAMBDA_CONFIGURATION"


def test_a_target_tells_of_the_function(bench: Bench) -> None:
    """A Lambda target names function, alias, versions and the share of traffic.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_LambdaFunctionInfo.html
    """
    release = bench.release()
    deployment = release.deploy()
    target = bench.target(deployment)
    assert target["lambdaFunctionInfo"] == {
        "functionName": "served",
        "functionAlias": release.name,
        "currentVersion": "1",
        "targetVersion": "2",
        "targetVersionWeight": 0.1,
    }
    batch = bench.codedeploy.batch_get_deployment_targets(deploymentId=deployment, targetIds=[target["targetId"]])
    assert batch["deploymentTargets"][0]["lambdaTarget"]["status"] == "InProgress"


def test_a_group_remembers_its_last_deployments(bench: Bench) -> None:
    """A group tells of its last successful and last attempted deployment.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentGroupInfo.html
    """
    release = bench.release("LambdaAllAtOnce")
    good, bad = release.deploy(), release.deploy()
    rollback = bench.info(bad)["rollbackInfo"]["rollbackDeploymentId"]
    info = bench.codedeploy.get_deployment_group(applicationName="app", deploymentGroupName=release.name)[
        "deploymentGroupInfo"
    ]
    assert info["lastAttemptedDeployment"]["deploymentId"] == rollback
    assert info["lastSuccessfulDeployment"]["status"] == "Succeeded"
    assert bench.info(bad)["previousRevision"] == bench.info(good)["revision"]


def test_deployments_are_listed_newest_first_and_by_status(bench: Bench) -> None:
    """ListDeployments filters by application, group and status.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": False})
    first = release.deploy()
    bench.cloud.advance(minutes=5)
    second = release.deploy()

    def listed(**filters: Any) -> list[str]:
        answer = bench.codedeploy.list_deployments(
            applicationName="app", deploymentGroupName=release.name, **filters
        )
        return list(answer["deployments"])

    assert listed() == [second, first]
    assert listed(includeOnlyStatuses=["Succeeded"]) == [first]


def test_changes_are_announced_to_eventbridge(bench: Bench) -> None:
    """Deployments send state-change notifications with START, SUCCESS, FAILURE or STOP.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
    """
    release = bench.release("LambdaAllAtOnce")
    events, sqs = bench.cloud.client("events"), bench.cloud.client("sqs")
    url = sqs.create_queue(QueueName=release.name)["QueueUrl"]
    pattern = {"source": ["aws.codedeploy"], "detail": {"deploymentGroup": [release.name]}}
    events.put_rule(Name=release.name, EventPattern=json.dumps(pattern))
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{release.name}"
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_targets(Rule=release.name, Targets=[{"Id": "1", "Arn": queue}])
    deployment = release.deploy()
    found: list[dict[str, Any]] = []

    def both() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        found.extend(json.loads(message["Body"]) for message in messages)
        return len(found) == 2

    until(both)
    assert {event["detail"]["state"] for event in found} == {"START", "SUCCESS"}
    assert {event["detail"]["deploymentId"] for event in found} == {deployment}
    assert {event["detail-type"] for event in found} == {"CodeDeploy Deployment State-change Notification"}


def test_triggers_publish_to_sns(bench: Bench) -> None:
    """A trigger publishes JSON on the events it names.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html
    """
    sns, sqs = bench.cloud.client("sns"), bench.cloud.client("sqs")
    topic = sns.create_topic(Name="deployments")["TopicArn"]
    url = sqs.create_queue(QueueName="deployments")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:deployments")
    trigger = {"triggerName": "done", "triggerTargetArn": topic, "triggerEvents": ["DeploymentSuccess"]}
    deployment = bench.release("LambdaAllAtOnce", triggerConfigurations=[trigger]).deploy()
    (message,) = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages", []))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["deploymentId"], told["status"], told["eventTriggerName"]) == (deployment, "Succeeded", "done")


@pytest.mark.parametrize("platform", ["Server", "ECS", None])
def test_other_compute_platforms_are_refused_by_name(bench: Bench, platform: str | None) -> None:
    """EC2, on-premises (the default) and ECS exist on AWS; here they are refused.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateApplication.html
    """
    settings = {"computePlatform": platform} if platform else {}
    with pytest.raises(ClientError, match="does not model the compute platform") as error:
        bench.codedeploy.create_application(applicationName="other", **settings)
    assert refused(error) == "NotImplemented"


def test_lambda_deployments_are_blue_green_with_traffic_control(bench: Bench) -> None:
    """All Lambda deployments are blue/green.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/welcome.html
    """
    with pytest.raises(ClientError) as error:
        bench.release(
            deploymentStyle={"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"}
        )
    assert refused(error) == "InvalidDeploymentStyleException"


def test_names_are_unique_and_known(bench: Bench) -> None:
    """Names of applications and groups are unique; unknown ones are errors of their own.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateApplication.html
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_application(applicationName="app", computePlatform="Lambda")
    assert refused(error) == "ApplicationAlreadyExistsException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_group(applicationName="app", deploymentGroupName="nowhere")
    assert refused(error) == "DeploymentGroupDoesNotExistException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment(deploymentId="d-000000000")
    assert refused(error) == "DeploymentDoesNotExistException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment(deploymentId="12")
    assert refused(error) == "InvalidDeploymentIdException"


def test_a_group_can_be_changed_renamed_and_deleted(bench: Bench) -> None:
    """UpdateDeploymentGroup changes what it is given and may rename the group.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_UpdateDeploymentGroup.html
    """
    release = bench.release()
    bench.codedeploy.update_deployment_group(
        applicationName="app",
        currentDeploymentGroupName=release.name,
        newDeploymentGroupName=f"{release.name}-new",
        deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce",
    )
    place = {"applicationName": "app", "deploymentGroupName": f"{release.name}-new"}
    info = bench.codedeploy.get_deployment_group(**place)["deploymentGroupInfo"]
    assert info["deploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    assert info["serviceRoleArn"] == bench.role
    bench.codedeploy.delete_deployment_group(**place)
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_group(**place)
    assert refused(error) == "DeploymentGroupDoesNotExistException"


def test_a_configuration_in_use_cannot_be_deleted(bench: Bench) -> None:
    """A configuration that a group uses is kept; predefined ones always.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations-delete.html
    """
    bench.codedeploy.create_deployment_config(
        deploymentConfigName="MyUsed", computePlatform="Lambda", trafficRoutingConfig={"type": "AllAtOnce"}
    )
    bench.release("MyUsed")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.delete_deployment_config(deploymentConfigName="MyUsed")
    assert refused(error) == "DeploymentConfigInUseException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.delete_deployment_config(deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce")
    assert refused(error) == "InvalidOperationException"


def test_applications_have_tags(bench: Bench) -> None:
    """Applications and groups are tagged by ARN.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_TagResource.html
    """
    arn = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:application:app"
    bench.codedeploy.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    assert bench.codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    bench.codedeploy.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert bench.codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == []


def test_applications_and_groups_are_listed_and_fetched_together(bench: Bench) -> None:
    """Lists give names; batches give what each Get gives.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeploymentGroups.html
    """
    release = bench.release("LambdaAllAtOnce")
    assert "app" in bench.codedeploy.list_applications()["applications"]
    groups = bench.codedeploy.list_deployment_groups(applicationName="app")["deploymentGroups"]
    assert release.name in groups
    (application,) = bench.codedeploy.batch_get_applications(applicationNames=["app"])["applicationsInfo"]
    assert application == bench.codedeploy.get_application(applicationName="app")["application"]
    (group,) = bench.codedeploy.batch_get_deployment_groups(
        applicationName="app", deploymentGroupNames=[release.name]
    )["deploymentGroupsInfo"]
    assert group["deploymentGroupName"] == release.name
    deployment = release.deploy()
    (fetched,) = bench.codedeploy.batch_get_deployments(deploymentIds=[deployment])["deploymentsInfo"]
    assert fetched == bench.info(deployment)


def test_configurations_are_listed(bench: Bench) -> None:
    """ListDeploymentConfigs names the predefined and the custom ones.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentConfigs.html
    """
    names = bench.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    assert "CodeDeployDefault.LambdaAllAtOnce" in names
    bench.codedeploy.create_deployment_config(
        deploymentConfigName="MyListed", computePlatform="Lambda", trafficRoutingConfig={"type": "AllAtOnce"}
    )
    assert "MyListed" in bench.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    bench.codedeploy.delete_deployment_config(deploymentConfigName="MyListed")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_config(deploymentConfigName="MyListed")
    assert refused(error) == "DeploymentConfigDoesNotExistException"


def test_deleting_an_application_takes_its_groups(bench: Bench) -> None:
    """DeleteApplication removes the application and the groups in it.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/applications-delete.html
    """
    bench.codedeploy.create_application(applicationName="short-lived", computePlatform="Lambda")
    place = {"applicationName": "short-lived", "deploymentGroupName": "group"}
    bench.codedeploy.create_deployment_group(**place, serviceRoleArn=bench.role, deploymentStyle=BLUE_GREEN)
    bench.codedeploy.delete_application(applicationName="short-lived")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_group(**place)
    assert refused(error) == "ApplicationDoesNotExistException"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"autoRollbackConfiguration": {"enabled": True, "events": []}}, "InvalidAutoRollbackConfigException"),
        ({"alarmConfiguration": {"enabled": True, "alarms": []}}, "InvalidAlarmConfigException"),
        ({"serviceRoleArn": "deploy"}, "InvalidRoleException"),
        ({"deploymentConfigName": "Unknown"}, "DeploymentConfigDoesNotExistException"),
        (
            {"triggerConfigurations": [{"triggerName": "t", "triggerEvents": ["X"]}]},
            "InvalidTriggerConfigException",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_groups_settings_are_checked(bench: Bench, settings: dict[str, Any], code: str) -> None:
    """CreateDeploymentGroup refuses what a deployment could not use.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_deployment_group(
            **{"applicationName": "app", "deploymentGroupName": "wrong", "serviceRoleArn": bench.role} | settings
        )
    assert refused(error) == code


def test_revisions_in_s3_are_refused_by_name(bench: Bench) -> None:
    """Revisions may lie in S3 or GitHub on AWS; here AppSpecContent is what can be deployed.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_RevisionLocation.html
    """
    release = bench.release()
    revision = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "YAML"}}
    with pytest.raises(ClientError, match="does not model CodeDeploy revisions of type S3"):
        bench.codedeploy.create_deployment(
            applicationName="app", deploymentGroupName=release.name, revision=revision
        )
