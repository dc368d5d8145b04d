"""An endpoint's stack in small, in a stepped cloud that stands in for AWS and checks each call of a caller's role.

All tests here share it: moto keeps one IAM for all clouds of a process.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from serinus.cli import offline_process
from serinus.cli.main import app
from serinus.lambda_handlers.contract.bundle import (
    BASELINE,
    GOLDEN,
    GRAPH,
    MANIFEST,
    SHORT,
    Golden,
    Manifest,
    compute_version,
    dump_json,
)
from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.offline.cloud.stepped import SteppedCloud, stepped

STACK, ACCOUNT, REGION = "shop-prod-churn", "123456789012", "us-east-1"
SETTINGS = (
    f'[project]\nname = "shop"\n\n[endpoint.churn]\n\n[env.prod]\naccount = "{ACCOUNT}"\nregion = "{REGION}"\n'
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
        for service in ("lambda.amazonaws.com", "codedeploy.amazonaws.com")
    ]
    + [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}],
}
SIGNATURE = Signature(
    task="regression",
    features=(Feature("age", "float32"),),
    tensors=(Tensor("X", "float32", ("age",)),),
    outputs=(Output("variable", "float32", "value", (None,)),),
)


def write_bundle(project: Path, graph: bytes) -> str:
    """A bundle with its true hash; returns its version."""
    manifest = Manifest("churn", "", SIGNATURE, "float32", Tolerance(), "scikit-learn").to_json()
    golden = dump_json(Golden(({"age": 40.0},), {"variable": [1.0]}).to_json())
    version = compute_version(graph, manifest, b"{}\n", golden)
    folder = project / "bundles" / "churn" / version[:SHORT]
    folder.mkdir(parents=True)
    contents = {
        GRAPH: graph,
        MANIFEST: dump_json({**manifest, "version": version}),
        BASELINE: b"{}\n",
        GOLDEN: golden,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return version


def template(versions: list[str], role: str) -> str:
    """An endpoint's stack in small, serving the last of ``versions``: what the commands read is all there."""
    serving = len(versions)
    resources: dict[str, Any] = {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": STACK,
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": role,
                "Code": {"ZipFile": f"def handler(event, context):\n    return {serving}\n"},
            },
        },
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "Name": "live",
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [f"Version{serving}", "Version"]},
            },
            "UpdatePolicy": {
                "CodeDeployLambdaAliasUpdate": {
                    "ApplicationName": {"Ref": "Application"},
                    "DeploymentGroupName": {"Ref": "Group"},
                }
            },
        },
        "Application": {
            "Type": "AWS::CodeDeploy::Application",
            "Properties": {"ApplicationName": STACK, "ComputePlatform": "Lambda"},
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": f"{STACK}-Errors",
                "Namespace": "Serinus",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
        "Group": {
            "Type": "AWS::CodeDeploy::DeploymentGroup",
            "Properties": {
                "ApplicationName": {"Ref": "Application"},
                "DeploymentGroupName": "live",
                "ServiceRoleArn": role,
                "DeploymentConfigName": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
                "DeploymentStyle": {
                    "DeploymentType": "BLUE_GREEN",
                    "DeploymentOption": "WITH_TRAFFIC_CONTROL",
                },
                "AlarmConfiguration": {"Enabled": True, "Alarms": [{"Name": {"Ref": "Alarm"}}]},
                "AutoRollbackConfiguration": {"Enabled": True, "Events": ["DEPLOYMENT_STOP_ON_REQUEST"]},
            },
        },
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": STACK}},
        "Method": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "HttpMethod": "GET",
                "AuthorizationType": "NONE",
                "Integration": {"Type": "MOCK"},
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": {"RestApiId": {"Ref": "Api"}},
            "DependsOn": ["Method"],
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "DeploymentId": {"Ref": "Deployment"},
                "StageName": "live",
            },
        },
        "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Name": STACK}},
        "Plan": {
            "Type": "AWS::ApiGateway::UsagePlan",
            "Properties": {"ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}]},
        },
        "PlanKey": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        },
    }
    for group in ("Logs", "JudgeLogs"):
        suffix = "-judge" if group == "JudgeLogs" else ""
        resources[group] = {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/lambda/{STACK}{suffix}"},
        }
    # Older versions are no longer in the template, and are retained.
    resources[f"Version{serving}"] = {
        "Type": "AWS::Lambda::Version",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"FunctionName": {"Ref": "Function"}, "Description": f"churn {versions[-1][:SHORT]}"},
    }
    outputs = {
        "Url": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/live"},
        "Front": "rest",
        "Auth": "api_key",
        "ApiKeyId": {"Ref": "Key"},
        "FunctionName": {"Ref": "Function"},
        "FunctionVersion": {"Fn::GetAtt": [f"Version{serving}", "Version"]},
        "Alias": "live",
        "Model": "churn",
        "ModelVersion": versions[-1],
    }
    return json.dumps(
        {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    )


class Shop:
    """A project whose endpoint is deployed in a stepped cloud that stands in for AWS."""

    def __init__(self, cloud: SteppedCloud, project: Path) -> None:
        self.cloud, self.project = cloud, project
        self.stacks, self.iam = cloud.client("cloudformation"), cloud.client("iam")
        self.role = self.create_role("operations-functions", {"Statement": [], "Version": "2012-10-17"})
        self.allow_everything("operations-functions")
        self.versions = [write_bundle(project, b"first")]
        self._deploy("create_stack")
        self.wait("stack_create_complete")

    def create_role(self, name: str, policy: Any) -> str:
        arn: str = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        if policy["Statement"]:
            self.iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
        return arn

    def allow_everything(self, role: str) -> None:
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        self.iam.put_role_policy(RoleName=role, PolicyName="only", PolicyDocument=document)

    def release(self) -> None:
        """Begin to release another bundle; its canary gets traffic while time stands."""
        self.versions.append(write_bundle(self.project, f"release {len(self.versions)}".encode()))
        pin = Pin(self.versions[-1], f"bundles/churn/{self.versions[-1][:SHORT]}")
        (self.project / LOCK).write_text(render_lock({"prod": {"churn": pin}}), encoding="utf-8")
        self._deploy("update_stack")
        codedeploy = self.cloud.client("codedeploy")
        while not codedeploy.list_deployments(
            applicationName=STACK, deploymentGroupName="live", includeOnlyStatuses=["InProgress"]
        )["deployments"]:
            self.cloud.advance(1)

    def end_of_release(self, waiter: str) -> None:
        while self.status().endswith("_IN_PROGRESS") and not self.status().endswith("CLEANUP_IN_PROGRESS"):
            self.cloud.advance(10)
        self.wait(waiter)

    def status(self) -> str:
        status: str = self.stacks.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        return status

    def wait(self, waiter: str) -> None:
        self.stacks.get_waiter(waiter).wait(StackName=STACK, WaiterConfig={"Delay": 1})

    def _deploy(self, verb: str) -> None:
        body = template(self.versions, self.role)
        getattr(self.stacks, verb)(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    project = tmp_path_factory.mktemp("shop")
    (project / "serinus.toml").write_text(SETTINGS, encoding="utf-8")
    with stepped() as cloud:
        made = Shop(cloud, project)
        yield made
        made.stacks.delete_stack(StackName=STACK)
        made.wait("stack_delete_complete")


Run = Callable[..., Any]
_numbers = itertools.count()


@pytest.fixture
def under(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], tuple[Run, str]]:
    """Runs commands as a new role with exactly the given policy, as if on AWS; and returns that role's ARN."""

    def assume(policy: Any) -> tuple[Run, str]:
        role = shop.create_role(f"operations-caller-{next(_numbers)}", policy)
        answer = shop.cloud.client("sts").assume_role(
            RoleArn=role, RoleSessionName="caller", DurationSeconds=43_200
        )
        credentials = answer["Credentials"]
        shop.cloud.cloud.authorizer.watch(credentials["AccessKeyId"], role, "caller")
        monkeypatch.chdir(shop.project)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the credentials of an earlier role
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", offline_process.VARIABLE_LOCAL_URL):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ENDPOINT_URL", shop.cloud.cloud.config.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", credentials["SessionToken"])

        def run(*words: str) -> Any:
            return CliRunner().invoke(app, [*words, "--env", "prod"])

        return run, role

    return assume


@pytest.fixture
def printed_policy(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """What `serinus policy` prints for a holder."""

    def read(holder: str) -> Any:
        monkeypatch.chdir(shop.project)
        done = CliRunner().invoke(app, ["policy", holder, "--env", "prod"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return read
