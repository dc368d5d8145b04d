"""Rows are read from the formats that people have, and answers shown as a table."""

import io
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from serinus.cli.commands.predict import render
from serinus.cli.console import PlainConsole, results
from serinus.cli.errors import CliError
from serinus.cli.prediction.rows import read_json_rows
from serinus.cli.prediction.sending import EndpointClient
from serinus.cli.request_auth import NoAuth


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("rows.json", '[{"a": 1}]', [{"a": 1}]),
        ("rows.json", '{"rows": [[1, "x"]]}', [[1, "x"]]),
        ("rows.json", '{"a": 1}', [{"a": 1}]),
        ("rows.jsonl", '{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
    ],
)
def test_rows_are_read_from(tmp_path: Path, name: str, text: str, rows: list[object]) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read_json_rows(path) == rows


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"nowhere\.json does not exist"):
        read_json_rows(tmp_path / "nowhere.json")


def test_labels_and_probabilities_stand_in_one_table() -> None:
    answer = {"classes": ["no", "yes"], "labels": ["yes"], "probabilities": [[0.25, 0.75]]}
    with results.capture() as captured:
        results.print(render(answer, 1))
    assert captured.get().split() == ["row", "labels", "no", "yes", "0", "yes", "0.2500", "0.7500"]


def test_values_of_several_targets_are_lists() -> None:
    with results.capture() as captured:
        results.print(render({"values": [[1.0, 2.5]]}, 1))
    assert "[1.0, 2.5]" in captured.get()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ({"row": 3, "field": "income", "rule": "is required"}, "  row 3: income is required"),
        (
            {"row": 0, "field": "income", "rule": "may not be null", "value": None},
            "  row 0: income may not be null",
        ),
        (
            {"row": 0, "field": "income", "rule": "must be a number", "value": "d\u00e9ar"},
            '  row 0: income must be a number (it is "d\u00e9ar")',
        ),
        ({"rule": "a request must hold at least one row"}, "  a request must hold at least one row"),
        ({"field": "rows", "rule": "the body must hold `rows`"}, "  rows the body must hold `rows`"),
        (
            {"row": 1, "rule": "a row must have 3 values", "value": 0},
            "  row 1: a row must have 3 values (it is 0)",
        ),
    ],
)
def test_rejected_rows_are_explained(error: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {"detail": "12 errors.", "errors": [error] * 12, "errors_omitted": 5}

    def request(_: httpx.Client, method: str, url: str, **__: Any) -> httpx.Response:
        return httpx.Response(422, content=json.dumps(problem), request=httpx.Request(method, url))

    monkeypatch.setattr(httpx.Client, "request", request)
    with pytest.raises(CliError, match=r"answered 422:\n12 errors\.\n" + re.escape(line)) as caught:
        EndpointClient("http://api.example", NoAuth()).predict([{}])
    lines = str(caught.value).splitlines()
    assert lines[2:] == [line] * 10 + ["  and 7 more"]
    assert "None" not in str(caught.value)


def test_classes_that_do_not_fit_a_terminal_are_the_most_likely_ones() -> None:
    classes = [f"class-{number}" for number in range(30)]
    shares = [0.01] * 27 + [0.1, 0.43, 0.2]
    printed = io.StringIO()
    console = PlainConsole(file=printed, width=80)
    console.print(render({"labels": ["class-28"], "classes": classes, "probabilities": [shares]}, 1))
    head, row = (line.rstrip() for line in printed.getvalue().splitlines())
    assert head.endswith("  most likely")
    assert row.endswith("  class-28 0.4300, class-29 0.2000, class-27 0.1000")
