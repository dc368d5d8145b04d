"""The README's commands exist and work as written."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_screen_names_both_commands() -> None:
    screen = "\n".join(README.splitlines()[:15])
    assert "scripts/quickstart" in screen
    assert "scripts/test" in screen


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.cdk
@pytest.mark.xdist_group("main-job")
def test_quickstart_runs_as_the_readme_says() -> None:
    done = subprocess.run([ROOT / "scripts" / "quickstart"], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = re.findall(r"^done +[\d.]+ s  (.+)$", README, re.MULTILINE)
    printed = re.findall(r"^done +[\d.]+ s  (.+)$", done.stdout, re.MULTILINE)
    assert steps == printed[: len(steps)]
    assert "served beside the source model" in done.stdout
