"""The throw-away project: a small model, an endpoint with default settings, and the releases of a check."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from serinus.cli.account_check.inventory import FOLDER
from serinus.cli.account_check.session import ENDPOINT, TAG, CheckSession
from serinus.cli.account_check.template_edits import (
    Template,
    add_broken_resource,
    describe_alias,
    edit_assembly,
    free_alias,
)
from serinus.cli.errors import CliError
from serinus.cli.rehearse.assemblies import ASSEMBLY, command
from serinus.cli.rehearse.background import BackgroundProcess, interrupts_ignored
from serinus.cli.rehearse.workspace import STABLE, CandidateSpec, Workspace, create_workspace
from serinus.infra.errors import InfraError
from serinus.infra.names import DEFAULT_ENVIRONMENT, SETTINGS
from serinus.infra.release import pinned_bundle
from serinus.lambda_handlers.contract.lock import LOCK

#: The releases after `STABLE`: with another description of the alias, without, and with a resource that fails.
DESCRIBED, PLAIN, BROKEN = "described", "plain", "broken"
#: Requests per second that the API key must allow.
RATE_PER_S = 50
_SETTINGS = """[project]
name = "{run}"

[endpoint.{endpoint}]
log_retention_days = 1
tags = {{ {tag} = "{run}" }}

[endpoint.{endpoint}.rollout]
bake_minutes = 1
"""
#: Trained as a process of its own: scikit-learn is slow to load, and not needed otherwise.
_TRAIN = """
import joblib, numpy, pandas
from sklearn.linear_model import LogisticRegression
rows = pandas.DataFrame(numpy.random.default_rng(0).normal(size=(200, 3)), columns=["a", "b", "c"])
labels = (rows.a + rows.b > 0).map({True: "yes", False: "no"})
joblib.dump(LogisticRegression().fit(rows, labels), "model.joblib")
rows.to_csv("sample.csv", index=False)
"""


@contextmanager
def check_workspace(session: CheckSession, project: Path) -> Iterator[Workspace]:
    """The releases of a check, each in a folder of its own; ``project`` lends its CDK CLI and keeps the model."""
    source = _source_project(project, session.run)
    candidates = {name: CandidateSpec() for name in (DESCRIBED, PLAIN, BROKEN)}
    copying = create_workspace(source, DEFAULT_ENVIRONMENT, ENDPOINT, candidates=candidates, rate=RATE_PER_S)
    with copying as workspace:
        yield workspace


def _source_project(project: Path, run: str) -> Path:
    source = project / FOLDER / "project"
    source.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "cdk.json"):
        if (project / name).exists():
            shutil.copy2(project / name, source)
    modules = source / "node_modules"
    if not modules.is_symlink():
        modules.symlink_to(project / "node_modules")
    settings = _SETTINGS.format(run=run, endpoint=ENDPOINT, tag=TAG)
    (source / SETTINGS).write_text(settings, encoding="utf-8")
    if not _is_packaged(source):
        (source / LOCK).unlink(missing_ok=True)
        _run(source, "-c", _TRAIN)
        package = ["package", "model.joblib", "--name", ENDPOINT, "--sample", "sample.csv"]
        _run(source, "-m", "serinus", *package)
    return source


def _is_packaged(source: Path) -> bool:
    try:
        pinned_bundle(source, DEFAULT_ENVIRONMENT, ENDPOINT)
    except InfraError:
        return False
    return True


def _run(folder: Path, *arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise CliError(
            f"the check's model could not be packaged; pip install 'serinus[sklearn]' installs what it needs:\n"
            f"{done.stderr.strip()[-600:]}"
        )


def edits_of(stack: str) -> Mapping[str, Callable[[Template], None]]:
    """What each release's template is changed by."""
    return {DESCRIBED: describe_alias, PLAIN: free_alias, BROKEN: add_broken_resource(stack)}


class Assemblies:
    """The process that synthesizes all releases, and the edits of what it has finished."""

    def __init__(self, session: CheckSession, workspace: Workspace) -> None:
        self._session, self._workspace = session, workspace
        self._edited = {STABLE}
        projects = [release.project for release in workspace.releases.values()]
        temporary = workspace.folder / "tmp"
        temporary.mkdir()
        variables = {
            **session.target.environment(),
            "TMPDIR": str(temporary),
            "CDK_DEFAULT_ACCOUNT": session.caller.account,
            "CDK_DEFAULT_REGION": session.caller.region,
        }
        making = command(DEFAULT_ENVIRONMENT, projects)
        self._process = BackgroundProcess(making, workspace.folder, variables, workspace.folder / "assemblies.log")

    def require(self, name: str) -> None:
        """Wait until release ``name`` can be deployed; `CliError` if it cannot be synthesized."""
        assembly = self._workspace.releases[name].project / ASSEMBLY

        def exists() -> bool:
            if not assembly.exists() and self._process.exit_code is not None:
                self._process.require_success()
            return assembly.exists()

        self._session.waiting.required(exists, 1800, what=f"building {name}", working=lambda: True)
        if name not in self._edited:
            self._edited.add(name)
            edit_assembly(assembly, self._session.stack, edits_of(self._session.stack)[name])

    def end(self) -> None:
        with interrupts_ignored():
            self._process.end()
