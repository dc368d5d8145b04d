"""The errors that the page on troubleshooting quotes are errors that commands print."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ROOMS = ("cli", "infra", "lambda_handlers", "packaging", "offline", "serinus")
#: The first cell of a row that quotes an error.
QUOTED = re.findall(r"^\| `((?:[^`\\]|\\`)+)` \|", PAGE, re.MULTILINE)


@cache
def texts() -> str:
    """All texts of the product; what is computed between them is left out."""
    return "\n".join(
        node.value
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_quoted_error_is_one_that_is_printed(quoted: str) -> None:
    text = quoted.replace("\\`", "`")
    if text.startswith("Node 20"):
        from serinus.cli.node import NODE_REQUIREMENT

        assert NODE_REQUIREMENT.startswith(text)
    else:
        assert text in texts()


def test_every_table_quotes_errors() -> None:
    assert len(QUOTED) > 14
