"""The files that a new project begins with."""

from importlib.resources import files
from pathlib import Path


def read_template(name: str) -> str:
    """The text of a template: from the installed package, or from the checkout for package.json."""
    shipped = files("serinus.cli") / "_templates" / name
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    return (Path(__file__).resolve().parents[1] / name).read_text(encoding="utf-8")
