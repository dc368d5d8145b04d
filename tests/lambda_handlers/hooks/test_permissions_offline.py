"""Each function of the endpoint's stack under its own role, through a held release: what is granted is used, and
what is used is granted."""

import fnmatch
import io
import json
import os
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
os.environ["CDK_VALIDATION"] = "false"

from aws_cdk.assertions import Template

from serinus.infra.assembly import create_app
from serinus.infra.release import LayerZip, Release
from serinus.infra.settings import load_settings
from serinus.infra.stacks.endpoint_stack import EndpointStack
from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.monitored import Column, Monitored
from serinus.offline.cloud.stepped import SteppedCloud, stepped

# One group: each process would rehearse both strategies anew.
pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("permissions")]

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- permissions: made by tests/lambda_handlers/hooks -->", "<!-- end of permissions -->"
REWRITE = "SERINUS_REWRITE_SNAPSHOTS"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
NAME = "shop-dev-churn"
SETTINGS = (
    '[project]\nname = "shop"\n\n[endpoint.churn.rollout]\nstrategy = "{}"\nbake_minutes = 5\nkeep_versions = 2\n'
    "[endpoint.churn.monitor]\nenabled = true\n"
)
COLLECTOR = "shop-dev-shared-collector"
#: By stream: at most the edge, missing, below, above.
BANDS = ((0.3, 0.7), (0.0, 0.05), (0.0, 0.05), (0.0, 0.05))
MONITORED = Monitored("sample", (Column("a", "input", "number", 1, 8, (4, 0, 0, 0), BANDS, (3.0,), 0.0, 7.0),), {})
HERE = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}
Grant = tuple[str, str]
#: CodeDeploy's configurations of the strategies that a release is made by.
CONFIGURATIONS = {
    "blue_green": "CodeDeployDefault.LambdaAllAtOnce",
    "canary": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
}
NAMED_BY_APP_SPEC = "to read the versions from the AppSpec if CodeDeploy's target does not name them"
FUNCTION_OR_VERSION = "AWS may check the deletion of a version on the function or on the version"
#: What a release that goes well does not use, and why it is granted.
OTHERWISE_USED = {
    "blue_green": {
        (
            "CodeDeployHook_after_shop-dev-churn",
            "codedeploy:PutLifecycleEventHookExecutionStatus",
        ): "to report an alias that does not serve the new version; otherwise the judge reports",
        ("shop-dev-churn-retire", "codedeploy:GetDeployment"): NAMED_BY_APP_SPEC,
        ("shop-dev-churn-retire", "lambda:DeleteFunction"): FUNCTION_OR_VERSION,
    },
    "canary": {
        ("shop-dev-churn-judge", "ssm:PutParameter"): "to store the objection for the post-traffic check",
        ("shop-dev-churn-judge", "ssm:GetParameter"): "to notify of an objection once",
        ("shop-dev-churn-retire", "codedeploy:GetDeployment"): NAMED_BY_APP_SPEC,
        ("shop-dev-churn-retire", "lambda:DeleteFunction"): FUNCTION_OR_VERSION,
    },
}


def synthesized(folder: Path, bundle: Path, strategy: str) -> dict[str, Any]:
    """The template of the endpoint's stack, with every function's layers left empty."""
    (folder / "serinus.toml").write_text(SETTINGS.format(strategy))
    layers = []
    for name in ("runtime", "model"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr("python/content.txt", name)
        layers.append(LayerZip(folder / f"{name}.zip", name.ljust(64, "0")))
    settings = load_settings(folder / "serinus.toml", "dev")
    model = Manifest.from_json(json.loads((bundle / "model.json").read_text()))
    stack = EndpointStack(
        create_app(), settings=settings, endpoint=settings.endpoints[0], release=Release(model, *layers)
    )
    found: dict[str, Any] = Template.from_stack(stack).to_json()
    return found


@dataclass(frozen=True)
class Deployed:
    """A function of the template: its policies as they stand in the cloud."""

    name: str
    module: str
    variables: dict[str, str]
    policies: dict[str, dict[str, Any]]

    @property
    def grants(self) -> Iterator[Grant]:
        for document in self.policies.values():
            for statement in document["Statement"]:
                for action in listed(statement["Action"]):
                    for resource in listed(statement["Resource"]):
                        yield action, resource


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def functions_of(template: dict[str, Any]) -> list[Deployed]:
    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return HERE[value["Ref"]]
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return separator.join(resolved(parts))
        if "Fn::GetAtt" in value and value["Fn::GetAtt"][1] == "Version":
            return "1"
        if "Fn::GetAtt" in value:
            group = template["Resources"][value["Fn::GetAtt"][0]]["Properties"]["LogGroupName"]
            return f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
        return {key: resolved(item) for key, item in value.items()}

    found = []
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            own = resource["Properties"]
            role = template["Resources"][own["Role"]["Fn::GetAtt"][0]]["Properties"]
            policies = {one["PolicyName"]: resolved(one["PolicyDocument"]) for one in role["Policies"]}
            module = own["Handler"].removesuffix(".handler")
            variables = resolved(own.get("Environment", {}).get("Variables", {}))
            found.append(Deployed(own["FunctionName"], module, variables, policies))
    return found


class Stand:
    """The stack's functions in a cloud under their own roles, and a release of version 4 over version 3."""

    def __init__(self, cloud: SteppedCloud, functions: list[Deployed], bundle: Path, strategy: str) -> None:
        self.cloud, self.names = cloud, {one.module.rpartition(".")[2]: one.name for one in functions}
        self.functions, self.codedeploy = cloud.client("lambda"), cloud.client("codedeploy")
        for function in functions:
            self._create(function, bundle)
        # The shared stack's, of which only the name matters here.
        self._create_collector(functions[0])
        for value in range(4):
            variables = {"SERINUS_MODEL_DIR": str(bundle), "VALUE": str(value)}
            self.functions.update_function_configuration(FunctionName=NAME, Environment={"Variables": variables})
            self.functions.publish_version(FunctionName=NAME)
        self.functions.create_alias(FunctionName=NAME, Name="live", FunctionVersion="3")
        self.codedeploy.create_application(applicationName=NAME, computePlatform="Lambda")
        self.codedeploy.create_deployment_group(
            applicationName=NAME,
            deploymentGroupName="live",
            deploymentConfigName=CONFIGURATIONS[strategy],
            serviceRoleArn=role_of(NAME),
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        )

    def _create(self, function: Deployed, bundle: Path) -> None:
        iam = self.cloud.client("iam")
        principal = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
        iam.create_role(RoleName=function.name, AssumeRolePolicyDocument=trust)
        for name, document in function.policies.items():
            iam.put_role_policy(RoleName=function.name, PolicyName=name, PolicyDocument=json.dumps(document))
        self.cloud.client("logs").create_log_group(logGroupName=f"/aws/lambda/{function.name}")
        self.functions.create_function(
            FunctionName=function.name,
            Runtime=RUNTIME,
            Role=role_of(function.name),
            Handler="app.handler",
            Code={"ZipFile": handler_of(function.module)},
            Timeout=60,
            MemorySize=512,
            Environment={"Variables": {**function.variables, "SERINUS_MODEL_DIR": str(bundle)}},
        )

    def _create_collector(self, borrowed: Deployed) -> None:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "def handler(event, context):\n    return None\n")
        self.functions.create_function(
            FunctionName=COLLECTOR,
            Runtime=RUNTIME,
            Role=role_of(borrowed.name),
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
            LoggingConfig={"LogGroup": f"/aws/lambda/{borrowed.name}"},
        )

    @contextmanager
    def standing(self) -> Iterator["Stand"]:
        """Take down afterwards what all clouds of a process share."""
        try:
            yield self
        finally:
            iam, logs = self.cloud.client("iam"), self.cloud.client("logs")
            for name in self.names.values():
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                    iam.delete_role_policy(RoleName=name, PolicyName=policy)
                iam.delete_role(RoleName=name)
                logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")

    def release(self) -> None:
        """The first version's check, a release with its judge, and what clears up after it."""
        self.run("first_release", first_release_event())
        deployment = self._deploy()
        self._until(lambda: self._event(deployment, "BeforeAllowTraffic") == "Succeeded")
        for _ in range(10):
            self.cloud.advance(minutes=1)
            at = self.cloud.cloud.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
            self.run("judge", {"time": at})
            self.cloud.advance(1)
            if self._event(deployment, "AllowTraffic") == "Succeeded":
                self._until(lambda: self.ends("after_traffic") > 0)
            if self._event(deployment, "AfterAllowTraffic") == "Succeeded":
                break
        self._until(lambda: self._status(deployment) == "Succeeded")
        self.run("retire_versions", {"detail": {"deploymentId": deployment}})

    def run(self, module: str, event: dict[str, Any]) -> None:
        self.functions.invoke(FunctionName=self.names[module], Payload=json.dumps(event).encode())

    def ends(self, module: str) -> int:
        """How often a function has run to its end."""
        group = f"/aws/lambda/{self.names[module]}"
        lines = self.cloud.client("logs").filter_log_events(logGroupName=group)["events"]
        return sum(one["message"].startswith("REPORT") for one in lines)

    def _deploy(self) -> str:
        properties = {"Name": NAME, "Alias": "live", "CurrentVersion": "3", "TargetVersion": "4"}
        hooks = {"BeforeAllowTraffic": "before_traffic", "AfterAllowTraffic": "after_traffic"}
        content = {
            "version": 0.0,
            "Resources": [{NAME: {"Type": "AWS::Lambda::Function", "Properties": properties}}],
            "Hooks": [{event: self.names[hook]} for event, hook in hooks.items()],
        }
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}}
        created = self.codedeploy.create_deployment(
            applicationName=NAME, deploymentGroupName="live", revision=revision
        )
        return str(created["deploymentId"])

    def _event(self, deployment: str, name: str) -> str:
        targets = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        found = self.codedeploy.get_deployment_target(deploymentId=deployment, targetId=targets[0])
        events = found["deploymentTarget"]["lambdaTarget"]["lifecycleEvents"]
        return str(next(event["status"] for event in events if event["lifecycleEventName"] == name))

    def _status(self, deployment: str) -> str:
        return str(self.codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["status"])

    def _until(self, happened: Callable[[], bool]) -> None:
        """Hooks are functions: they take real time while cloud time stands."""
        for _ in range(600):
            self.cloud.advance(0.01)
            if happened():
                return
            time.sleep(0.05)
        raise AssertionError(f"it did not happen within 30 s; {self.cloud.cloud.authorizer.uses()}")


def role_of(function: str) -> str:
    return f"arn:aws:iam::123456789012:role/{function}"


def handler_of(module: str) -> bytes:
    """A zip whose handler is that of a module in this checkout, with what is installed here as its layer."""
    paths = [str(ROOT), sysconfig.get_paths()["purelib"]]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", f"import sys\nsys.path += {paths!r}\nfrom {module} import handler\n")
    return code.getvalue()


def first_release_event() -> dict[str, Any]:
    """What CloudFormation sends; its answer goes nowhere."""
    return {
        "RequestType": "Create",
        "ResponseURL": "http://127.0.0.1:9/nowhere",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "FirstCheck",
        "ResourceProperties": {"Version": "1"},
    }


@dataclass(frozen=True)
class Rehearsed:
    """A function's grants, and what it asked for: (action, resource, allowed)."""

    function: str
    strategy: str
    grants: list[Grant]
    uses: list[tuple[str, str, bool]]

    def is_used(self, grant: Grant) -> bool:
        action, resource = grant
        return any(
            fnmatch.fnmatchcase(used, action) and fnmatch.fnmatchcase(on, resource)
            for used, on, allowed in self.uses
            if allowed
        )

    def use_of(self, grant: Grant) -> str:
        return "yes" if self.is_used(grant) else OTHERWISE_USED[self.strategy][self.function, grant[0]]


def rehearse(folder: Path, bundle: Path, strategy: str) -> list[Rehearsed]:
    functions = functions_of(synthesized(folder, bundle, strategy))
    with stepped() as cloud, Stand(cloud, functions, bundle, strategy).standing() as stand:
        stand.release()
        time.sleep(0.5)  # what the last function logged is on its way
        authorizer = cloud.cloud.authorizer
        return [
            Rehearsed(
                one.name,
                strategy,
                sorted(one.grants),
                [
                    (use["action"], use["resource"] or "*", use["allowed"])
                    for use in authorizer.uses(role_of(one.name))
                ],
            )
            for one in functions
        ]


@pytest.fixture(scope="module")
def rehearsed(
    tmp_path_factory: pytest.TempPathFactory, sum_bundle: Callable[..., Path]
) -> dict[str, list[Rehearsed]]:
    bundle = sum_bundle("granted", monitored=MONITORED)
    return {name: rehearse(tmp_path_factory.mktemp(name), bundle, name) for name in CONFIGURATIONS}


@pytest.mark.parametrize("strategy", CONFIGURATIONS)
def test_nothing_is_asked_for_that_is_not_granted(rehearsed: dict[str, list[Rehearsed]], strategy: str) -> None:
    assert [(one.function, use) for one in rehearsed[strategy] for use in one.uses if not use[2]] == []


@pytest.mark.parametrize("strategy", CONFIGURATIONS)
def test_nothing_is_granted_that_is_never_used_without_a_reason(
    rehearsed: dict[str, list[Rehearsed]], strategy: str
) -> None:
    idle = {
        (one.function, grant[0]) for one in rehearsed[strategy] for grant in one.grants if not one.is_used(grant)
    }

    assert idle == set(OTHERWISE_USED[strategy])


def table_of(rehearsed: list[Rehearsed], but: list[Rehearsed] | None = None) -> list[str]:
    """The grants, without those that ``but`` has too."""
    elsewhere = {(one.function, grant) for one in but or [] for grant in one.grants}
    rows = [
        f"| `{one.function}` | `{action}` | `{resource}` | {one.use_of((action, resource))} |"
        for one in sorted(rehearsed, key=lambda one: one.function)
        for action, resource in one.grants
        if (one.function, (action, resource)) not in elsewhere
    ]
    return ["| function | granted | on | used in a release |", "|---|---|---|---|", *rows]


def test_the_page_lists_what_is_granted(rehearsed: dict[str, list[Rehearsed]]) -> None:
    held, shifted = rehearsed["blue_green"], rehearsed["canary"]
    instead = 'With `strategy = "canary"` or `"linear"`, instead of the grants on the parameter `held-deployment`:'
    table = "\n".join([*table_of(held), "", instead, "", *table_of(shifted, but=held)])
    page = PAGE.read_text(encoding="utf-8")
    made = f"{page.split(BEGIN)[0]}{BEGIN}\n\n{table}\n\n{END}{page.split(END)[1]}"
    if os.environ.get(REWRITE):
        PAGE.write_text(made, encoding="utf-8")

    assert made == PAGE.read_text(encoding="utf-8"), f"rewrite it with {REWRITE}=1 and review the change"
