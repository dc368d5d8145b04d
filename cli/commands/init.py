"""`serinus init`: an empty folder becomes a project."""

import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.console import notice, results
from serinus.cli.errors import CliError
from serinus.cli.project import SETTINGS
from serinus.lambda_handlers.contract.lock import NAME

TEMPLATES = ("serinus.toml", "cdk.json", "package.json", "gitignore", "README.md")


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made when missing.")] = Path(),
    name: Annotated[str | None, typer.Option(help="Project name, by default the folder's.")] = None,
) -> None:
    """Write a commented serinus.toml, cdk.json, package.json, .gitignore and README. Keeps files that exist.

    Example: [bold]serinus init churn-service && cd churn-service[/]
    """
    folder = folder.resolve()
    if (folder / SETTINGS).exists():
        raise CliError(
            f"{folder / SETTINGS} exists: this folder is a project already. `serinus package` comes next."
        )
    chosen = name or re.sub(r"[^a-z0-9-]+", "-", folder.name.lower()).strip("-0123456789") or "models"
    if not NAME.fullmatch(chosen):
        raise CliError(
            f"project name {chosen!r} does not fit: lower-case letters, digits and hyphens, a letter first, "
            "40 characters at most. `--name` gives another."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for template in TEMPLATES:
        target = folder / (".gitignore" if template == "gitignore" else template)
        if target.exists():
            notice(f"kept    {target.name}: it exists")
            continue
        text = read_template(template).replace("{{project}}", chosen)
        beside = target.with_name(target.name + ".new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
        notice(f"wrote   {target.name}")
    results.print(f"project {chosen} is ready in {folder}")
    if shutil.which("npm") is None:
        notice("npm was not found; deploying needs Node 20 or later: `serinus doctor` says how to get it")
    notice("next: serinus package MODEL --name NAME --sample SAMPLE.csv")


def read_template(name: str) -> str:
    """The text of a template: from the installed package, or from the checkout for package.json."""
    shipped = files("serinus.cli") / "_templates" / name
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    return (Path(__file__).resolve().parents[2] / name).read_text(encoding="utf-8")
