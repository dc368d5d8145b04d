"""What a million predictions cost: on demand, restored, provisioned, and in a container that is always on."""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

from lab import prices, throttle
from lab.contestants import serinus
from lab.models import model
from lab.worker import start
from table import Row, main, median

from serinus.infra.prices import (
    AS_OF,
    PER_GB_SECOND,
    PER_MILLION_CALLS,
    PER_MILLION_INVOCATIONS,
    PROVISIONED_PER_GB_SECOND,
    SNAPSHOT_PER_GB_SECOND,
)

MEMORY_MB = (128, 256, 512, 1024, 1769, 3008)
WARM_REQUESTS = 40
COLD_SHARE = 0.01
SECONDS_A_MONTH = 30 * 24 * 3600
PREDICTIONS = 1_000_000
ARCHITECTURE = "x86_64"
#: The smallest pair of Fargate tasks in two zones: half a CPU and a GB each.
TASKS, TASK_VCPU, TASK_GB = 2, 0.5, 1.0
NOTE = (
    f"US dollars for a million predictions of one row in a month, us-east-1, prices of {AS_OF}, "
    f"{ARCHITECTURE}, without free tiers and logs (costs.md). Measured here: duration and init under "
    f"each size's CPU share, small boosting model; {COLD_SHARE:.0%} of requests are cold. INIT is billed like "
    "duration; duration rounds up to whole ms. snapstart keeps one version's snapshot all month and restores for "
    "each cold request. provisioned "
    "keeps one environment ready all month and bills no init. The container is two Fargate tasks of half a CPU "
    "and a GB and a load balancer, however few requests come. `api` is a REST API's price on top, for all but the "
    "container."
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians at one memory size, in milliseconds."""

    memory_mb: int
    init_ms: float
    warm_ms: float

    @property
    def gigabytes(self) -> float:
        return self.memory_mb / 1024


def measure(runs: int) -> Iterator[Row]:
    """A row for each memory size, and one for the container."""
    if reason := throttle.why_not():
        raise SystemExit(f"{reason}; costs by memory size need throttling")
    for memory_mb in MEMORY_MB:
        yield price(time_at(memory_mb, runs))
    hours = SECONDS_A_MONTH / 3600
    task = TASK_VCPU * prices.FARGATE_PER_VCPU_HOUR + TASK_GB * prices.FARGATE_PER_GB_HOUR
    yield {
        "name": "container, always on",
        "container_usd": round(hours * (TASKS * task + prices.BALANCER_PER_HOUR), 2),
    }


def time_at(memory_mb: int, runs: int) -> Measured:
    """Init and warm duration of our function under the CPU share of ``memory_mb``, each billed by itself."""
    contestant = serinus(model("boosting"))
    starts = [start(contestant.function, [contestant.event] * (WARM_REQUESTS + 1), memory_mb) for _ in range(runs)]
    warm = [duration for one in starts for duration in one.warm_ms]
    return Measured(memory_mb, median([one.init_ms for one in starts]), median(warm))


def price(found: Measured) -> Row:
    """Dollars for `PREDICTIONS` at one memory size, by what is done about cold starts."""
    billed_s = math.ceil(found.warm_ms) / 1000 * PREDICTIONS
    cold = PREDICTIONS * COLD_SHARE
    init_s = found.init_ms / 1000 * cold
    requests = PER_MILLION_INVOCATIONS * PREDICTIONS / 1e6
    a_second = found.gigabytes * PER_GB_SECOND[ARCHITECTURE]
    duration, init = billed_s * a_second, init_s * a_second
    snapshot = found.gigabytes * (SNAPSHOT_PER_GB_SECOND * SECONDS_A_MONTH + prices.RESTORE_PER_GB * cold)
    ready = found.gigabytes * (
        PROVISIONED_PER_GB_SECOND[ARCHITECTURE] * SECONDS_A_MONTH
        + prices.PROVISIONED_DURATION_PER_GB_SECOND[ARCHITECTURE] * billed_s
    )
    return {
        "name": "serinus",
        "memory_mb": found.memory_mb,
        "init_ms": round(found.init_ms, 1),
        "warm_ms": round(found.warm_ms, 3),
        "on_demand_usd": round(requests + duration + init, 3),
        "of_it_init_usd": round(init, 3),
        "snapstart_usd": round(requests + duration + snapshot, 3),
        "provisioned_usd": round(requests + ready, 3),
        "api_usd": PER_MILLION_CALLS["rest"] * PREDICTIONS / 1e6,
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=5, help="starts at each memory size")


if __name__ == "__main__":
    main("cost", lambda arguments: list(measure(arguments.runs)), note=NOTE, arguments=_arguments)
