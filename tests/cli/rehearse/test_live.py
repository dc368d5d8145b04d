"""Lines of a rehearsal are printed in order of time, although the cloud's APIs report events late."""

from dataclasses import dataclass
from typing import Any

import pytest

from serinus.cli.rehearse.live import ORDER_S, LiveView
from serinus.cli.rehearse.observer import ObservedEvent


@dataclass
class Clock:
    """Cloud time that stands where a test sets it."""

    at: float
    speed: float = 60.0

    def now(self) -> float:
        return self.at


@dataclass
class Quiet:
    """Neither traffic nor alias."""

    results: tuple[()] = ()
    alias_samples: tuple[()] = ()


def test_an_event_that_is_reported_late_is_printed_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    clock: Any = Clock(0.0)
    quiet: Any = Quiet()
    with LiveView() as view:
        view.released_at = 0.0
        view.event_observed(ObservedEvent(12.0, "alias", "second"))
        view.show(quiet, quiet, clock)
        view.event_observed(ObservedEvent(5.0, "stack", "first"))
        view.event_observed(ObservedEvent(12.0, "deployment", "third"))
        assert "first" not in capsys.readouterr().err
        clock.at = 12.0 + ORDER_S * clock.speed
        view.show(quiet, quiet, clock)
        printed = capsys.readouterr().err
        assert printed.index("first") < printed.index("second") < printed.index("third")
        view.event_observed(ObservedEvent(clock.at, "stack", "last"))
    assert "last" in capsys.readouterr().err
