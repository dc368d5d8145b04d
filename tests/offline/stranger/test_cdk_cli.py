"""The stock CDK CLI against the cloud: bootstrap, deploy, diff, no-op, update, failure, destroy."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from offline.cloud.cloud import Cloud
from offline.cloud.config import CloudConfig
from offline.cloud.serve import running

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
CLI = Path(os.environ.get("CDK_CLI") or ROOT / "node_modules" / ".bin" / "cdk")
ACCOUNT, REGION = "123456789012", "us-east-1"

pytestmark = pytest.mark.cdk

Cdk = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def own_cloud() -> Iterator[Cloud]:
    """A cloud of this module's own: bootstrap's names are fixed."""
    with running(CloudConfig(port=0)) as started:
        yield started


@pytest.fixture(scope="module")
def cdk(own_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Cdk:
    """Runs the CDK CLI on the stranger's app; fails the test unless ``ok`` is False."""
    if not CLI.exists():
        pytest.fail(f"no CDK CLI at {CLI}: run `npm ci`, or name one in CDK_CLI")
    folder = tmp_path_factory.mktemp("stranger")
    shutil.copy(HERE / "app.py", folder)
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": own_cloud.config.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "1",  # results and progress both on stdout
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "NODE_NO_WARNINGS": "1",
    }

    def run(*arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(CLI), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def client(own_cloud: Cloud) -> Callable[[str], Any]:
    def make(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=own_cloud.config.endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    return make


def test_the_whole_life_of_a_stranger_s_app(cdk: Cdk, client: Callable[[str], Any]) -> None:
    cloudformation = client("cloudformation")

    def stack() -> dict[str, Any]:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName="stranger")["Stacks"][0]
        return found

    def visibility_timeout() -> str:
        url = {output["OutputKey"]: output["OutputValue"] for output in stack()["Outputs"]}["QueueUrl"]
        attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        timeout: str = attributes["Attributes"]["VisibilityTimeout"]
        return timeout

    cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}")
    cdk("synth", "--quiet", "--output", "first")
    cdk("deploy", "--require-approval", "never", "--app", "first")
    assert stack()["StackStatus"] == "CREATE_COMPLETE"
    assert visibility_timeout() == "30"

    assert "no differences" in cdk("diff", "--app", "first").stdout
    assert "(no changes)" in cdk("deploy", "--require-approval", "never", "--app", "first").stdout

    cdk("synth", "--quiet", "--output", "second", "-c", "revision=2")
    assert "VisibilityTimeout" in cdk("diff", "--app", "second").stdout
    cdk("deploy", "--require-approval", "never", "--app", "second")
    assert stack()["StackStatus"] == "UPDATE_COMPLETE"
    assert visibility_timeout() == "60"

    cdk("synth", "--quiet", "--output", "third", "-c", "revision=3", "-c", "broken=1")
    failed = cdk("deploy", "--require-approval", "never", "--app", "third", ok=False)
    assert "NoSuchPolicy" in failed.stdout + failed.stderr
    assert stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert visibility_timeout() == "60"
    assert "no differences" in cdk("diff", "--app", "second").stdout

    cdk("destroy", "--force", "--app", "second")
    names = [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]
    assert names == ["CDKToolkit"]
