"""Hostile requests by the tens of thousands: no 5xx, no leak of a traceback or a path, memory flat."""

import argparse
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fuzzing.attacks import attacks
from fuzzing.described import examples, read_document, strategies
from fuzzing.model import make_bundle
from fuzzing.target import Handler, Request, fire
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from table import Row, main

from lambda_handlers.inference.endpoint import open_endpoint

NOTE = (
    "In this process, from proxy event to proxy answer; each answer is looked over, and the first that breaks a "
    "promise ends the run. The attacks by hand run twice, before and after all else: `grown_mb`, resident memory "
    "after a row against before it, then shows in the last row what repetition costs."
)
_BY_HAND = "by hand"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--requests", type=int, default=30_000, help="generated requests in all (30000)")


def measure(chosen: argparse.Namespace) -> Sequence[Row]:
    """Requests, statuses and memory, by the way in and where the requests come from."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(Path(folder))
        rows: list[Row] = []
        for way, hot in (("hot route", "1"), ("face", "0")):
            environ = {"SERINUS_MODEL_DIR": str(bundle), "SERINUS_DOCS": "1", "SERINUS_HOT_ROUTE": hot}
            endpoint = open_endpoint(environ)
            rows += [{"way in": way, **row} for row in volleys(endpoint, chosen.requests // 2)]
            endpoint.close()
        return rows


def volleys(handler: Handler, generated: int) -> list[Row]:
    """One row for each source of requests."""
    document = read_document(handler)
    by_hand = list(attacks(document["info"]["title"], examples(document)))
    rows = [volley(_BY_HAND, lambda counted: [counted(request) for request in by_hand], handler)]
    made = strategies(document)
    for (operation, mode), strategy in made.items():
        name = f"{operation}, {mode}"
        rows.append(
            volley(name, lambda counted, s=strategy: generate(s, counted, generated // len(made)), handler)
        )
    rows.append(volley(f"{_BY_HAND}, again", lambda counted: [counted(request) for request in by_hand], handler))
    return rows


def volley(name: str, run: Callable[[Callable[[Request], None]], Any], handler: Handler) -> Row:
    """All requests of one source."""
    statuses: Counter[int] = Counter()
    before_mb, begun = resident_mb(), time.perf_counter()

    def counted(request: Request) -> None:
        statuses[fire(handler, request)] += 1

    run(counted)
    told = " ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    row = {"source": name, "requests": statuses.total(), "seconds": time.perf_counter() - begun}
    return {**row, "statuses": told, "grown_mb": resident_mb() - before_mb}


def generate(strategy: st.SearchStrategy[Request], counted: Callable[[Request], None], count: int) -> None:
    """Ask ``count`` requests of ``strategy``, never the same course twice."""

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(request=strategy)
    def ask(request: Request) -> None:
        counted(request)

    ask()


def resident_mb() -> float:
    """Memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main("fuzz", measure, note=NOTE, arguments=arguments)
