"""docs/offline.md says what the conformance tests hold, no more and no less."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings
from serinus.offline.services.unperformed import PartialMotoService

SERVICES = [type(service) for service in Cloud(CloudConfig()).services.by_name.values()]
ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "offline_docs.py"
LEAST_RULES = 120


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)


@pytest.mark.slow
def test_the_page_is_what_the_conformance_tests_say() -> None:
    done = run("--check")
    assert done.returncode == 0, done.stderr


def test_there_are_as_many_rules_as_promised() -> None:
    found = re.search(r"^(\d+) rules: ", (ROOT / "docs" / "offline.md").read_text(), re.MULTILINE)
    assert found is not None
    assert int(found[1]) >= LEAST_RULES


def test_the_decision_counts_the_services_of_the_registry() -> None:
    text = (ROOT / "docs" / "decisions" / "0001-services-of-our-own-beside-moto.md").read_text()
    whole = [one for one in SERVICES if not one.moto_operations and not issubclass(one, PartialMotoService)]
    assert re.findall(r"lists (\d+) services", text) == [str(len(SERVICES))]
    assert re.findall(r"(\d+) are still ours, whole", text) == [str(len(whole))]


def test_the_page_lists_every_reading_with_its_default() -> None:
    text = (ROOT / "docs" / "offline.md").read_text()
    for doubt in Readings.doubts():
        (row,) = re.findall(rf"^\| `{doubt.name}` \|.*$", text, re.MULTILINE)
        assert f"**`{doubt.default}`**" in row
        assert doubt.page in row


def test_a_conformance_test_without_its_page_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_sns.py").write_text('def test_a_rule():\n    """A rule without a page."""\n')
    done = run("--check", "--tests", str(tmp_path))
    assert done.returncode == 1
    assert "test_sns.py: test_a_rule" in done.stderr


@pytest.mark.slow
def test_a_stale_page_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "offline.md"
    text = (ROOT / "docs" / "offline.md").read_text()
    page.write_text(text.replace("| modelled |", "| refused |", 1))
    done = run("--check", "--page", str(page))
    assert done.returncode == 1
    assert "is stale" in done.stderr


def test_a_rule_that_differs_says_how(tmp_path: Path) -> None:
    page, tests = tmp_path / "offline.md", tmp_path / "tests"
    tests.mkdir()
    page.write_text((ROOT / "docs" / "offline.md").read_text())
    docstring = '"""A rule.\n\n    Differs: not here.\n\n    Source: https://docs.aws.amazon.com/x.html\n    """'
    (tests / "test_sns.py").write_text(f"def test_a_rule():\n    {docstring}\n")
    assert run("--tests", str(tests), "--page", str(page)).returncode == 0
    assert "| A rule | differs: not here | [x](https://docs.aws.amazon.com/x.html) |" in page.read_text()
