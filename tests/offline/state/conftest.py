"""A cloud as a process of its own with a state folder, which tests kill and start again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from serinus.offline.__main__ import main
from serinus.offline.client.own_api import OwnApi
from serinus.offline.core.root_key import RootKey

REGION = "us-east-1"


class CloudProcess:
    """``python -m serinus.offline --state``: start, kill, start again; each start may take another port."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self._credentials = state.parent / "credentials"

    def start(self, *arguments: str) -> None:
        log = self.state.parent / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, *self._options(), *arguments],
                stdout=subprocess.PIPE,
                stderr=output,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode().strip()
        assert line.startswith("http://"), log.read_text()
        self.url = line
        assert self.health()["status"] == "ready"

    def _options(self) -> list[str]:
        return ["--state", str(self.state), "--port", "0", "--credentials", str(self._credentials)]

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.url}/_offline/health", trust_env=False, timeout=30).json()
        return answer

    def set_speed(self, factor: float) -> None:
        """Let ``factor`` cloud seconds pass in a real one from now on."""
        OwnApi(self.url, self.key).post("/clock", {"factor": factor}).raise_for_status()

    def kill(self) -> None:
        """kill -9: nothing is tidied up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def stop(self) -> None:
        """SIGTERM, and wait until it has stopped by itself."""
        assert self.process is not None
        self.process.terminate()
        self.end()

    def end(self) -> None:
        assert self.process is not None
        self.process.wait(timeout=60)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key.access_key_id,
            aws_secret_access_key=self.key.secret_access_key,
        )

    @property
    def key(self) -> RootKey:
        """The owner's, the same after each start."""
        return RootKey.read(self._credentials)

    def settled(self) -> None:
        """Wait until what was just done is on disk."""
        begun = time.time()
        while self._written() < begun:
            assert time.time() < begun + 60, "the state is not written"
            time.sleep(0.02)

    def _written(self) -> float:
        """When the state on disk was current, in real epoch seconds."""
        manifest = self.state / "manifest.json"
        return float(json.loads(manifest.read_text())["written"]) if manifest.exists() else 0.0


#: Prints where the cloud listens once the port is known.
LAUNCHER = """
import sys
from serinus.offline.cloud import serve as serving

bind = serving.bind

def told(config):
    listener = bind(config)
    print("http://%s:%d" % listener.getsockname(), flush=True)
    return listener

serving.bind = told
from serinus.offline.__main__ import main
sys.exit(main())
"""


def everything_in(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, time of change and content of ``root`` and all below it (links: the target); names only of /."""
    if root == Path("/"):
        return {str(path): (0, 0, b"") for path in root.iterdir()}
    listed = {}
    for path in [root, *root.rglob("*")]:
        status, content = path.lstat(), b""
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        listed[str(path)] = (status.st_mode, status.st_mtime_ns, content)
    return listed


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[Path], str]]:
    """Runs the command on a state folder that it must refuse and leave as it is; returns its one line."""
    environment, mask = dict(os.environ), os.umask(0o077)

    def run(state: Path) -> str:
        before = everything_in(state.parent)
        monkeypatch.setattr(sys, "argv", ["offline", "--port", "0", "--state", str(state)])
        assert main() == 1
        assert everything_in(state.parent) == before
        (line,) = capsys.readouterr().err.splitlines()
        return line

    yield run
    os.umask(mask)
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture
def cloud_process(tmp_path: Path) -> Iterator[CloudProcess]:
    """A cloud that is not yet started; killed at the end."""
    yield from _until_killed(CloudProcess(tmp_path / "state"))


@pytest.fixture(scope="module")
def shared_cloud_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """One for all tests of a module."""
    yield from _until_killed(CloudProcess(tmp_path_factory.mktemp("cloud") / "state"))


def _until_killed(process: CloudProcess) -> Iterator[CloudProcess]:
    yield process
    if process.process is not None and process.process.poll() is None:
        process.kill()


@pytest.fixture(scope="session")
def role() -> Callable[[CloudProcess], str]:
    """Makes a role for functions and returns its ARN."""

    def make(cloud: CloudProcess) -> str:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": ["lambda.amazonaws.com", "codedeploy.amazonaws.com"]},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        made = cloud.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps(trust))
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        cloud.client("iam").put_role_policy(RoleName="runs", PolicyName="everything", PolicyDocument=document)
        arn: str = made["Role"]["Arn"]
        return arn

    return make


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Calls a probe until it returns something true, and returns that."""

    def wait(probe: Callable[[], Any], within_s: float = 60) -> Any:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"what was waited for did not happen within {within_s} seconds")

    return wait
