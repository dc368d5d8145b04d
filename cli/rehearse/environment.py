"""Where a rehearsal plays: a cloud of its own, two releases into it, and nothing left of it afterwards."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from serinus.cli import cdk, offline_process
from serinus.cli.commands.build import register_twins
from serinus.cli.commands.local import played_by
from serinus.cli.offline_process import Course, RunningCloud
from serinus.cli.rehearse.assemblies import ASSEMBLY, command
from serinus.cli.rehearse.background import Background, undisturbed
from serinus.cli.rehearse.workspace import Scratch
from serinus.cli.target import Target
from serinus.lambda_handlers.contract.build import BUILD_DIR, read_build
from serinus.offline.client.shell import shielded

#: The offline cloud's word for every version of a function that has no fault of its own.
ALL_VERSIONS = "*"
_LOOK_EVERY_S = 0.02
#: Real seconds for ending in order; nothing of this cloud is kept, so it need not be waited for longer.
_STOP_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running cloud for the copy in ``scratch``, and the process that makes its assemblies."""

    scratch: Scratch
    cloud: RunningCloud
    target: Target
    assembling: Background

    def throw(self, seed: int) -> None:
        """Begin the dice of alias weights and faults anew."""
        self._ask("PUT", "dice", {"seed": seed})

    def order_fault(self, function: str, stable: str, fault: Mapping[str, Any]) -> None:
        """From now on every version of ``function`` has ``fault`` and no other, but for ``stable``."""
        self._ask("DELETE", f"faults?function={function}", None)
        for version, what in ((stable, {}), (ALL_VERSIONS, fault)):
            self._ask("PUT", "faults", {"function": function, "version": version, **what})

    def recycle(self, function: str, version: str) -> None:
        """Take the environments of one version away once they are free, as Lambda does from time to time."""
        self._ask("POST", "faults/recycle-workers", {"function": function, "version": version})

    def await_assembly(self, name: str) -> None:
        """Wait until the release's assembly is there; `CliError` when it could not be made."""
        while not (self.scratch.releases[name].project / ASSEMBLY).exists():
            if self.assembling.exit_code is not None:
                self.assembling.require_success()
            time.sleep(_LOOK_EVERY_S)

    def register_twins(self) -> None:
        """Tell the cloud which layers to run in place of those for another platform."""
        register_twins(
            self.cloud.own_api(), self.scratch.folder / BUILD_DIR, read_build(self.scratch.folder / BUILD_DIR)
        )

    def await_stack(self, deploying: Background) -> None:
        """Wait until the stack is deployed; `CliError` when the CLI says that it cannot be."""
        describe = self.target.client("cloudformation").describe_stacks
        while deploying.exit_code is None:
            with contextlib.suppress(botocore.exceptions.ClientError):  # until it exists
                status = describe(StackName=self.scratch.endpoint.stack_name)["Stacks"][0]["StackStatus"]
                # The CLI looks only every five seconds, but says best why it failed.
                if status == "CREATE_COMPLETE":
                    return
            time.sleep(_LOOK_EVERY_S * 5)
        deploying.require_success()

    @contextmanager
    def deploying(self, name: str) -> Iterator[Background]:
        """The CDK CLI, at work on the release's assembly."""
        release = self.scratch.releases[name]
        arguments = ["deploy", self.scratch.endpoint.stack_name, "--app", str(release.project / ASSEMBLY)]
        # Without a change set: nobody is asked to approve it, and it is waited for.
        arguments += ["--method", "direct", "--progress", "events", "--require-approval", "never"]
        command, environment = cdk.prepare(self.scratch.folder, arguments, self.target.environment())
        # Not in the project: its cdk.json would have the CLI build once more.
        running = Background(command, self.scratch.folder, environment, release.project / "deploy.log")
        try:
            yield running
        finally:
            running.end()

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> None:
        self.cloud.own_api().request(method, f"/{path}", json=body).raise_for_status()


@contextmanager
def stage(project: Path, scratch: Scratch, *, seed: int | None, metric_delay_s: float) -> Iterator[Stage]:
    """An empty cloud for ``scratch`` that plays the environment's account and region, stopped afterwards. Metrics
    are seen ``metric_delay_s`` cloud seconds late.

    Its time is real at first: what a deploy takes of this machine must not count as minutes of its time limits.
    """
    place = played_by(project, scratch.environment)
    course = Course(seed=seed, metric_delay_s=metric_delay_s)
    projects = [release.project for release in scratch.releases.values()]
    making = command(scratch.environment, projects)
    # The CDK library leaves its temporary files behind when it is ended.
    temporary = scratch.folder / "tmp"
    temporary.mkdir()
    environment = {**shielded(os.environ), "TMPDIR": str(temporary)}
    assembling = Background(making, scratch.folder, environment, scratch.folder / "assemblies.log")
    cloud: RunningCloud | None = None
    try:
        cloud = offline_process.start(scratch.folder, port=free_port(), place=place, speed=1, course=course)
        yield Stage(scratch, cloud, Target(cloud), assembling)
    finally:
        with undisturbed():
            assembling.end()
            if cloud is not None:
                offline_process.stop(scratch.folder, cloud, _STOP_PATIENCE_S)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
