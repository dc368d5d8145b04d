"""The offline cloud of a test session: a process of its own, `host`, which ends when the tests do.

The host notices the end of its standard input, a pipe that only the tests' process holds. So the cloud and all
that it runs ends with the tests, also if they are killed.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from serinus.cli.target import CloudTarget

#: Real seconds in which the host stops the cloud and removes its folders.
END_PATIENCE_S = 30.0
#: What a rehearsal printed, in its folder.
RESULT, REHEARSE_LOG = "result.json", "rehearse.log"


class SessionCloud:
    """A running cloud. ``project`` and ``environment`` are those of the endpoints that are deployed into it,
    ``folder`` holds its files and ``log`` the output of its host."""

    def __init__(self, host: "subprocess.Popen[str]", folder: Path, log: Path) -> None:
        self._host = host
        self._orders = 0
        self.folder, self.log = folder, log
        started = self._answer()
        self.project = Path(started["project"])
        #: None where no environment was chosen.
        self.environment: str | None = started["environment"]
        #: The names of the project's endpoints.
        self.endpoints: tuple[str, ...] = tuple(started["endpoints"])
        self._cloud: dict[str, Any] = started["cloud"]

    def __repr__(self) -> str:
        return f"<the offline cloud at {self.url}>"

    @property
    def url(self) -> str:
        """The address for calls of AWS's APIs; an endpoint's is `endpoint.url`."""
        return f"http://127.0.0.1:{self._cloud['port']}"

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud, such as ``client("cloudwatch")``."""
        return self.target().client(service)

    def variables(self) -> dict[str, str]:
        """The environment variables with which another program uses this cloud instead of AWS."""
        return self.target().environment()

    def deploy(self, name: str) -> dict[str, Any]:
        """Deploy endpoint ``name``: its deployed form, some rows, and a token if it requires one."""
        return self._order({"deploy": name})

    def rehearse(self, options: Sequence[str], folder: Path) -> None:
        """Run `serinus rehearse` with ``options``, which writes `RESULT` and `REHEARSE_LOG` into ``folder``."""
        self._order({"rehearse": list(options), "folder": str(folder)})

    def _order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        self._orders += 1
        assert self._host.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, which reading its answer reports
            self._host.stdin.write(json.dumps({"id": self._orders, **order}) + "\n")
            self._host.stdin.flush()
        return self._answer()

    def target(self) -> "CloudTarget":
        from serinus.cli.offline_process import RunningCloud
        from serinus.cli.target import CloudTarget
        from serinus.offline.core.root_key import RootKey

        return CloudTarget(RunningCloud(**self._cloud | {"key": RootKey(**self._cloud["key"])}))

    def _answer(self) -> dict[str, Any]:
        """The host's answer to the last order; ends the test where it is an error."""
        assert self._host.stdout is not None
        answer: dict[str, Any] = {}
        # The answer to an order of a test that was interrupted may come first.
        while answer.get("id") != self._orders:
            line = self._host.stdout.readline()
            if not line:
                fail(f"the process that runs the tests' offline cloud ended. Its output: {last_line(self.log)}")
            answer = json.loads(line)
        if "skip" in answer:
            pytest.skip(answer["skip"])
        if "error" in answer:
            fail(answer["error"])
        return answer


@contextmanager
def session_cloud(start: Path, environment: str | None, folder: Path) -> Iterator[SessionCloud]:
    """The cloud for the project in ``start`` or above it, ended with the block; its files are in ``folder``."""
    temporary = folder / "tmp"
    temporary.mkdir()
    log = folder / "host.log"
    command = [sys.executable, "-P", "-m", "serinus.testing.host", str(start), str(folder), environment or ""]
    with log.open("wb") as output:
        host = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            encoding="utf-8",
            # Files that a killed process leaves behind are then removed with pytest's.
            env={**os.environ, "TMPDIR": str(temporary)},
            # Ctrl-C reaches it through the tests' process alone, which cleans up first.
            start_new_session=True,
        )
    try:
        yield SessionCloud(host, folder, log)
    finally:
        assert host.stdin is not None
        assert host.stdout is not None
        host.stdin.close()
        try:
            host.wait(2 * END_PATIENCE_S)
        except subprocess.TimeoutExpired:
            host.kill()
            host.wait()
        host.stdout.close()


def fail(message: str) -> NoReturn:
    """End the test with ``message`` alone: a traceback would show code of ours."""
    pytest.fail(message, pytrace=False)


def last_line(log: Path) -> str:
    """The last line of ``log``, and where the others are."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'none'} (log: {log})"
