"""`serinus init`: turns a folder into a project."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.console import notice, results
from serinus.cli.errors import CliError
from serinus.cli.templates import read_template
from serinus.infra.names import SETTINGS
from serinus.lambda_handlers.contract.lock import NAME
from serinus.modelpack.atomic import write_file

#: The files of a project, each with its template.
TEMPLATES = {
    SETTINGS: SETTINGS,
    "cdk.json": "cdk.json",
    "package.json": "package.json",
    ".gitignore": "gitignore",
    "README.md": "README.md",
    # Not a .py file here: it would be checked and collected as one of ours.
    "tests/test_endpoint.py": "test_endpoint.py.txt",
}


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the project. Created if it does not exist.")] = Path(),
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Project name. Default: the folder's name.")
    ] = None,
) -> None:
    """Start a project: serinus.toml, cdk.json, package.json, .gitignore, README.md and tests/test_endpoint.py.
    Existing files are kept.

    Example: [bold]serinus init churn-service && cd churn-service[/]
    """
    folder = folder.resolve()
    if (folder / SETTINGS).exists():
        raise CliError(f"{folder / SETTINGS} exists: this folder is already a project. Next: `serinus package`.")
    project = name or re.sub(r"[^a-z0-9-]+", "-", folder.name.lower()).strip("-0123456789") or "models"
    if not NAME.fullmatch(project):
        raise CliError(
            f"project name {project!r} is not valid: use lower-case letters, digits and hyphens, starting with a "
            "letter, 40 characters at most. Set another one with --name."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, template in TEMPLATES.items():
            _write_new(folder, file, template, project)
    except OSError as error:
        raise CliError(
            f"{folder} cannot be a project's folder: {error.filename}: {error.strerror}. Name a folder "
            "that you may write to."
        ) from error
    results.print(f"project {project} is ready in {folder}")
    if shutil.which("npm") is None:
        notice("npm was not found; deploying requires Node 20 or later. `serinus doctor` says how to install it.")
    notice("next: serinus package MODEL --name NAME --sample SAMPLE.csv")


def _write_new(folder: Path, file: str, template: str, project: str) -> None:
    """Write ``file`` of ``folder`` whole, unless it exists."""
    target = folder / file
    if target.exists():
        notice(f"kept    {file}, which exists")
        return
    target.parent.mkdir(exist_ok=True)
    write_file(target, read_template(template).replace("{{project}}", project).encode())
    notice(f"wrote   {file}")
