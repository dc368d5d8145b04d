"""The environment of a rehearsal: a cloud of its own and two releases into it, removed afterwards."""

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
from serinus.cli.layer_twins import register_twins
from serinus.cli.offline_process import RunningCloud, SimulationOptions, cloud_identity
from serinus.cli.rehearse.assemblies import ASSEMBLY, command
from serinus.cli.rehearse.background import BackgroundProcess, interrupts_ignored
from serinus.cli.rehearse.workspace import Workspace
from serinus.cli.target import CloudTarget
from serinus.lambda_handlers.contract.build import BUILD_DIR, read_build
from serinus.offline.client.shell import shielded

#: The offline cloud's name for every version of a function that has no fault of its own.
ALL_VERSIONS = "*"
_LOOK_EVERY_S = 0.02
#: The folder, in the workspace, of other programs' temporary files.
TEMPORARY = "tmp"
#: Real seconds to stop in; nothing of this cloud is kept.
_STOP_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class RehearsalEnvironment:
    """A running cloud for the copy in ``workspace``, and the process that creates its assemblies."""

    workspace: Workspace
    cloud: RunningCloud
    target: CloudTarget
    assembly_process: BackgroundProcess

    def reseed(self, seed: int) -> None:
        """Seed the random choices of alias weights and faults again."""
        self._request("PUT", "dice", {"seed": seed})

    def set_fault(self, function: str, stable: str, fault: Mapping[str, Any]) -> None:
        """From now on every version of ``function`` has ``fault`` and no other, but for ``stable``."""
        self._request("DELETE", f"faults?function={function}", None)
        for version, effect in ((stable, {}), (ALL_VERSIONS, fault)):
            self._request("PUT", "faults", {"function": function, "version": version, **effect})

    def recycle(self, function: str, version: str) -> None:
        """Remove the idle environments of one version, as Lambda does from time to time."""
        self._request("POST", "faults/recycle-workers", {"function": function, "version": version})

    def wait_for_assembly(self, name: str) -> None:
        """Wait until the release's assembly exists; raises `CliError` if it could not be created."""
        while not (self.workspace.releases[name].project / ASSEMBLY).exists():
            if self.assembly_process.exit_code is not None:
                self.assembly_process.require_success()
            time.sleep(_LOOK_EVERY_S)

    def register_twins(self) -> None:
        """Register the layers that the cloud runs in place of those for another platform."""
        register_twins(
            self.cloud.own_api(), self.workspace.folder / BUILD_DIR, read_build(self.workspace.folder / BUILD_DIR)
        )

    def wait_for_stack(self, deploying: BackgroundProcess) -> None:
        """Wait until the stack is deployed; `CliError` when the CLI says that it cannot be."""
        describe = self.target.client("cloudformation").describe_stacks
        while deploying.exit_code is None:
            with contextlib.suppress(botocore.exceptions.ClientError):  # until it exists
                status = describe(StackName=self.workspace.endpoint.stack_name)["Stacks"][0]["StackStatus"]
                # The CLI looks only every five seconds, but says best why it failed.
                if status == "CREATE_COMPLETE":
                    return
            time.sleep(_LOOK_EVERY_S * 5)
        deploying.require_success()

    @contextmanager
    def deploying(self, name: str) -> Iterator[BackgroundProcess]:
        """The CDK CLI, at work on the release's assembly."""
        release = self.workspace.releases[name]
        arguments = ["deploy", self.workspace.endpoint.stack_name, "--app", str(release.project / ASSEMBLY)]
        # Without a change set: it would need approval, and the CLI waits for it.
        arguments += ["--method", "direct", "--progress", "events", "--require-approval", "never"]
        variables = {**self.target.environment(), "TMPDIR": str(self.workspace.folder / TEMPORARY)}
        command, environment = cdk.prepare(self.workspace.folder, arguments, variables)
        # Not in the project: its cdk.json would make the CLI build again.
        running = BackgroundProcess(command, self.workspace.folder, environment, release.project / "deploy.log")
        try:
            yield running
        finally:
            running.end()

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> None:
        self.cloud.own_api().request(method, f"/{path}", json=body).raise_for_status()


@contextmanager
def rehearsal_environment(
    project: Path,
    workspace: Workspace,
    *,
    seed: int | None,
    metric_delay_s: float,
    readings: Mapping[str, str] | None = None,
    keep_cloud: bool = False,
) -> Iterator[RehearsalEnvironment]:
    """An empty cloud for ``workspace`` with the environment's account and region, stopped afterwards; with
    ``keep_cloud`` only if the block fails. Metrics appear ``metric_delay_s`` cloud seconds late, unless
    ``readings`` say otherwise.

    Its time is real at first: the duration of a deploy on this machine must not count as minutes of time limits.
    """
    identity = cloud_identity(project, workspace.environment)
    simulation = SimulationOptions(seed=seed, metric_delay_s=metric_delay_s, readings=readings or {})
    projects = [release.project for release in workspace.releases.values()]
    making = command(workspace.environment, projects)
    # The CDK library leaves its temporary files behind when it is ended.
    temporary = workspace.folder / TEMPORARY
    temporary.mkdir()
    environment = {**shielded(os.environ), "TMPDIR": str(temporary)}
    assembly_process = BackgroundProcess(
        making, workspace.folder, environment, workspace.folder / "assemblies.log"
    )
    cloud: RunningCloud | None = None
    succeeded = False
    try:
        cloud = offline_process.start(
            workspace.folder,
            port=free_port(),
            identity=identity,
            speed=1,
            simulation=simulation,
            end_with_this=True,
        )
        yield RehearsalEnvironment(workspace, cloud, CloudTarget(cloud), assembly_process)
        succeeded = True
    finally:
        with interrupts_ignored():
            assembly_process.end()
            if cloud is not None and succeeded and keep_cloud:
                offline_process.keep(cloud)
            elif cloud is not None:
                offline_process.stop(workspace.folder, cloud, _STOP_PATIENCE_S)


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
