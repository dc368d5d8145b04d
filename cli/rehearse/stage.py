"""Where a rehearsal plays: a cloud of its own, two releases into it, and nothing left of it afterwards."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import cdk, clouds
from cli.clouds import Course, RunningCloud
from cli.errors import CliError
from cli.local import played_by
from cli.rehearse.scratch import Scratch
from cli.target import Target

#: Cloud seconds until a metric is seen, as on AWS, where alarms lag what they watch.
METRIC_DELAY_S = 30.0
_END_PATIENCE_S = 10.0


class CdkRun:
    """The CDK CLI at work in a process group of its own, so that it ends when the rehearsal does."""

    def __init__(self, folder: Path, arguments: list[str], project: Path, cloud: RunningCloud, log: Path) -> None:
        self.log = log
        command, environment = cdk.prepare(project, arguments, cloud.environment())
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def require_success(self) -> None:
        """Wait for the end; `CliError` with the CLI's last words unless it went well."""
        if self._process.wait() != 0:
            raise CliError(f"the CDK CLI could not prepare the rehearsal:\n{cdk.last_lines(self.log)}")

    def end(self) -> None:
        """End it, wherever it is."""
        for strength in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, strength)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Stage:
    """A running cloud for the copy in ``scratch``."""

    scratch: Scratch
    cloud: RunningCloud
    target: Target

    def order_fault(self, function: str, stable: str, fault: dict[str, Any]) -> None:
        """From now on every version of ``function`` has ``fault``, but for ``stable``."""
        import httpx

        for version, what in ((stable, {}), ("*", fault)):
            httpx.put(
                f"{self.cloud.url}/_offline/faults",
                json={"function": function, "version": version, **what},
                timeout=10,
                trust_env=False,
            ).raise_for_status()

    def synthesizing(self, name: str) -> AbstractContextManager[CdkRun]:
        """Build and synthesize the copy as it is now into assembly ``name``, as `cdk deploy` would first."""
        return self._run(self.scratch.folder, name, ["synth", "--quiet", "-o", name])

    def deploying(self, name: str) -> AbstractContextManager[CdkRun]:
        """Deploy assembly ``name``."""
        # Beside the copy: its cdk.json would have the CLI build once more.
        elsewhere = self.scratch.folder / clouds.FOLDER
        arguments = ["deploy", self.scratch.endpoint.stack_name, "--app", str(self.scratch.folder / name)]
        return self._run(elsewhere, name, [*arguments, "--progress", "events", "--require-approval", "never"])

    @contextmanager
    def _run(self, folder: Path, name: str, arguments: list[str]) -> Iterator[CdkRun]:
        log = self.scratch.folder / f"{name}-{arguments[0]}.log"
        environment = ["-c", f"env={self.scratch.environment}"]
        run = CdkRun(folder, [*arguments, *environment], self.scratch.folder, self.cloud, log)
        try:
            yield run
        finally:
            run.end()


@contextmanager
def stage(project: Path, scratch: Scratch, *, seed: int | None) -> Iterator[Stage]:
    """An empty cloud for ``scratch`` that plays the environment's account and region, stopped afterwards.

    Its time is real at first: what a deploy takes of this machine must not count as minutes of its time limits.
    """
    place = played_by(project, scratch.environment)
    course = Course(seed=seed, metric_delay_s=METRIC_DELAY_S)
    cloud = clouds.start(scratch.folder, port=free_port(), place=place, speed=1, course=course)
    try:
        target = Target(cloud)
        yield Stage(scratch, cloud, target)
    finally:
        clouds.stop(scratch.folder, cloud)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
