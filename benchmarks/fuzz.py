"""Hostile requests by the tens of thousands: no 5xx, no leak of a traceback or a path, memory flat."""

import argparse
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from fuzzing.attacks import attacks
from fuzzing.described import examples, read_document, strategies
from fuzzing.model import make_bundle
from fuzzing.target import Handler, Request, fire
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from table import Row, main

from serinus.lambda_handlers.inference.endpoint import open_endpoint

NOTE = (
    "In this process, from proxy event to proxy response; each response is checked, and the first that "
    "violates a documented rule ends the run. Every set of requests is sent twice: `grown_mb` is the growth of "
    "resident memory during the second."
)
#: Way in, SERINUS_HOT_ROUTE, and whether events are an HTTP API's (payload 2.0) or a REST API's.
WAYS = (("hot route", "1", False), ("face", "0", False), ("hot route, HTTP API", "1", True))


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument(
        "--requests", type=int, default=12_000, help="how many to generate; each is fired six times"
    )


def measure(chosen: argparse.Namespace) -> Sequence[Row]:
    """Requests, statuses and memory, by the way in and where the requests come from."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        environ = {"SERINUS_MODEL_DIR": str(make_bundle(Path(folder))), "SERINUS_DOCS": "1"}
        rows: list[Row] = []
        requests: dict[str, list[Request]] = {}
        for way, hot, http_api in WAYS:
            with closing(open_endpoint({**environ, "SERINUS_HOT_ROUTE": hot})) as endpoint:
                requests = requests or volleys(endpoint, chosen.requests)
                fired = partial(fire, endpoint, http_api=http_api)
                rows += [{"way in": way, **fire_twice(name, made, fired)} for name, made in requests.items()]
        return rows


def volleys(handler: Handler, generated: int) -> dict[str, list[Request]]:
    """Requests by where they come from; ``generated`` from the document, besides those by hand."""
    document = read_document(handler)
    made = strategies(document)
    posts = sum(operation.startswith("POST") for operation, _ in made)
    found = {"by hand": list(attacks(document["info"]["title"], examples(document)))}
    for (operation, mode), strategy in made.items():
        source = operation if operation.startswith("POST") else "GET routes"
        found.setdefault(f"{source}, {mode}", []).extend(generate(strategy, generated // posts))
    return found


def generate(strategy: st.SearchStrategy[Request], count: int) -> list[Request]:
    """At most ``count`` requests of ``strategy``, never the same course twice."""
    made: list[Request] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(request=strategy)
    def keep(request: Request) -> None:
        made.append(request)

    keep()
    return made


def fire_twice(source: str, requests: Sequence[Request], fired: Callable[[Request], int]) -> Row:
    """What came of ``requests``."""
    begun = time.perf_counter()
    statuses = Counter(map(fired, requests))
    between_mb = resident_mb()
    statuses += Counter(map(fired, requests))
    return {
        "source": source,
        "requests": statuses.total(),
        "seconds": time.perf_counter() - begun,
        "statuses": " ".join(f"{status}: {count}" for status, count in sorted(statuses.items())),
        "grown_mb": resident_mb() - between_mb,
    }


def resident_mb() -> float:
    """Memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main("fuzz", measure, note=NOTE, arguments=arguments)
