"""A worker's log stream: lines, multi-line errors, tails."""

import os

import pytest

from serinus.offline.core.clock import Clock
from serinus.offline.sandbox.journal import WorkerLog


@pytest.fixture
def written():
    return []


@pytest.fixture
def journal(written):
    return WorkerLog(lambda events: written.extend(message for _, message in events), Clock(0, start=1000.0))


def test_each_line_is_an_event_once_it_is_complete(journal, written):
    journal.feed(b"one\ntw")
    assert written == ["one\n"]
    journal.feed(b"o\n")
    assert written == ["one\n", "two\n"]


def test_carriage_returns_keep_one_event_together(journal, written):
    journal.feed(b"[ERROR] x\rTraceback\r  line\n")
    assert written == ["[ERROR] x\nTraceback\n  line\n"]


def test_a_last_line_without_end_is_logged_on_flush(journal, written):
    journal.feed(b"no end")
    journal.flush()
    journal.flush()
    assert written == ["no end\n"]


def test_bytes_that_are_no_utf8_are_replaced(journal, written):
    journal.feed(b"caf\xe9\n")
    assert written == ["caf\N{REPLACEMENT CHARACTER}\n"]


def test_the_tail_has_at_most_4_kb_and_starts_anew(journal):
    journal.write("old")
    journal.begin()
    for number in range(1000):
        journal.write(f"line {number}")
    assert len(journal.tail().encode()) <= 4096
    assert journal.tail().endswith("line 999\n")
    assert "old" not in journal.tail()


def test_a_muted_journal_drops_its_lines(journal, written):
    journal.muted = True
    journal.write("lost")
    assert written == []


def test_a_pipe_is_drained_without_waiting(journal, written):
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    try:
        os.write(writer, b"hello\n")
        assert journal.drain(reader)
        assert written == ["hello\n"]
    finally:
        os.close(writer)
        assert not journal.drain(reader)
        os.close(reader)
