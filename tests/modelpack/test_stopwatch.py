"""Seconds by stage, and the parts of long stages."""

import time
from typing import Any

import pytest

from serinus.modelpack.stopwatch import Stopwatch


class Recorded:
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def notice(self, message: str) -> None:
        raise AssertionError(message)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock's time, which the test changes."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_parts_of_a_long_stage_are_shown_and_count_to_it(clock: Any) -> None:
    recorded = Recorded()
    watch = Stopwatch(recorded)
    watch.part("before any stage")
    watch.stage("precision")
    clock[0] = 0.5
    watch.part("float16")
    clock[0] = 1.5
    watch.part("int8")
    clock[0] = 4.0
    watch.stage("write")
    clock[0] = 5.0

    assert recorded.stages == ["precision", "precision: int8", "write"]
    assert watch.stop() == {"precision": 4.0, "write": 1.0, "total": 5.0}
