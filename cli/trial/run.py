"""A trial from a model's file to the endpoint that serves it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.cli import cdk, offline_process
from serinus.cli.endpoints import Endpoint, curl_line, find_endpoint
from serinus.cli.errors import CliError, ToolFailed
from serinus.cli.node import NODE_REMEDY, NODE_REQUIREMENT, node_version
from serinus.cli.offline_process import RunningCloud
from serinus.cli.prediction.sending import EndpointClient
from serinus.cli.rehearse.assemblies import ASSEMBLY
from serinus.cli.rehearse.environment import RehearsalEnvironment, rehearsal_environment
from serinus.cli.rehearse.run import deploy_stable
from serinus.cli.rehearse.workspace import STABLE, Workspace, WorkspaceRelease
from serinus.cli.request_auth import auth_for
from serinus.cli.target import CloudTarget
from serinus.cli.trial import project as trial_project
from serinus.cli.trial.comparison import ComparedRow, compare_rows
from serinus.cli.trial.folder import kept_folder
from serinus.cli.trial.stages import TrialStages
from serinus.infra.names import LOCAL_ENVIRONMENT, SETTINGS
from serinus.infra.settings import load_settings
from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.hooks.probe import Expectation
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.supervised.supervisor import Packer
from serinus.modelpack.temporary_folder import TemporaryFolder

#: Rows that are predicted, so that the comparison fits a screen.
ROWS = 3
#: A longer request is read by curl from a file: it would fill a screen.
_LONGEST_BODY = 200
REQUEST = "request.json"
_BOOTSTRAP_LOG = "bootstrap.log"
#: What the first deploy leaves in the project, beside what `serinus deploy` does.
_LEFTOVERS = ("assemblies.log", _BOOTSTRAP_LOG, "deploy.log")


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """What to try: a model's ``source`` and a ``sample`` as `serinus package` reads them. ``keep`` is the folder
    in which the project stays, with its cloud; None to leave nothing."""

    source: Path
    name: str
    sample: Path | None
    target: str | None
    drop: tuple[str, ...]
    keep: Path | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A running endpoint, and what it predicted; ``project`` is its folder, ``curl`` a command that calls it."""

    project: Path
    cloud: RunningCloud
    endpoint: Endpoint
    rows: tuple[ComparedRow, ...]
    curl: str


@contextmanager
def run_trial(options: TrialOptions, stages: TrialStages) -> Iterator[Trial]:
    """Package, deploy and predict. Unless ``keep`` is set, the cloud and the project are gone after the block;
    after a failure they always are."""
    _require_tools()
    with TemporaryFolder("-try") if options.keep is None else kept_folder(options.keep) as folder:
        trial_project.write_project(folder, options.name)
        _provide_cli(folder, stages)
        packed = _package(options, folder, stages)
        with ExitStack() as stack:
            workspace = _as_workspace(folder, packed)
            with stages.running("start an offline cloud of its own"):
                running = rehearsal_environment(
                    folder, workspace, seed=None, metric_delay_s=0, keep_cloud=options.keep is not None
                )
                environment = stack.enter_context(running)
            with stages.running("build layers, bootstrap and deploy with the stock CDK CLI"):
                _deploy(environment, stages)
            with stages.running("predict over HTTP"):
                trial = _predict(environment)
            _remove_leftovers(folder)
            yield trial


def _require_tools() -> None:
    offline_process.require_extra()
    version, enough = node_version()
    if not enough:
        raise CliError(f"{NODE_REQUIREMENT}, is missing ({version}): {NODE_REMEDY}.")


def _provide_cli(folder: Path, stages: TrialStages) -> None:
    installed = trial_project.installed_cli(folder)
    if installed is None:
        version = cdk.pinned_version(folder)
        with stages.running(f"install the CDK CLI {version} with npm, once for all trials"):
            installed = trial_project.install_cli(folder)
    trial_project.link_cli(folder, installed)


def _package(options: TrialOptions, folder: Path, stages: TrialStages) -> PackageResult:
    request = PackageRequest(
        source=options.source,
        name=options.name,
        sample=options.sample,
        project=folder,
        target=options.target,
        drop=options.drop,
    )
    title = f"package {options.source.name}: ONNX, compared with the source on every row"
    with stages.running(title), Packer() as packer:
        return packer.package(request, stages)


def _as_workspace(folder: Path, packed: PackageResult) -> Workspace:
    """The project as one that releases the packaged bundle."""
    settings = load_settings(folder / SETTINGS, LOCAL_ENVIRONMENT)
    (endpoint,) = settings.endpoints
    return Workspace(folder, settings, endpoint, {STABLE: WorkspaceRelease(folder, read_manifest(packed.bundle))})


def _deploy(environment: RehearsalEnvironment, stages: TrialStages) -> None:
    try:
        deploy_stable(environment, stages)
    except ToolFailed as error:
        # The log goes with the folder.
        log = environment.workspace.folder / _BOOTSTRAP_LOG
        raise CliError(f"{str(error).partition(' (log:')[0]}:\n{cdk.last_lines(log)}") from error


def _predict(environment: RehearsalEnvironment) -> Trial:
    workspace, target = environment.workspace, environment.target
    endpoint = find_endpoint(workspace.folder, workspace.environment, workspace.endpoint.name, target)
    expected = Expectation.read(workspace.stable.bundle).slice(0, ROWS)
    rows = list(expected.golden.rows)
    with EndpointClient(endpoint.url, auth_for(endpoint, target)) as client:
        response = client.predict(rows)
    curl = _curl(workspace.folder, endpoint, rows[:1], target)
    compared = tuple(compare_rows(expected, response))
    return Trial(workspace.folder, environment.cloud, endpoint, compared, curl)


def _curl(folder: Path, endpoint: Endpoint, rows: list[Any], target: CloudTarget) -> str:
    """A command that calls the endpoint with ``rows``, on one line or two of a terminal."""
    body = json.dumps({"rows": rows}, ensure_ascii=False)
    if len(body) <= _LONGEST_BODY:
        return curl_line(endpoint, rows, target)
    (folder / REQUEST).write_text(body, encoding="utf-8")
    return curl_line(endpoint, folder / REQUEST, target)


def _remove_leftovers(folder: Path) -> None:
    """Remove what `serinus deploy` would not have left."""
    for name in _LEFTOVERS:
        (folder / name).unlink(missing_ok=True)
    for name in (ASSEMBLY, "tmp"):
        shutil.rmtree(folder / name, ignore_errors=True)
