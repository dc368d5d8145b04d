"""The pinned CDK CLI: found in the project's node_modules, installed there when it is missing, and run."""

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from serinus.cli.console import notice, step
from serinus.cli.errors import CliError, ToolFailed
from serinus.cli.project_lock import held_files
from serinus.modelpack.supervised.group import ProcessGroup

PACKAGE = "package.json"
BINARY = Path("node_modules") / ".bin" / "cdk"

#: Node's and jsii's notices about versions are of no use to a user who deploys a model.
QUIET = {
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    "NODE_NO_WARNINGS": "1",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
}


def pinned_version(project: Path) -> str:
    """The CDK CLI version that the project's package.json pins."""
    try:
        package = json.loads((project / PACKAGE).read_text(encoding="utf-8"))
        version: str = package["devDependencies"]["aws-cdk"]
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CliError(
            f"{project / PACKAGE} does not pin aws-cdk. Run `serinus init` in a new folder and copy its {PACKAGE}."
        ) from error
    return version


def installed_version(project: Path) -> str | None:
    """The CDK CLI version in the project's node_modules, None when there is none."""
    try:
        package = json.loads((project / "node_modules" / "aws-cdk" / PACKAGE).read_text(encoding="utf-8"))
        version: str = package["version"]
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return version


def ensure(project: Path) -> Path:
    """The pinned CLI's executable, installed by npm first when it is missing or another version."""
    pinned = pinned_version(project)
    if installed_version(project) != pinned:
        npm = shutil.which("npm")
        if npm is None:
            raise CliError("npm is not installed; the CDK CLI needs Node 20 or later. See `serinus doctor`.")
        if not os.access(project, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(project / "node_modules"))
        with step(f"installing the CDK CLI {pinned} with npm"):
            verb = "ci" if (project / "package-lock.json").exists() else "install"
            done = subprocess.run(
                [npm, verb, "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=project,
                capture_output=True,
                text=True,
            )
        if done.returncode != 0 or installed_version(project) != pinned:
            raise CliError(
                f"npm {verb} could not install aws-cdk {pinned}: {(done.stderr or done.stdout).strip()[-600:]}"
            )
    return project / BINARY


def run(
    project: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    log: Path | None = None,
    folder: Path | None = None,
    ends_with_command: bool = False,
) -> None:
    """Run the project's pinned CLI in ``folder`` (default: the project, whose cdk.json it then reads), with the
    variables of ``environment`` and its own.

    With ``log`` its output goes there, and to the user only on failure; with ``ends_with_command`` too, it ends if
    this process is killed. Raises `ToolFailed` with its exit code.
    """
    command, everything = prepare(project, arguments, environment)
    if log is None:
        code = subprocess.run(command, cwd=folder or project, env=everything, pass_fds=held_files()).returncode
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            if ends_with_command:
                code = _run_in_group(command, everything, folder or project, sink.fileno())
            else:
                code = subprocess.run(
                    command,
                    cwd=folder or project,
                    env=everything,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    pass_fds=held_files(),
                ).returncode
        if code != 0:
            notice(last_lines(log))
    if code != 0:
        where = "" if log is None else f" (log: {log})"
        raise ToolFailed(f"cdk {arguments[0]} ended with exit code {code}{where}", code if code > 0 else 1)


def _run_in_group(command: Sequence[str], environment: dict[str, str], folder: Path, output: int) -> int:
    group = ProcessGroup(command, held_files(), environment, folder=folder, output=output)
    try:
        return group.wait()
    finally:
        group.end(at_once=True)


def prepare(
    project: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Command line and whole environment with which the project's pinned CLI does what ``arguments`` say."""
    binary = ensure(project)
    # cdk.json names `serinus` for its build step and app: it must be this one, whether or not its venv is active.
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    # Node fails where the folder does not exist; Python takes another one.
    temporary = {} if Path(environment.get("TMPDIR", ".")).is_dir() else {"TMPDIR": tempfile.gettempdir()}
    return [str(binary), *arguments], {**environment, "PATH": path, **temporary, **QUIET}


def last_lines(log: Path, count: int = 40) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
