"""Lines of a rehearsal are printed in order of time, although the cloud's APIs report events late."""

from dataclasses import dataclass
from typing import Any

import pytest

from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.observer import ObservedEvent


@dataclass
class Clock:
    """Cloud time that stands where a test sets it."""

    at: float

    def now(self) -> float:
        return self.at


@dataclass
class Quiet:
    """Neither traffic nor alias."""

    results: tuple[()] = ()
    alias_samples: tuple[()] = ()


@dataclass
class QuietPace:
    """Time without traffic."""

    clock: Clock
    traffic: Quiet
    window_s: float = 120.0


def test_an_event_that_is_reported_late_is_printed_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock(0.0)
    quiet: Any = Quiet()
    pace: Any = QuietPace(clock, quiet)
    with LiveView() as view:
        view.released_at = 0.0
        view.event_observed(ObservedEvent(12.0, "alias", "second"))
        view.show(pace, quiet)
        view.event_observed(ObservedEvent(5.0, "stack", "first"))
        view.event_observed(ObservedEvent(12.0, "deployment", "third"))
        assert "first" not in capsys.readouterr().err
        clock.at = 12.0 + pace.window_s
        view.show(pace, quiet)
        printed = capsys.readouterr().err
        assert printed.index("first") < printed.index("second") < printed.index("third")
        view.event_observed(ObservedEvent(clock.at, "stack", "last"))
    assert "last" in capsys.readouterr().err
