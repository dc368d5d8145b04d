"""Commands killed at ten moments each: what they leave, and whether the next command works."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from main_job import Project
from table import Row, main

MOMENTS = 10
#: Seconds in which what a killed command started may end.
END_S = 20.0
PACKAGE = ("package", "training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv")
NOTE = (
    "Each command is killed (SIGKILL, the command's process alone) at moments spread over the time that it takes "
    "undisturbed. `processes` and temporary `folders` are what was left of it 20 seconds later; `afterwards` is "
    "what was left after the next command, with files that an undisturbed run does not leave. A cloud that "
    "`local up` had reported ready and what `deploy` has handed to the cloud are not counted. `next` is the exit "
    "code of the next command: the same, and `package` after `rehearse`."
)


@dataclass(frozen=True, slots=True)
class Case:
    """A command, what undoes its work so that it has some, and whether a cloud must run."""

    name: str
    command: Sequence[str]
    again: Sequence[str]
    deletes: Sequence[str] = ()
    cloud: bool = False


CASES = (
    Case("package", PACKAGE, PACKAGE, deletes=("bundles",)),
    Case("build", ("build",), ("build",), deletes=(".serinus/build",)),
    Case("deploy", ("deploy", "--local"), ("deploy", "--local"), cloud=True),
    Case("rehearse", ("rehearse", "tumour", "--stepped", "--seed", "1"), PACKAGE),
    Case("local up", ("local", "up"), ("local", "up")),
)


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """A row for each command and moment."""
    for case in CASES:
        if options.command and case.name not in options.command:
            continue
        with tempfile.TemporaryDirectory(prefix="killed-") as name:
            yield from _kill_at_moments(case, Path(name), options.moments)


def _kill_at_moments(case: Case, folder: Path, moments: int) -> Iterator[Row]:
    project = Project(folder)
    temporary = folder / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    project.package(trees=50)
    project.serinus("build")
    if case.cloud:
        project.serinus("local", "up", "--port", str(project.port))
    port = ("--port", str(project.port)) if case.name == "local up" else ()
    command = [sys.executable, "-m", "serinus", *case.command, *port]
    undisturbed_s = _seconds(case, command, folder, environment)
    usual = _files(folder)
    for number in range(moments):
        _prepare(case, folder, number)
        known = _processes(folder)
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        after_s = undisturbed_s * (number + 0.5) / moments
        time.sleep(after_s)
        over = process.poll() is not None
        process.kill()
        process.wait()
        processes = _left(folder, known, case)
        folders = len(list(temporary.iterdir()))
        done = subprocess.run(
            [sys.executable, "-m", "serinus", *case.again, *port],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if case.name == "local up":
            project.serinus("local", "down")
        row = {
            "command": case.name,
            "killed after s": round(after_s, 1),
            "was over": "yes" if over else "",
            "processes": processes,
            "folders": folders,
            "next": done.returncode,
            "afterwards": f"{_left(folder, known, case)} processes, {len(_files(folder) - usual)} files",
            "note": "" if done.returncode == 0 else " ".join(done.stderr.split())[-160:],
        }
        sys.stderr.write(f"{row}\n")
        yield row
    if case.cloud:
        project.serinus("local", "down")


def _files(folder: Path) -> set[Path]:
    """All files and folders of the project, temporary ones included, but for logs."""
    skipped = ("node_modules", ".serinus/local")
    return {
        path
        for path in folder.rglob("*")
        if not str(path.relative_to(folder)).startswith(skipped) and path.suffix != ".log"
    }


def _seconds(case: Case, command: Sequence[str], folder: Path, environment: dict[str, str]) -> float:
    _prepare(case, folder, MOMENTS)
    began = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    took_s = time.monotonic() - began
    if case.name == "local up":
        subprocess.run(
            [sys.executable, "-m", "serinus", "local", "down"], cwd=folder, check=True, capture_output=True
        )
    return took_s


def _prepare(case: Case, folder: Path, number: int) -> None:
    """Give the command something to do."""
    for name in case.deletes:
        shutil.rmtree(folder / name, ignore_errors=True)
    if case.name == "deploy":
        (folder / "serinus.toml").write_text(
            f'[project]\nname = "bench"\n\n[endpoint.tumour]\nvariables = {{ REVISION = "{number}" }}\n'
        )


def _left(folder: Path, known: set[int], case: Case) -> int:
    """Processes of the project beside ``known`` ones that did not end in time."""
    deadline = time.monotonic() + END_S
    while (left := _processes(folder) - known) and time.monotonic() < deadline:
        if case.name == "deploy" and not _processes(folder, "aws-cdk") - known:
            return 0  # workers of the cloud that serve what was deployed
        if case.name == "local up" and list((folder / ".serinus/local").glob("cloud-*.json")):
            return 0
        time.sleep(0.1)
    return len(left)


def _processes(folder: Path, containing: str = "") -> set[int]:
    """Processes that work in ``folder``, or whose command line names it."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            works_there = (entry / "cwd").readlink().is_relative_to(folder)
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if (works_there or str(folder) in command) and containing in command:
            found.add(int(entry.name))
    return found


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--moments", type=int, default=MOMENTS, help="how often each command is killed")
    names = [case.name for case in CASES]
    parser.add_argument("--command", action="append", choices=names, help="only this command; repeatable")


if __name__ == "__main__":
    main("killed", lambda options: list(measure(options)), note=NOTE, arguments=_arguments)
