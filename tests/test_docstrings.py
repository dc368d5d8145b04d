"""Docstrings of packages that draw how their modules use one another name modules that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("cli", "infra", "lambda_handlers", "offline", "packaging/modelpack")
ARROW = re.compile(r"^ *((?:\w+(?:, )?)*) *-> (\w+(?:(?:, | -> )\w+)*)", re.MULTILINE)


def drawn(text: str) -> set[str]:
    """The modules that the arrows of ``text`` lead from and to."""
    return {name for groups in ARROW.findall(text) for group in groups for name in re.findall(r"\w+", group)}


DRAWINGS = {
    path: names
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("__init__.py"))
    if (names := drawn(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""))
}


def test_a_drawing_is_read() -> None:
    assert drawn("judge -> review -> probe, verdict     compares\n      -> live, page\n") == {
        "judge", "review", "probe", "verdict", "live", "page"
    }  # fmt: skip
    assert len(DRAWINGS) >= 3


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.relative_to(ROOT).parent.as_posix())
def test_its_modules_exist(path: Path) -> None:
    modules = {file.stem for file in path.parent.iterdir()}
    assert not DRAWINGS[path] - modules
