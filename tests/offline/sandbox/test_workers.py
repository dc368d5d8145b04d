"""How many workers there are, and for how long: this machine's limit, idleness, replacement."""

import asyncio
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

pytestmark = pytest.mark.slow

TRUST = {
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ]
}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
WHO = "import os, time\ndef handler(event, context):\n    time.sleep(event.get('s', 0))\n    return os.getpid()\n"


class SmallCloud:
    """A cloud with room for one worker whose clock stands still."""

    def __init__(self, cloud, zip_of, role_name):
        self.cloud = cloud
        self._zip = zip_of({"app.py": WHO})
        self.functions, iam = cloud.client("lambda"), cloud.client("iam")
        role = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.attach_role_policy(RoleName=role_name, PolicyArn=ADMINISTRATOR)
        self._role = role["Role"]["Arn"]

    def deploy(self, name: str, **configuration) -> str:
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self._role,
            Handler="app.handler",
            Code={"ZipFile": self._zip},
            **{"Timeout": 10, **configuration},
        )
        return name

    def pid(self, name: str, seconds: float = 0.0) -> int:
        payload = json.dumps({"s": seconds}).encode()
        pid: int = json.loads(self.functions.invoke(FunctionName=name, Payload=payload)["Payload"].read())
        return pid

    def workers(self) -> list[dict[str, Any]]:
        workers: list[dict[str, Any]] = self.cloud.own_api().get("/lambda/workers").json()["workers"]
        return workers

    def pids(self) -> list[int]:
        return [worker["pid"] for worker in self.workers()]

    def advance(self, seconds: float) -> None:
        """Step the clock once every worker has asked for its next invocation."""
        while any(worker["busy"] for worker in self.workers()):
            time.sleep(0.01)
        asyncio.run_coroutine_threadsafe(self.cloud.clock.advance(seconds), self.cloud.loop).result(timeout=30)


@pytest.fixture(scope="module")
def small(zip_of):
    with running(CloudConfig(port=0, max_workers=1, clock_factor=0)) as cloud:
        yield SmallCloud(cloud, zip_of, f"small-cloud-{os.getpid()}")


def test_requests_beyond_the_machines_limit_wait_their_turn(small):
    name = small.deploy("queued")
    with ThreadPoolExecutor(4) as threads:
        pids = set(threads.map(lambda _: small.pid(name, 0.05), range(4)))
    assert len(pids) == 1


def test_a_request_waits_at_most_its_functions_timeout(small):
    slow, hurried = small.deploy("slow"), small.deploy("hurried", Timeout=1)
    with ThreadPoolExecutor(1) as threads:
        busy = threads.submit(small.pid, slow, 4)
        while not any(worker["function"] == slow for worker in small.workers()):
            assert not busy.done()
            time.sleep(0.01)
        with pytest.raises(small.functions.exceptions.TooManyRequestsException, match="workers of this machine"):
            small.pid(hurried)
        busy.result()


def test_an_idle_worker_of_another_function_gives_way(small):
    first, second = small.deploy("first"), small.deploy("second")
    before = small.pid(first)
    assert small.pid(second) not in (None, before)
    assert small.pid(first) != before


def test_idle_workers_end_after_cloud_minutes(small):
    name = small.deploy("resting")
    before = small.pid(name)
    small.advance(300)
    assert small.pid(name) == before
    small.advance(1200)
    assert before not in small.pids()
    assert small.pid(name) != before


def test_a_changed_configuration_takes_new_workers(small):
    name = small.deploy("changing")
    before = small.pid(name)
    small.functions.update_function_configuration(FunctionName=name, MemorySize=256)
    assert small.pid(name) != before


def test_the_workers_of_a_deleted_function_end(small):
    name = small.deploy("leaving")
    pid = small.pid(name)
    small.functions.delete_function(FunctionName=name)
    assert pid not in small.pids()
