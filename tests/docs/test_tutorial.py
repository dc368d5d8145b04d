"""What the tutorial and the guide show is what their commands print, in one project and one offline cloud."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))

from transcripts import Session, read_page  # noqa: E402

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("tutorial")]

TUTORIAL, GUIDE = read_page(DOCS / "tutorial.md"), read_page(DOCS / "guide.md")
END = list(TUTORIAL)[-1]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, list[str]]]:
    """The tutorial's session before its end, and where the page disagrees."""
    with Session(tmp_path_factory.mktemp("home")) as running:
        steps = [step for heading, steps in TUTORIAL.items() if heading != END for step in steps]
        yield running, running.disagreements(steps)
        require_none(running.disagreements(TUTORIAL[END]))


def test_sessions_are_on_no_other_page() -> None:
    pages = {page.name for page in DOCS.glob("**/*.md") if "```console" in page.read_text(encoding="utf-8")}
    assert pages == {"tutorial.md", "guide.md"}


def require_none(disagreements: list[str]) -> None:
    if disagreements:
        pytest.fail("\n\n".join(disagreements), pytrace=False)


def test_the_tutorial_shows_what_happens(session: tuple[Session, list[str]]) -> None:
    _, disagreements = session
    require_none(disagreements)


def test_the_guide_shows_what_happens(session: tuple[Session, list[str]]) -> None:
    """On with the tutorial's project; what removes its endpoint comes last."""
    running, _ = session
    headings = sorted(GUIDE, key=lambda heading: heading.startswith("Removing"))
    require_none([text for heading in headings for text in running.disagreements(GUIDE[heading])])
