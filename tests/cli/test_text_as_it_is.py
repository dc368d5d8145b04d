"""What users and AWS wrote is shown as it is, on terminals, in the card and on pages: nothing of it is markup."""

import ast
import io
import json
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from sklearn.tree import DecisionTreeClassifier

from serinus import cli
from serinus.cli import console
from serinus.cli.commands.predict import render as render_answer
from serinus.cli.main import main
from serinus.cli.printable import printable
from serinus.lambda_handlers.contract import bundle
from serinus.lambda_handlers.contract.lock import LOCK
from serinus.modelpack import markdown

pytestmark = pytest.mark.slow

COLUMNS = (
    "sepal [cm]",
    "[/eur]",
    "[red]x[/red]",
    "[link=file:///etc]y[/link]",
    "a|b",
    "`tick`",
    "``two",
    "<script>alert(1)</script>",
    "<b>bold</b>&amp;",
    "'quoted'",
    ":cat:",
    "*star* **two** _under_ ~~gone~~",
    "![image](http://127.0.0.1/x.png)",
    "[bold",
    "{braces} $dollar %s",
    "Zürich\u00a0€",
)
_GITHUB = MarkdownIt("gfm-like", {"linkify": False})
CLASSES = ("[/eur]", "<=50K", ">50K", "`a|b`")


def _visible(text: str) -> str:
    """Without spaces, which tables add and take."""
    return "".join(text.split())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    (folder / "serinus.toml").write_text("")
    random = np.random.default_rng(5)
    rows = pd.DataFrame(random.integers(0, 9, (80, len(COLUMNS))).astype(float), columns=list(COLUMNS))
    labels = np.array(CLASSES)[np.arange(80) % len(CLASSES)]
    joblib.dump(DecisionTreeClassifier(max_depth=4, random_state=1).fit(rows, labels), folder / "model.joblib")
    rows.assign(label=labels).to_csv(folder / "sample.csv", index=False)
    return folder


@pytest.fixture
def serinus(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "1000")

    def run(*arguments: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["serinus", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert not ended.value.code, shown.err
        return shown

    return run


@pytest.fixture
def packed(serinus: Any, project: Path) -> Any:
    """What packaging shows; and its bundle's folder."""
    arguments = ("model.joblib", "--name", "names", "--sample", "sample.csv", "--target", "label")
    holdout = ("--holdout", "sample.csv")
    shown = serinus("package", *arguments, *holdout)
    return shown, next(project.glob("bundles/names/*"))


def test_packaging_inspecting_and_the_card_show_every_name(packed: Any, serinus: Any) -> None:
    shown, folder = packed
    assert "names pinned for dev in serinus.lock" in shown.err
    listed = serinus("inspect", "names").out
    rendered = serinus("inspect", "names", "--card").out
    for name in COLUMNS:
        assert name in listed
        assert _visible(name) in _visible(rendered)
    for label in CLASSES:
        assert label in listed
        assert label in _visible(rendered)
    data = json.loads(serinus("inspect", "names", "--json").out)
    assert tuple(item["name"] for item in data["signature"]["features"]) == COLUMNS
    assert (folder / bundle.CARD).is_file()


def test_card_has_a_row_for_each_name_and_no_element_of_a_names(packed: Any) -> None:
    card = (packed[1] / bundle.CARD).read_text(encoding="utf-8")
    tokens = _GITHUB.parse(card)
    inline = [token.children or [] for token in tokens if token.type == "inline"]
    kinds = {child.type for children in inline for child in children}
    assert not kinds & {"html_inline", "link_open", "image", "em_open", "s_open"}
    assert not [token for token in tokens if token.type == "html_block"]
    cells = ["".join(child.content for child in children) for children in inline]
    for name in COLUMNS:
        assert cells.count(name) == 2  # in the table of inputs and in that of data
    rows = [token for token in tokens if token.type == "tr_open"]
    assert len(rows) >= 2 * len(COLUMNS)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_page_shows_every_name_and_has_no_element_of_a_names(packed: Any, serinus: Any, tmp_path: Path) -> None:
    serinus("inspect", "names", "--html", str(tmp_path / "page.html"))
    page = _Page()
    page.feed((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert not page.tags & {"script", "img", "a", "iframe"}
    assert not [name for name in page.attributes if name.startswith("on")]
    for name in COLUMNS:
        assert name in page.said
    assert any(all(label in said for label in CLASSES) for said in page.said)


def test_names_in_refusals_are_shown_as_they_are(
    packed: Any, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (
        ["inspect", "[/eur]"],
        ["inspect", "names", "--env", "[/eur]"],
        ["package", "[/eur].joblib", "--name", "x", "--sample", "sample.csv"],
        ["package", "model.joblib", "--name", "[/eur]", "--sample", "sample.csv"],
        ["package", "model.joblib", "--name", "x", "--sample", "sample.csv", "--drop", "[/eur] [/absent]"],
        ["package", "model.joblib", "--name", "x", "--sample", "sample.csv", "--precision", "[/eur]"],
        ["logs", "x", "--since", "[/eur]"],
        ["package", "--[/eur]"],
        ["[/eur]"],
    ):
        monkeypatch.setattr(sys, "argv", ["serinus", *arguments])
        monkeypatch.chdir(project)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code in (1, 2, 3, 4), (arguments, said)
        assert "[/eur]" in said, arguments


def test_answer_shows_labels_and_classes_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {
        "labels": ["[/eur]", ":cat:"],
        "classes": list(CLASSES),
        "probabilities": [[0.1, 0.2, 0.3, 0.4]] * 2,
        "outputs": {"sepal [cm]": ["\x1b[2Jx", "\x1b]0;title\x07"]},
    }
    console.results.print(render_answer(answer, 2))
    said = capsys.readouterr().out
    for shown in (*CLASSES, ":cat:", "sepal [cm]"):
        assert shown in said
    assert "\x1b" not in said
    assert "\x07" not in said


@pytest.mark.parametrize("text", ["[/eur]", "[red]x[/red]", ":cat:", "a\u00a0b", "[bold", "\\[x]"])
def test_every_way_of_saying_shows_text_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.notice(text)
    console.fail(text)
    with console.step(text):
        pass
    console.results.print(text)
    shown = console.table(text, title=text)
    shown.add_row(text)
    console.results.print(shown)
    said = capsys.readouterr()
    assert said.err.count(text) == 3
    assert said.out.count(text) == 4


def test_spinner_of_a_terminal_shows_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    terminal = console.PlainConsole(file=written, force_terminal=True, width=80)
    monkeypatch.setattr(console, "progress", terminal)
    with console.step("deploying [/eur] :cat:"):
        pass
    assert "deploying [/eur] :cat:" in written.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_that_lacks_a_character_shows_its_code(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = io.BytesIO()
    stream = io.TextIOWrapper(kept, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    console.show_all_text()
    console.results.print("price €")
    console.print_json({"price €": "\udcff"})
    stream.flush()
    said = kept.getvalue().decode(encoding)
    assert "price \\u20ac" in said
    assert json.loads(said[said.index("{") :]) == {"price €": "\udcff"}


def test_report_that_cannot_be_shown_says_that_the_model_is_pinned(
    serinus: Any, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no [/room]")

    monkeypatch.setattr("serinus.cli.commands.package.print_result", fail)
    arguments = ["package", "model.joblib", "--name", "second", "--sample", "sample.csv", "--target", "label"]
    monkeypatch.setattr(sys, "argv", ["serinus", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "second pinned for dev in serinus.lock" in said
    assert (
        "second is packaged and pinned for dev, but the report cannot be printed (RuntimeError: no [/room])"
        in said
    )
    assert "second" in (project / LOCK).read_text()


@pytest.mark.parametrize("settings", ["[endpoint", "endpoint = 3", "endpoint = {}"])
def test_settings_that_cannot_take_the_endpoint_are_noticed_before_anything_is_made(
    settings: str,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "serinus.toml").write_text(settings)
    monkeypatch.chdir(tmp_path)
    sample = str(project / "sample.csv")
    arguments = ["package", str(project / "model.joblib"), "--name", "x", "--sample", sample, "--target", "label"]
    monkeypatch.setattr(sys, "argv", ["serinus", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "Correct it" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["serinus.toml"]
    assert (tmp_path / "serinus.toml").read_text() == settings


@pytest.mark.parametrize(
    "name",
    [*COLUMNS, *CLASSES, "back\\slash\\", "end\\", '"', "two\nlines", "tab\there", "\x1b[31m", "", " ", "`"],
)
def test_markdown_shows_a_name_as_text_and_as_code(name: str) -> None:
    as_it_is = markdown.single_line(name)
    shown = _inline(f"x {markdown.text(name)} x")
    assert "".join(child.content for child in shown) == f"x {as_it_is} x"
    spans = [child.content for child in _inline(f"x {markdown.code(name)} x") if child.type == "code_inline"]
    assert [span.strip() for span in spans] == [as_it_is.strip()]


def _inline(text: str) -> list[Any]:
    """The parts of a paragraph."""
    (paragraph,) = [token for token in _GITHUB.parse(text) if token.type == "inline"]
    return paragraph.children or []


def test_terminal_is_not_steered_by_text() -> None:
    assert (
        printable("\x1b[31mred\x1b[0m \x9b2J\u202e a\u00a0b")
        == "red \N{REPLACEMENT CHARACTER}2J\N{REPLACEMENT CHARACTER} a\u00a0b"
    )


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")), node


def test_no_command_speaks_but_by_the_console_without_markup() -> None:
    """The kind of fault: text that reaches the terminal by another way, or is taken for markup on this one."""
    faults = []
    for file in sorted(Path(str(cli.__file__)).parent.rglob("*.py")):
        for name, call in _calls(ast.parse(file.read_text(encoding="utf-8"))):
            if file.name != "console.py" and _is_a_way_of_its_own(name, call):
                faults.append(f"{file.name}:{call.lineno} {name}")
    assert not faults
    assert isinstance(console.results, console.PlainConsole)
    assert isinstance(console.progress, console.PlainConsole)


def _is_a_way_of_its_own(name: str, call: ast.Call) -> bool:
    given = {word.arg: word.value for word in call.keywords}
    takes_markup = any(not _is_false(given[word]) for word in ("markup", "emoji") if word in given)
    by_default = name == "TextColumn" and "markup" not in given
    by_itself = name in ("Console", "from_markup", "render_markup", "secho", "echo", "Spinner", "Prompt", "Tree")
    return takes_markup or by_default or by_itself or (name == "print" and isinstance(call.func, ast.Name))


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


@pytest.mark.parametrize(
    "code",
    [
        "Console()",
        "rich.console.Console(stderr=True)",
        "results.print(text, markup=True)",
        "results.print(text, emoji=wanted)",
        "TextColumn('{task.description}')",
        "Text.from_markup(text)",
        "typer.echo(text)",
        "print(text)",
    ],
)
def test_the_search_sees_each_way(code: str) -> None:
    assert any(_is_a_way_of_its_own(name, call) for name, call in _calls(ast.parse(code)))
