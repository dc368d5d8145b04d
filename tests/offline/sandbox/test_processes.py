"""No process is left behind, however the cloud ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serinus.offline.client.own_api import OwnApi
from serinus.offline.core.root_key import RootKey

pytestmark = pytest.mark.slow

ENDLESS = "import os, time\ndef handler(event, context):\n    while True:\n        time.sleep(0.1)\n"
CLOUD = """
import sys, threading, time
from serinus.offline.core.config import CloudConfig
from serinus.offline.cloud.serve import running
import boto3, io, json, zipfile
target = io.BytesIO()
with zipfile.ZipFile(target, "w") as archive:
    archive.writestr("app.py", sys.argv[1])
with running(CloudConfig(port=0)) as cloud:
    role = cloud.client("iam").create_role(RoleName="rr", AssumeRolePolicyDocument=json.dumps(
        {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                        "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
    functions = cloud.client("lambda")
    functions.create_function(FunctionName="endless", Runtime="python3.13", Role=role, Handler="app.handler",
                              Code={"ZipFile": target.getvalue()}, Timeout=900)
    functions.invoke(FunctionName="endless", InvocationType="Event")
    key = cloud.config.root_key
    print(cloud.config.endpoint_url, key.access_key_id, key.secret_access_key, flush=True)
    sys.stdin.read()
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(condition, what: str):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true")


@pytest.fixture
def busy_cloud():
    """A cloud in a process of its own with one worker that never ends by itself: (process, worker's pid)."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CLOUD, ENDLESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    url, key_id, secret = process.stdout.readline().split()
    own_api = OwnApi(url, RootKey(key_id, secret))

    def busy():
        workers = own_api.get("/lambda/workers").json()["workers"]
        return workers and workers[0]["pid"] and workers

    pid = wait_until(busy, "a busy worker")[0]["pid"]
    assert alive(pid)
    yield process, pid
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_workers_end_with_the_cloud(busy_cloud):
    process, worker = busy_cloud
    process.stdin.close()
    process.wait(timeout=30)
    assert not alive(worker)


def test_workers_end_when_the_cloud_is_killed(busy_cloud):
    process, worker = busy_cloud
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    wait_until(lambda: not alive(worker), "the worker's end")
