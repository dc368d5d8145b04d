"""The README's first screen and links; `test_quickstart` runs its command."""

import re
from pathlib import Path

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
