"""The project of a trial: as `serinus init` writes it, with the CDK CLI that this machine has already."""

from pathlib import Path

from serinus.cli import cdk
from serinus.cli.templates import read_template
from serinus.infra.names import SETTINGS
from serinus.modelpack.atomic import folder_beside, write_file
from serinus.modelpack.layers.cache import cache_folder

_FILES = {SETTINGS: SETTINGS, "cdk.json": "cdk.json", "package.json": "package.json", "gitignore": ".gitignore"}
_CHECKOUT = Path(__file__).resolve().parents[2]


def write_project(folder: Path, endpoint: str) -> None:
    """Write a project with one endpoint, which has every default, into ``folder``."""
    for template, name in _FILES.items():
        text = read_template(template).replace("{{project}}", "trial")
        write_file(folder / name, text.encode())
    with (folder / SETTINGS).open("a", encoding="utf-8") as settings:
        settings.write(f"\n[endpoint.{endpoint}]\n")


def installed_cli(project: Path) -> Path | None:
    """The folder that holds the CDK CLI of the version that ``project`` pins: the checkout, or one in the user's
    cache; None if neither has it."""
    pinned = cdk.pinned_version(project)
    candidates = (_CHECKOUT, _cached(pinned))
    return next((folder for folder in candidates if cdk.installed_version(folder) == pinned), None)


def install_cli(project: Path) -> Path:
    """Install the CDK CLI that ``project`` pins into the user's cache, once for all trials; returns its folder."""
    target = _cached(cdk.pinned_version(project))
    with folder_beside(target) as draft:
        (draft / "package.json").write_bytes((project / "package.json").read_bytes())
        cdk.ensure(draft)
    return target


def link_cli(project: Path, folder: Path) -> None:
    """Let ``project`` use the CDK CLI in ``folder``."""
    (project / "node_modules").symlink_to(folder / "node_modules")


def _cached(version: str) -> Path:
    return cache_folder() / "cdk" / version
