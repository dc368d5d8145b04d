"""SnapStart: what the snapshot may hold, and that what resumes it is not the same twice."""

import io
import json
import os
import random
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serinus.lambda_handlers.inference import snapshot
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "tests" / "events"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
#: What reads credentials and keeps connections.
CLIENTS = {"boto3", "botocore", "urllib3"}
PROGRAM = """
import json, os, sys
from serinus.lambda_handlers.inference.handler import handler
after_import = set(sys.modules)
from snapshot_restore_py import get_after_restore, get_before_snapshot
hooks = [len(get_before_snapshot()), len(get_after_restore())] if "snapshot_restore_py" in after_import else None
from serinus.lambda_handlers.inference import snapshot
snapshot._import_app()
sockets = [link for link in map(lambda n: os.readlink(f"/proc/self/fd/{n}") if os.path.exists(f"/proc/self/fd/{n}")
           else "", os.listdir("/proc/self/fd")) if link.startswith("socket:")] if sys.platform == "linux" else []
json.dump({"hooks": hooks, "imported": sorted(after_import), "held": sorted(sys.modules), "sockets": sockets},
          sys.stdout)
"""
#: The real handler, whose snapshots all hold the same random state, as clones of one would: seeded alike by what
#: runs last before the snapshot (hooks before it run in the reverse order of their registration).
CLONED = f"""
import os, random, sys, time, uuid
sys.path += {[str(ROOT), sysconfig.get_paths()["purelib"]]!r}
import numpy as np
from snapshot_restore_py import register_before_snapshot
register_before_snapshot(lambda: (random.seed(42), np.random.seed(42)))
os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = os.environ.get("PRETEND", "snap-start")
from serinus.lambda_handlers.inference.handler import handler as endpoint
os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"

def handler(event, context):
    time.sleep(1)
    return {{"random": random.random(), "numpy": np.random.random_sample(), "uuid": str(uuid.uuid4()),
             "request": context.aws_request_id, "status": endpoint(event, context)["statusCode"]}}
"""


def run_init(folder: Path, kind: str) -> dict[str, Any]:
    """What a fresh process holds after init of ``kind`` and the hooks before a snapshot."""
    environ = {**os.environ, "SERINUS_MODEL_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = kind
    command = [sys.executable, "-c", PROGRAM]
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=120)
    held: dict[str, Any] = json.loads(found.stdout)
    return held


def test_hooks_are_loaded_under_snapstart_only(churn: Path) -> None:
    assert run_init(churn, "on-demand")["hooks"] is None
    assert run_init(churn, "snap-start")["hooks"] == [2, 2]


def test_the_snapshot_holds_the_application_and_nothing_that_ages(churn: Path) -> None:
    held = run_init(churn, "snap-start")
    assert "fastapi" not in held["imported"]
    assert "fastapi" in held["held"]
    assert CLIENTS.isdisjoint(held["held"])
    assert held["sockets"] == []


def test_a_restore_draws_every_loaded_generator_anew() -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.Random(1).random(), float(np.random.RandomState(1).random_sample())
    snapshot.reseed()
    assert random.random() != expected[0]
    assert float(np.random.random_sample()) != expected[1]


@pytest.fixture(scope="module")
def functions() -> Iterator[Any]:
    """A Lambda client of a cloud of our own."""
    with running(CloudConfig(port=0)) as cloud:
        client = cloud.client("lambda")
        principal = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
        iam = cloud.client("iam")
        client.role = iam.create_role(RoleName="any", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        yield client


def restore_twice(functions: Any, name: str, folder: Path, **variables: str) -> list[dict[str, Any]]:
    """Answers of two environments that were restored from one version's snapshot."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", CLONED)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=functions.role,
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"SERINUS_MODEL_DIR": str(folder), **variables}},
        SnapStart={"ApplyOn": "PublishedVersions"},
        Timeout=20,
        MemorySize=512,
        Publish=True,
    )
    version = {"FunctionName": name, "Qualifier": "1"}
    functions.get_waiter("published_version_active").wait(**version, WaiterConfig={"Delay": 1})
    event = (EVENTS / "rest_predict.json").read_bytes()
    with ThreadPoolExecutor(2) as threads:  # at once, so that one environment cannot serve both
        answers = threads.map(lambda _: functions.invoke(**version, Payload=event), range(2))
        return [json.loads(answer["Payload"].read()) for answer in answers]


def test_without_the_hooks_two_restores_draw_the_same_numbers(functions: Any, churn: Path) -> None:
    first, second = restore_twice(functions, "cloned", churn, PRETEND="on-demand")
    assert (first["random"], first["numpy"]) == (second["random"], second["numpy"])


def test_with_the_hooks_ids_and_random_streams_of_two_restores_differ(functions: Any, churn: Path) -> None:
    first, second = restore_twice(functions, "reseeded", churn)
    assert first["status"] == second["status"] == 200
    for stream in ("random", "numpy", "uuid", "request"):
        assert first[stream] != second[stream], stream
