"""The report is one page that needs nothing else."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from serinus.cli.rehearse.outcome import evaluate
from serinus.cli.rehearse.page import render
from serinus.cli.rehearse.record import RehearsalRecord


@pytest.fixture(params=["promoted", "rolled_back"])
def record(request: pytest.FixtureRequest) -> RehearsalRecord:
    return request.getfixturevalue(request.param)


def test_it_names_no_host_and_no_other_file(record: RehearsalRecord) -> None:
    page = render(record, evaluate(record))
    assert not re.search(r"https?:|src=|href=|@import|url\(|<script", page)


def test_its_plots_are_well_formed_and_hold_numbers(record: RehearsalRecord) -> None:
    drawings = re.findall(r"<svg.*?</svg>", render(record, evaluate(record)), re.DOTALL)
    assert len(drawings) >= 3
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "nan" not in drawing


def test_what_others_said_is_escaped(rolled_back: RehearsalRecord) -> None:
    assert "<b>more</b>" not in render(rolled_back, evaluate(rolled_back))


def test_every_element_is_closed(record: RehearsalRecord) -> None:
    class Balance(HTMLParser):
        open_ = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.open_ += tag not in ("meta", "line", "rect")

        def handle_endtag(self, tag: str) -> None:
            self.open_ -= 1

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

    reader = Balance()
    reader.feed(render(record, evaluate(record)))
    assert reader.open_ == 0
