"""An hour of an endpoint: its lines, each once, summed into five-minute blocks.

A line that is collected twice counts once, by its environment and number. One that is collected after its hour was
looked at counts in the next look, since evidence that was published cannot be taken back.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.monitored import ProfileLine
from serinus.lambda_handlers.monitoring.store import HOUR_S, CollectedObject, Store

BLOCK_S = 300
#: CloudWatch Logs tries to deliver a batch for a day, and may deliver it again. So long are objects looked for,
#: under the hour in which their lines were logged, and known as counted.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
DELIVERY_HOURS = 25


@dataclass(slots=True)
class Block:
    """Sums over five minutes: counts by stream as on a line."""

    requests: int = 0
    refused: int = 0
    rows: int = 0
    counts: list[int] = field(default_factory=list)

    def add(self, line: ProfileLine) -> None:
        """Count ``line``; raises `ContractError` where it has another number of streams."""
        before = self.counts or [0] * len(line.counts)
        if len(before) != len(line.counts):
            raise ContractError(f"a line has {len(line.counts)} counts; {len(before)} are required")
        self.requests += line.requests
        self.refused += line.refused
        self.rows += line.rows
        self.counts = [sum(pair) for pair in zip(before, line.counts, strict=True)]


@dataclass(slots=True)
class Hour:
    """Blocks by baseline and start, in steps of `BLOCK_S` since 1970; ``late`` rows belong to earlier hours."""

    hour: int
    blocks: dict[str, dict[int, Block]] = field(default_factory=dict)
    late: int = 0

    def add(self, line: ProfileLine) -> None:
        """Count ``line``; raises `ContractError` where it has another number of streams than others."""
        self.blocks.setdefault(line.baseline, {}).setdefault(int(line.since) // BLOCK_S, Block()).add(line)
        self.late += line.rows if int(line.since) // HOUR_S < self.hour else 0

    def total(self, name: str) -> int:
        """The sum of ``requests``, ``refused`` or ``rows`` over all baselines."""
        return sum(getattr(block, name) for blocks in self.blocks.values() for block in blocks.values())

    def to_json(self) -> dict[str, Any]:
        """Plain data: by baseline, blocks of start in seconds, requests, refused, rows and counts."""
        return {
            "hour": self.hour,
            "late": self.late,
            "blocks": {
                baseline: [
                    [start * BLOCK_S, block.requests, block.refused, block.rows, block.counts]
                    for start, block in sorted(blocks.items())
                ]
                for baseline, blocks in sorted(self.blocks.items())
            },
        }


@dataclass(slots=True)
class Counted:
    """What was counted already: names of ``objects`` by the hour in which their lines were logged, and by
    environment the numbers of its ``lines``, as ranges of first and last, with the last hour it was seen in."""

    objects: dict[int, set[str]] = field(default_factory=dict)
    lines: dict[str, tuple[int, list[list[int]]]] = field(default_factory=dict)

    def claim(self, line: ProfileLine, hour: int) -> bool:
        """Whether ``line`` was not counted before; from now on it is."""
        _, ranges = self.lines.get(line.environment, (hour, []))
        number = line.sequence
        if any(first <= number <= last for first, last in ranges):
            return False
        merged: list[list[int]] = []
        for first, last in sorted([*ranges, [number, number]]):
            if merged and first == merged[-1][1] + 1:
                merged[-1][1] = last
            else:
                merged.append([first, last])
        self.lines[line.environment] = (hour, merged)
        return True

    def forget(self, hour: int) -> None:
        """Leave out what no later delivery can repeat."""
        self.objects = {at: names for at, names in self.objects.items() if at > hour - DELIVERY_HOURS}
        self.lines = {name: kept for name, kept in self.lines.items() if kept[0] > hour - DELIVERY_HOURS}

    def to_json(self) -> dict[str, Any]:
        return {
            "objects": {str(hour): sorted(names) for hour, names in self.objects.items()},
            "lines": {name: [hour, ranges] for name, (hour, ranges) in self.lines.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Counted":
        objects = {int(hour): set(names) for hour, names in data["objects"].items()}
        return cls(objects, {name: (hour, ranges) for name, (hour, ranges) in data["lines"].items()})


def read_hours(
    store: Store, function: str, hours: range, listed: Iterable[CollectedObject], counted: Counted
) -> list[Hour]:
    """The sums of ``hours`` from the objects of ``listed`` that were not ``counted``, which then are. What belongs
    to hours before counts in the first; what belongs to later ones is left."""
    sums = {hour: Hour(hour) for hour in hours}
    for item in listed:
        names = counted.objects.setdefault(item.logged, set())
        if item.hour >= hours.stop or f"{item.hour}-{item.name}" in names:
            continue
        names.add(f"{item.hour}-{item.name}")
        target = sums[max(item.hour, hours.start)]
        for text in store.get_lines(item):
            try:
                line = ProfileLine.from_json(json.loads(text))
                if counted.claim(line, hours[-1]):
                    target.add(line)
            except (ContractError, ValueError) as error:
                journal.write("a line was left out", function=function, error=str(error))
    return list(sums.values())
