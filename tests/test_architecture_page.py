"""The pages for engineers name files that exist, so that a move mends them too, and draw what renders."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PAGES = (ARCHITECTURE, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md")

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH = re.compile(r"\.?\w[\w.-]*(?:/[\w.-]+)*/?")
SUFFIXES = (".py", ".md", ".toml", ".json", ".txt", ".in", ".yml", ".html")
#: A path in italics is one that is still to come.
COMING = re.compile(r"(?<!\*)\*([\w.-]+(?:/[\w.-]+)+/?)\*(?!\*)")
#: What commands write into a project, formats, placeholders, and the file that is spoken of for its absence.
NOT_OURS = re.compile(
    r"__init__\.py$|\.serinus/|\.venv/|bundles/|serinus\.lock$|manifest\.json$|\.pt2$|NAME|.*/NAME"
)
#: `sequenceDiagram` as far as it is used here; a semicolon or a hash in a message would end it.
MERMAID = re.compile(
    r"sequenceDiagram|participant \w+ as [^;#:]+|\w+--?>>\w+: [^;#:]+|(?:alt|else|loop) [^;#:]+|end"
)


def without_fences(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def is_path(text: str) -> bool:
    return (
        PATH.fullmatch(text) is not None
        and NOT_OURS.match(text) is None
        and ("/" in text or text.endswith(SUFFIXES))
    )


def sections(text: str) -> list[str]:
    return re.split(r"^(?=#+ )", text, flags=re.MULTILINE)


def missing_paths(text: str) -> list[str]:
    """Paths in code that exist neither in the checkout nor in a folder that their section names."""
    missing = []
    for section in sections(text):
        paths = [path for path in CODE.findall(section) if is_path(path)]
        folders = [ROOT, *(ROOT / path for path in paths if path.endswith("/") and (ROOT / path).is_dir())]
        missing += [path for path in paths if not any((folder / path).exists() for folder in folders)]
    return missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_exists(page: Path) -> None:
    text = without_fences(page)

    assert missing_paths(text) == []


def test_a_path_that_does_not_exist_is_found() -> None:
    text = (
        "## One\n`cli/gone.py`, `gone/`, in `cli/`: `main.py`, `gone.py`\n## Two\n`main.py` `bundles/` `/predict`"
    )

    assert missing_paths(text) == ["cli/gone.py", "gone/", "gone.py", "main.py"]


def test_the_page_names_enough_paths_for_the_check_to_mean_something() -> None:
    assert len({path for path in CODE.findall(without_fences(ARCHITECTURE)) if is_path(path)}) > 100


def test_what_is_still_to_come_does_not_exist_yet() -> None:
    coming = COMING.findall(without_fences(ARCHITECTURE))

    assert coming
    assert [path for path in coming if (ROOT / path).exists()] == [], "these exist now: write them as code"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in LINK.findall(without_fences(page)):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in {anchor_of(heading) for heading in HEADING.findall(without_fences(file))}, anchor


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_each_journey_is_a_diagram_of_simple_syntax() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    diagrams = [body for language, body in FENCE.findall(text) if language == "mermaid"]

    assert len(diagrams) == 6
    for diagram in diagrams:
        lines = [line.strip() for line in diagram.splitlines()]
        assert [line for line in lines if not MERMAID.fullmatch(line)] == []
        names = {line.split()[1] for line in lines if line.startswith("participant")}
        assert {name for line in lines if ">>" in line for name in re.split(r"--?>>|:", line)[:2]} <= names
