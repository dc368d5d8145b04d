"""The hooks as real functions in the offline cloud: CodeDeploy calls them, the schedule drives the judge, and its
verdict's alarm stops a bad release."""

import io
import json
import sys
import sysconfig
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.core.readings import Seconds

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ALL_CAUSES = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]


def handler_of(module: str) -> bytes:
    """A zip whose handler is that of a module in this checkout, with what is installed here as its layer."""
    paths = [str(ROOT), sysconfig.get_paths()["purelib"]]
    return zipped(f"import sys\nsys.path += {paths!r}\nfrom {module} import handler\n")


def zipped(source: str) -> bytes:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", source)
    return code.getvalue()


@pytest.fixture(scope="module")
def cloud() -> Iterator[SteppedCloud]:
    with stepped() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def role(cloud: SteppedCloud) -> str:
    principal = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    created = cloud.client("iam").create_role(RoleName="releases", AssumeRolePolicyDocument=trust)
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    cloud.client("iam").attach_role_policy(RoleName="releases", PolicyArn=everything)
    return str(created["Role"]["Arn"])


class Rollout:
    """Version 2 of a function over version 1, with hooks, judge and alarm around it."""

    def __init__(
        self, cloud: SteppedCloud, role: str, name: str, live: Path, new: Path, promised: Path, **settings: str
    ) -> None:
        self.cloud, self.role, self.name = cloud, role, name
        self.functions, self.codedeploy = cloud.client("lambda"), cloud.client("codedeploy")
        self._function(name, "inference.handler", {"SERINUS_MODEL_DIR": str(live)}, Publish=True)
        variables = {"Variables": {"SERINUS_MODEL_DIR": str(new)}}
        self.functions.update_function_configuration(FunctionName=name, Environment=variables)
        self.functions.publish_version(FunctionName=name)
        self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        environ = {
            "SERINUS_MODEL_DIR": str(promised),
            "SERINUS_FUNCTION": name,
            "SERINUS_ALIAS": "live",
            "SERINUS_APPLICATION": name,
            "SERINUS_DEPLOYMENT_GROUP": "group",
            "SERINUS_BAKE_MINUTES": "5",
            **settings,
        }
        for hook in ("before_traffic", "judge", "after_traffic"):
            self._function(f"CodeDeployHook_{name}_{hook}", f"hooks.{hook}", environ)
        self._judge_every_minute()
        self._watch_the_verdict()

    def _function(self, name: str, module: str, environ: dict[str, str], **more: Any) -> None:
        self.functions.create_function(
            FunctionName=name,
            Runtime=RUNTIME,
            Role=self.role,
            Handler="app.handler",
            Code={"ZipFile": handler_of(f"serinus.lambda_handlers.{module}")},
            Timeout=60,
            MemorySize=512,
            Environment={"Variables": environ},
            **more,
        )

    def _judge_every_minute(self) -> None:
        events, judge = self.cloud.client("events"), f"CodeDeployHook_{self.name}_judge"
        events.put_rule(Name=judge, ScheduleExpression="rate(1 minute)")
        self.functions.add_permission(
            FunctionName=judge, StatementId="s", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
        )
        arn = self.functions.get_function(FunctionName=judge)["Configuration"]["FunctionArn"]
        events.put_targets(Rule=judge, Targets=[{"Id": "1", "Arn": arn}])

    def _watch_the_verdict(self) -> None:
        dimensions = {"FunctionName": self.name, "FunctionVersion": "2"}
        self.cloud.client("cloudwatch").put_metric_alarm(
            AlarmName=self.name,
            Namespace="Serinus",
            MetricName="Verdict",
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            Statistic="Minimum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="LessThanThreshold",
            TreatMissingData="notBreaching",
        )
        self.codedeploy.create_application(applicationName=self.name, computePlatform="Lambda")
        self.codedeploy.create_deployment_group(
            applicationName=self.name,
            deploymentGroupName="group",
            deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes",
            serviceRoleArn=self.role,
            alarmConfiguration={"enabled": True, "alarms": [{"name": self.name}]},
            autoRollbackConfiguration={"enabled": True, "events": ALL_CAUSES},
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        )

    def deploy(self) -> str:
        """Start the deployment and wait for its first hook's word; returns the deployment's id."""
        deployment = self.start()
        self.until(lambda: self.event(deployment, "BeforeAllowTraffic") not in ("Pending", "InProgress"))
        return deployment

    def start(self) -> str:
        """Start the deployment; returns its id."""
        properties = {"Name": self.name, "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}
        hooks = {"BeforeAllowTraffic": "before_traffic", "AfterAllowTraffic": "after_traffic"}
        spec = {
            "version": 0.0,
            "Resources": [{self.name: {"Type": "AWS::Lambda::Function", "Properties": properties}}],
            "Hooks": [{event: f"CodeDeployHook_{self.name}_{hook}"} for event, hook in hooks.items()],
        }
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(spec)}}
        created = self.codedeploy.create_deployment(
            applicationName=self.name, deploymentGroupName="group", revision=revision
        )
        return str(created["deploymentId"])

    def replace_hook(self, hook: str, code: str) -> None:
        """Let ``hook`` run ``code`` for at most a second."""
        name = f"CodeDeployHook_{self.name}_{hook}"
        self.functions.update_function_code(FunctionName=name, ZipFile=zipped(code))
        self.functions.update_function_configuration(FunctionName=name, Timeout=1)

    def stop_judging(self) -> None:
        self.cloud.client("events").disable_rule(Name=f"CodeDeployHook_{self.name}_judge")

    def event(self, deployment: str, name: str) -> str:
        targets = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        found = self.codedeploy.get_deployment_target(deploymentId=deployment, targetId=targets[0])
        events = found["deploymentTarget"]["lambdaTarget"]["lifecycleEvents"]
        return str(next(event["status"] for event in events if event["lifecycleEventName"] == name))

    def status(self, deployment: str) -> str:
        return str(self.codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["status"])

    def serve(self, deployment: str, minutes: int, requests: int) -> Counter[tuple[str, str]]:
        """Minutes of live traffic, to the deployment's end; (version, outcome) of each request."""
        event = json.dumps(predict_event()).encode()
        met: Counter[tuple[str, str]] = Counter()
        for _ in range(minutes):
            for _ in range(requests):
                answer = self.functions.invoke(FunctionName=self.name, Qualifier="live", Payload=event)
                outcome = str(json.loads(answer["Payload"].read()).get("statusCode", "failed"))
                met[answer["ExecutedVersion"], outcome] += 1
            looks = self._looks()
            self.cloud.advance(minutes=1)
            self.until(lambda seen=looks: self._looks() > seen)
            if self.event(deployment, "AfterAllowTraffic") == "InProgress":
                self.until(lambda: self.event(deployment, "AfterAllowTraffic") != "InProgress")
            if self.status(deployment) != "InProgress":
                return met
        return met

    def rolled_back(self, to: str = "1") -> None:
        """Wait until all traffic meets version ``to`` again: a rollback may run hooks first."""

        def is_back() -> bool:
            alias = self.functions.get_alias(FunctionName=self.name, Name="live")
            weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
            return not weights and str(alias["FunctionVersion"]) == to

        self.until(is_back)

    def _looks(self) -> int:
        """How often the judge has looked: the schedule starts it, and does not wait for it."""
        return self.ends("judge")

    def ends(self, hook: str) -> int:
        """How often ``hook`` has run to an end of whatever kind."""
        logs, group = self.cloud.client("logs"), f"/aws/lambda/CodeDeployHook_{self.name}_{hook}"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return 0
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        lines = [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]
        return sum(line.startswith("REPORT") for line in lines)

    def until(self, happened: Callable[[], bool]) -> None:
        """Hooks are functions: they take real time while cloud time stands."""
        for _ in range(600):
            self.cloud.advance(0.01)
            if happened():
                return
            time.sleep(0.05)
        raise AssertionError("what was waited for did not happen within 30 s")

    @property
    def live_version(self) -> str:
        alias = self.functions.get_alias(FunctionName=self.name, Name="live")
        assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
        return str(alias["FunctionVersion"])


def predict_event() -> dict[str, Any]:
    return {
        "resource": "/{proxy+}",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "pathParameters": {"proxy": "predict"},
        "requestContext": {"stage": "live", "path": "/live/predict", "requestId": "request-1", "identity": {}},
        "body": '{"rows": [{"a": 1, "b": 2}]}',
        "isBase64Encoded": False,
    }


def test_a_good_release_is_promoted_with_every_request_answered(cloud, role, sum_bundle):
    new = sum_bundle("good-new")
    rollout = Rollout(cloud, role, "good", sum_bundle("good-live"), new, new)
    deployment = rollout.deploy()
    assert rollout.event(deployment, "BeforeAllowTraffic") == "Succeeded"
    met = rollout.serve(deployment, minutes=8, requests=30)
    assert rollout.status(deployment) == "Succeeded"
    assert rollout.live_version == "2"
    assert {outcome for _, outcome in met} == {"200"}


def test_a_release_that_fails_under_traffic_is_rolled_back_by_the_verdict(cloud, role, sum_bundle):
    new = sum_bundle("bad-new")
    rollout = Rollout(cloud, role, "bad", sum_bundle("bad-live"), new, new)
    deployment = rollout.deploy()
    fault = {"function": "bad", "version": "2", "error_rate": 0.9}
    cloud.cloud.own_api().put("/faults", fault).raise_for_status()
    rollout.serve(deployment, minutes=5, requests=100)
    assert rollout.status(deployment) == "Stopped"
    rollout.rolled_back()


def test_a_release_that_answers_wrongly_meets_no_traffic(cloud, role, sum_bundle):
    promised = sum_bundle("wrong-new", golden_error=0.5)
    rollout = Rollout(cloud, role, "wrong", sum_bundle("wrong-live"), promised, promised)
    deployment = rollout.deploy()
    assert rollout.event(deployment, "BeforeAllowTraffic") == "Failed"
    assert rollout.event(deployment, "AllowTraffic") == "Skipped"
    assert rollout.live_version == "1"


@pytest.fixture
def delayed(cloud: SteppedCloud, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets CloudWatch show metrics so many seconds late from now on."""

    def delay(seconds: float) -> None:
        later = replace(cloud.cloud.config.readings, metric_delay=Seconds(seconds, seconds))
        monkeypatch.setattr(cloud.cloud, "config", replace(cloud.cloud.config, readings=later))

    return delay


@pytest.mark.parametrize(
    ("delay_s", "stopped_by"), [(30, "the alarm"), (90, "the alarm or the hook"), (120, "the hook")]
)
def test_what_is_rolled_back_without_evidence_is_not_promoted_however_late_its_metric(
    cloud, role, sum_bundle, delayed, delay_s, stopped_by
):
    """The bake is short, so that the alarm on the last word, spoken in the middle of it, may come too late."""
    delayed(delay_s)
    new, live = sum_bundle("quiet-new"), sum_bundle("quiet-live")
    rollout = Rollout(cloud, role, f"quiet-{delay_s}", live, new, new, SERINUS_INCONCLUSIVE="roll_back")
    deployment = rollout.deploy()
    rollout.serve(deployment, minutes=8, requests=1)
    ends = {"Stopped": "the alarm", "Failed": "the hook"}
    assert ends[rollout.status(deployment)] in stopped_by
    rollout.rolled_back()
    cloud.advance(minutes=4)
    assert rollout.live_version == "1"


def test_trouble_of_which_no_alarm_hears_in_time_is_not_promoted(cloud, role, sum_bundle, delayed):
    delayed(120)
    new = sum_bundle("late-new")
    rollout = Rollout(cloud, role, "late", sum_bundle("late-live"), new, new)
    deployment = rollout.deploy()
    rollout.serve(deployment, minutes=1, requests=100)
    # Few enough that the golden requests after traffic, of which one of three must be answered, do not show it.
    fault = {"function": "late", "version": "2", "error_rate": 0.4, "alias_only": True}
    cloud.cloud.own_api().put("/faults", fault).raise_for_status()
    rollout.serve(deployment, minutes=6, requests=100)
    assert rollout.event(deployment, "AllowTraffic") == "Succeeded"
    assert rollout.event(deployment, "AfterAllowTraffic") == "Failed"
    rollout.rolled_back()


SILENT = {
    "crashes": "def handler(event, context):\n    raise RuntimeError('gone')\n",
    "hangs": "import time\ndef handler(event, context):\n    time.sleep(60)\n",
    "never calls back": "def handler(event, context):\n    return {'status': 'Succeeded'}\n",
}


@pytest.mark.parametrize("hook", ["before_traffic", "after_traffic"])
def test_a_hook_without_a_word_rolls_back_after_codedeploys_hour(cloud, role, sum_bundle, hook):
    """Every kind of silence at once, each in a release of its own."""
    new, live = sum_bundle("silent-new"), sum_bundle("silent-live")
    rollouts = {kind: Rollout(cloud, role, f"{hook}-{kind.replace(' ', '-')}", live, new, new) for kind in SILENT}
    for kind, rollout in rollouts.items():
        rollout.stop_judging()
        rollout.replace_hook(hook, SILENT[kind])
    deployments = {kind: rollout.start() for kind, rollout in rollouts.items()}

    def by_kind(what: Callable[[Rollout, str], str]) -> dict[str, str]:
        return {kind: what(rollout, deployments[kind]) for kind, rollout in rollouts.items()}

    if hook == "after_traffic":
        for kind, rollout in rollouts.items():
            rollout.until(
                lambda on=rollout, of=deployments[kind]: on.event(of, "BeforeAllowTraffic") == "Succeeded"
            )
        cloud.advance(minutes=5.1)
        assert by_kind(lambda rollout, _: rollout.live_version) == dict.fromkeys(SILENT, "2")
    for rollout in rollouts.values():
        rollout.until(lambda on=rollout: on.ends(hook) > 0)
    cloud.advance(minutes=58)
    assert by_kind(Rollout.status) == dict.fromkeys(SILENT, "InProgress")
    cloud.advance(minutes=3)
    assert by_kind(Rollout.status) == dict.fromkeys(SILENT, "Failed")
    for rollout in rollouts.values():
        rollout.rolled_back()


def test_a_release_that_a_silent_hook_stopped_can_be_made_again(cloud, role, sum_bundle):
    new = sum_bundle("again-new")
    rollout = Rollout(cloud, role, "again", sum_bundle("again-live"), new, new)
    rollout.stop_judging()
    rollout.replace_hook("before_traffic", SILENT["crashes"])
    deployment = rollout.start()
    rollout.until(lambda: rollout.ends("before_traffic") > 0)
    cloud.advance(minutes=61)
    assert rollout.status(deployment) == "Failed"
    # Its rollback may run the hook too, and wait another hour.
    cloud.advance(minutes=61)
    name = "CodeDeployHook_again_before_traffic"
    rollout.functions.update_function_code(
        FunctionName=name, ZipFile=handler_of("serinus.lambda_handlers.hooks.before_traffic")
    )
    rollout.functions.update_function_configuration(FunctionName=name, Timeout=60)
    assert rollout.event(rollout.deploy(), "BeforeAllowTraffic") == "Succeeded"
