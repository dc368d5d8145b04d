"""`serinus doctor`: what is missing on this machine, and how to get it."""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from serinus.cli import cdk, offline_process
from serinus.cli.console import print_json, results, table
from serinus.cli.errors import CliError
from serinus.cli.project import find_project

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
FREE_DISK_MB = 2000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``remedy`` says how to get it where it is missing."""

    what: str
    state: Literal["ok", "missing", "optional"]
    found: str
    remedy: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False) -> None:
    """Say what is missing on this machine and how to get it. Exit 1 when something needed is missing.

    Example: [bold]serinus doctor[/]
    """
    findings = list(examine())
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        shown = table("", "what", "found", "how to get it")
        colours = {"ok": "green", "missing": "red", "optional": "yellow"}
        for finding in findings:
            shown.add_row(
                Text(finding.state, style=colours[finding.state]), finding.what, finding.found, finding.remedy
            )
        results.print(shown)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Look at each thing once."""
    yield _python()
    yield _node()
    yield _cdk()
    yield _extra("offline cloud", offline_process.MODULES, "offline")
    yield _extra("scikit-learn models", ("sklearn", "skl2onnx", "pandas", "pyarrow", "skops"), "sklearn")
    yield from _target_pythons()
    yield _disk()
    yield _credentials()


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    enough = sys.version_info[:2] >= OLDEST_PYTHON
    return Finding(
        "Python 3.11 or later", "ok" if enough else "missing", found, "" if enough else "python.org/downloads"
    )


def _node() -> Finding:
    remedy = "nodejs.org/download, or your package manager (the CDK CLI and synth need it)"
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return Finding(f"Node {OLDEST_NODE} or later, with npm", "missing", "not on PATH", remedy)
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    major = re.match(r"v(\d+)", version)
    enough = major is not None and int(major[1]) >= OLDEST_NODE
    return Finding(
        f"Node {OLDEST_NODE} or later, with npm", "ok" if enough else "missing", version, "" if enough else remedy
    )


def _cdk() -> Finding:
    try:
        project = find_project()
        wanted, found = cdk.pinned_version(project), cdk.installed_version(project)
    except CliError as error:
        return Finding("CDK CLI of this project", "optional", "no project here", str(error))
    if found == wanted:
        return Finding("CDK CLI of this project", "ok", found)
    return Finding("CDK CLI of this project", "missing", found or "not installed", f"npm install (pins {wanted})")


def _extra(what: str, modules: tuple[str, ...], extra: str) -> Finding:
    absent = [name for name in modules if find_spec(name) is None]
    if not absent:
        return Finding(what, "ok", "installed")
    return Finding(what, "optional", f"without {', '.join(absent)}", f"pip install 'serinus[{extra}]'")


def _target_pythons() -> Iterator[Finding]:
    from serinus.modelpack.layers import find_interpreter

    for version in ("3.12", "3.13", "3.14"):
        path = find_interpreter(version)
        if path is None:
            yield Finding(
                f"Python {version}, to compile layers for it",
                "optional",
                "not found: its layer starts slower",
                f"uv python install {version}",
            )
        else:
            yield Finding(f"Python {version}, to compile layers for it", "ok", str(path))


def _disk() -> Finding:
    free_mb = shutil.disk_usage(Path.cwd()).free // 1_000_000
    enough = free_mb >= FREE_DISK_MB
    remedy = "" if enough else f"free {FREE_DISK_MB - free_mb} MB: layers and the offline cloud unpack there"
    return Finding(
        f"{FREE_DISK_MB / 1000:g} GB of free disk",
        "ok" if enough else "missing",
        f"{free_mb / 1000:.1f} GB",
        remedy,
    )


def _credentials() -> Finding:
    import boto3
    from botocore.exceptions import BotoCoreError

    what, remedy = "AWS credentials (not needed offline)", "aws configure, or AWS_PROFILE"
    try:
        credentials = boto3.Session().get_credentials()
    except BotoCoreError as error:  # a profile that does not exist, say
        return Finding(what, "optional", str(error), remedy)
    if credentials is None:
        return Finding(what, "optional", "none", remedy)
    return Finding(what, "ok", "found")
