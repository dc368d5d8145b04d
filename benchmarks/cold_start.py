"""Cold starts, from a worker's process to its first answer, beside the floor and what people deploy instead."""

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab import packages, throttle
from lab.ablation import variants
from lab.contestants import Contestant, contestants
from lab.models import NAMES, Model, model
from lab.worker import Start, start
from table import Row, main, median

MEMORY_MB = (512, 1024, 1769)
PAGE_CACHES = ("warm", "dropped")
#: Rows of less than a second are started so many times as often as the others.
QUICK = 3
#: Starts of a slow row in the cell that the aims speak of (one CPU, warm page cache), and in every other.
RUNS, RUNS_ELSEWHERE = 5, 2
NOTE = (
    "Milliseconds from the start of a process under AWS's runtime interface client (awslambdaric) to its first "
    "answer; layers and code unpacked in folders as on Lambda. memory_mb is the CPU share that the kernel held "
    "the process to throughout, in periods of 20 ms; empty is unthrottled. Rows are interleaved; medians. `ratio` "
    "is to the floor. cpu_ms is processor time, which other work on the machine changes least."
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting in which all rows are compared."""

    model: Model
    memory_mb: int | None
    page_cache: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line narrows the measurement to."""

    runs: int | None
    models: Sequence[str]
    memory_mb: Sequence[int | None]
    page_caches: Sequence[str]
    rows: Sequence[str] | None
    ablation: bool


def measure(choice: Choice) -> Iterator[Row]:
    """One row a contestant and cell; the floor comes first in each cell, with ratio 1."""
    os.sync()  # what was just written could not be dropped
    cells = [
        Cell(model(name), memory_mb, page_cache)
        for name in choice.models
        for memory_mb in choice.memory_mb
        for page_cache in choice.page_caches
    ]
    begun = time.monotonic()
    for number, cell in enumerate(cells):
        found = variants(cell.model) if choice.ablation else contestants(cell.model)
        rivals = [rival for rival in found.values() if choice.rows is None or rival.name in choice.rows]
        yield from compare(rivals, cell, choice.runs or runs_of(cell))
        spent_s = time.monotonic() - begun
        ahead = sum(map(effort, cells[number + 1 :])) / sum(map(effort, cells[: number + 1]))
        sys.stderr.write(f"{spent_s / 60:.1f} minutes; about {spent_s * ahead / 60:.0f} more\n")


def runs_of(cell: Cell) -> int:
    """How often a slow row is started in ``cell`` unless asked otherwise."""
    return RUNS if (cell.memory_mb, cell.page_cache) == (throttle.MEGABYTES_PER_CPU, "warm") else RUNS_ELSEWHERE


def effort(cell: Cell) -> float:
    """How long ``cell`` takes, in proportion to others."""
    return runs_of(cell) * throttle.MEGABYTES_PER_CPU / (cell.memory_mb or throttle.MEGABYTES_PER_CPU)


def compare(rivals: Sequence[Contestant], cell: Cell, runs: int) -> Iterator[Row]:
    """The rows of one cell, started in turns, so that a noisy moment hits all."""
    starts: dict[str, list[Start]] = {rival.name: [] for rival in rivals}
    for number in range(runs * QUICK):
        for rival in rivals:
            known = starts[rival.name]
            if number % QUICK == 0 or known[0].cold_ms < 1000:
                known.append(_start(rival, cell))
        sys.stderr.write(".")
    sys.stderr.write(f" {cell.model.name}, {cell.memory_mb or 'unthrottled'}, page cache {cell.page_cache}\n")
    floor = median([one.cold_ms for one in starts[rivals[0].name]])
    for rival in rivals:
        yield row_of(rival, cell, starts[rival.name], floor)


def row_of(rival: Contestant, cell: Cell, starts: Sequence[Start], floor_ms: float) -> Row:
    """The row of ``rival`` in ``cell``."""
    cold = [one.cold_ms for one in starts]
    return {
        "name": rival.name,
        "model": cell.model.name,
        "memory_mb": cell.memory_mb,
        "page_cache": cell.page_cache,
        "median_ms": round(median(cold), 1),
        "min_ms": round(min(cold), 1),
        "max_ms": round(max(cold), 1),
        "ratio": round(median(cold) / floor_ms, 3),
        "init_ms": round(median([one.init_ms for one in starts]), 1),
        "cpu_ms": round(median([one.cpu_ms for one in starts]), 1),
        "peak_mb": round(median([one.peak_mb for one in starts]), 1),
        "runs": len(cold),
        "note": "; ".join(rival.notes),
    }


def _start(rival: Contestant, cell: Cell) -> Start:
    found = start(rival.function, [rival.event], cell.memory_mb, drop_cache=cell.page_cache == "dropped")
    rival.check(found.answer, cell.model.label)
    return found


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runs",
        type=int,
        help=f"starts of each slow row, {RUNS} at one CPU with a warm page cache and else {RUNS_ELSEWHERE}; "
        "quick ones start three times as often",
    )
    parser.add_argument("--model", choices=NAMES, action="append", help="only this model")
    parser.add_argument(
        "--memory", type=int, action="append", help="only this memory size in MB; 0 for unthrottled"
    )
    parser.add_argument("--page-cache", choices=PAGE_CACHES, action="append", help="only with this page cache")
    parser.add_argument("--row", action="append", help="only this row, and the floor")
    parser.add_argument("--ablation", action="store_true", help="the choices of our init, each left out in turn")


def _choice(arguments: argparse.Namespace) -> Choice:
    choice = Choice(
        runs=arguments.runs,
        models=arguments.model or NAMES,
        memory_mb=[size or None for size in arguments.memory] if arguments.memory else (*MEMORY_MB, None),
        page_caches=arguments.page_cache or PAGE_CACHES,
        rows=["floor", *arguments.row] if arguments.row else None,
        ablation=arguments.ablation,
    )
    if any(choice.memory_mb) and (reason := throttle.why_not()):
        sys.stderr.write(f"{reason}\n")
        choice = dataclasses.replace(choice, memory_mb=(None,))
    return choice


if __name__ == "__main__":
    main(
        "cold_start",
        lambda arguments: list(measure(_choice(arguments))),
        note=f"{NOTE} {packages.python_note()}",
        arguments=_arguments,
    )
