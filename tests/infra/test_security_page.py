"""docs/security.md holds every acknowledged finding, as the code gives it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT, PAGE = ROOT / "scripts" / "security_docs.py", ROOT / "docs" / "security.md"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)


def test_the_page_is_what_the_code_says() -> None:
    done = run("--check")

    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_refused_and_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "security.md"
    page.write_text(PAGE.read_text().replace("AwsSolutions-APIG1`", "AwsSolutions-APIG0`"))
    done = run("--check", "--page", str(page))

    assert done.returncode == 1
    assert "is stale" in done.stderr
    assert run("--page", str(page)).returncode == 0
    assert page.read_text() == PAGE.read_text()
