"""An offline cloud as a process of its own, and what the benchmarks ask of it."""

import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# A benchmark may be named like a package: its folder comes first on the path of all of them.
sys.path.insert(0, str(ROOT))

from serinus.offline.client.own_api import OwnApi  # noqa: E402
from serinus.offline.client.session import isolated_session  # noqa: E402
from serinus.offline.core.root_key import RootKey  # noqa: E402

REGION, ACCOUNT = "us-east-1", "123456789012"
ROLE_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
            for service in ("lambda", "codedeploy")
        ],
    }
)
LISTENING = """
import sys
from serinus.offline.cloud import serve as serving

bind = serving.bind

def told(config):
    listener = bind(config)
    print(listener.getsockname()[1], flush=True)
    return listener

serving.bind = told
from serinus.offline.__main__ import main
sys.exit(main())
"""


class BenchCloud:
    """``python -m serinus.offline`` on a free port, stopped at the end of the `with` block."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    def __enter__(self) -> "BenchCloud":
        self._log = tempfile.TemporaryFile()
        self._folder = tempfile.TemporaryDirectory()
        credentials = Path(self._folder.name) / "credentials"
        self._process = subprocess.Popen(
            [sys.executable, "-c", LISTENING, "--port", "0", "--credentials", str(credentials), *self._arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self.key = RootKey.read(credentials)
        self.get("/health")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)
        self._process.communicate()
        self._log.close()
        self._folder.cleanup()

    def get(self, path: str) -> Any:
        """An answer of the cloud's own API."""
        return OwnApi(self.url, self.key).get(path, timeout_s=60).raise_for_status().json()

    def client(self, service: str) -> Any:
        return isolated_session(self.key, REGION).client(service, endpoint_url=self.url)

    def worker_pids(self) -> list[int]:
        return [worker["pid"] for worker in self.get("/lambda/workers")["workers"] if worker["pid"]]

    def memory_mb(self) -> float:
        """PSS of the cloud, its workers and whatever else it started."""
        family = {self._process.pid}
        parents = {pid: parent_of(pid) for pid in running_pids()}
        while more := {pid for pid, parent in parents.items() if parent in family and pid not in family}:
            family |= more
        return sum(pss_kb(pid) for pid in family) / 1024

    def own_memory_mb(self) -> float:
        """PSS of the cloud alone, whatever its workers hold."""
        return pss_kb(self._process.pid) / 1024

    def wait(self, probe: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not probe():
            if time.monotonic() > deadline:
                raise SystemExit("the offline cloud did not get there within 120 s")
            time.sleep(0.05)

    def stack_settled(self, stack_id: str) -> str:
        """Wait for a stack's operation; returns the status."""
        client = self.client("cloudformation")
        while True:
            status: str = client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.05)

    def deployment_group(self, name: str) -> None:
        """A CodeDeploy application and group of this name: 10 percent for a minute, then all."""
        client = self.client("codedeploy")
        client.create_deployment_config(
            deploymentConfigName=name,
            computePlatform="Lambda",
            trafficRoutingConfig={
                "type": "TimeBasedCanary",
                "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 1},
            },
        )
        client.create_application(applicationName=name, computePlatform="Lambda")
        client.create_deployment_group(
            applicationName=name,
            deploymentGroupName=name,
            deploymentConfigName=name,
            serviceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}",
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        )

    def deploy(self, name: str, alias: str, current: str, target: str) -> str:
        """Begin to shift the alias of the function ``name``; returns the deployment's id."""
        properties = {"Name": name, "Alias": alias, "CurrentVersion": current, "TargetVersion": target}
        content = {
            "version": 0.0,
            "Resources": [{name: {"Type": "AWS::Lambda::Function", "Properties": properties}}],
        }
        deployment: str = self.client("codedeploy").create_deployment(
            applicationName=name,
            deploymentGroupName=name,
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}},
        )["deploymentId"]
        return deployment


def rest_api(cloud: BenchCloud, function: str, alias: str) -> str:
    """A REST API whose root hands GET to an alias; returns its URL."""
    client = cloud.client("apigateway")
    api = client.create_rest_api(name=function)
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}:{alias}"
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(
        **place,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    client.create_deployment(restApiId=api["id"], stageName="prod")
    cloud.client("lambda").add_permission(
        FunctionName=function,
        Qualifier=alias,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    return f"{cloud.url}/_gateway/{api['id']}/prod/"


def zip_of(files: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return target.getvalue()


def running_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def parent_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rsplit(")", 1)[1].split()[1])


def pss_kb(pid: int) -> int:
    """What the process holds of memory, shared pages by share; 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
