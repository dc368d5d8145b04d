"""The stock CDK CLI on a cloud that is bootstrapped once; bootstrap's names are fixed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
CLI = Path(os.environ.get("CDK_CLI") or ROOT / "node_modules" / ".bin" / "cdk")
ACCOUNT, REGION = "123456789012", "us-east-1"
#: Cloud seconds a real second: a bake of five minutes takes ten seconds.
SPEED = 30.0

Cdk = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def own_cloud() -> Iterator[Cloud]:
    """A cloud of these tests' own."""
    with running(CloudConfig(port=0, clock_factor=SPEED)) as started:
        yield started


@pytest.fixture(scope="session")
def cdk_environment(own_cloud: Cloud) -> dict[str, str]:
    """The environment in which the CDK CLI talks to the cloud and to nobody else."""
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": own_cloud.config.endpoint_url,
        "AWS_ACCESS_KEY_ID": own_cloud.config.root_key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": own_cloud.config.root_key.secret_access_key,
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


@pytest.fixture(scope="session")
def cdk_of(cdk_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Cdk]:
    """``cdk_of("app.py")`` runs the CLI on that app, bootstrapped; a run fails the test unless ``ok`` is False."""
    if not CLI.exists():
        pytest.fail(f"no CDK CLI at {CLI}: run `npm ci`, or name one in CDK_CLI")

    def prepare(app: str) -> Cdk:
        folder = tmp_path_factory.mktemp("stranger")
        shutil.copy(HERE / app, folder)
        (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} {app}"}))

        def run(*arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
            done = subprocess.run(
                [str(CLI), *arguments],
                cwd=folder,
                env=cdk_environment,
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert (done.returncode == 0) is ok, done.stdout + done.stderr
            return done

        return run

    prepare("app.py")("bootstrap", f"aws://{ACCOUNT}/{REGION}")
    return prepare


@pytest.fixture(scope="session")
def client(own_cloud: Cloud) -> Callable[[str], Any]:
    """A factory of boto3 clients onto the cloud."""
    return own_cloud.client
