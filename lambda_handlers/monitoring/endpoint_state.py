"""What the monitor remembers of an endpoint from one look to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serinus.lambda_handlers.monitoring.hours import Counted

VERSION = 1
DAY_HOURS = 24


@dataclass(slots=True)
class BaselineState:
    """Of the versions that count under one baseline.

    ``clocks`` is their evidence as `Clocks.to_json` has it, ``looks`` the last look of each clock as reported,
    ``recent`` the sums [hour, requests, refused, rows, counts] of the last day's hours.
    """

    clocks: dict[str, Any] | None = None
    looks: dict[str, Any] = field(default_factory=dict)
    recent: list[list[Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {"clocks": self.clocks, "looks": self.looks, "recent": self.recent}


@dataclass(slots=True)
class EndpointState:
    """``hour`` is the last that was looked at, None before the first. ``coverage`` are [hour, requests on lines,
    invocations] of the last day; ``findings`` those that stand, as reported."""

    hour: int | None = None
    counted: Counted = field(default_factory=Counted)
    baselines: dict[str, BaselineState] = field(default_factory=dict)
    coverage: list[list[int]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "hour": self.hour,
            "counted": self.counted.to_json(),
            "baselines": {name: state.to_json() for name, state in self.baselines.items()},
            "coverage": self.coverage,
            "findings": self.findings,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "EndpointState":
        """Read `to_json`'s data; a state of another version begins anew."""
        if data.get("version") != VERSION:
            return cls()
        return cls(
            data["hour"],
            Counted.from_json(data["counted"]),
            {name: BaselineState(**state) for name, state in data["baselines"].items()},
            data["coverage"],
            data["findings"],
        )

    def forget(self, hour: int) -> None:
        """Leave out what is older than a day, and baselines that no version counts under any more."""
        self.counted.forget(hour)
        self.coverage = [item for item in self.coverage if item[0] > hour - DAY_HOURS]
        for state in self.baselines.values():
            state.recent = [item for item in state.recent if item[0] > hour - DAY_HOURS]
