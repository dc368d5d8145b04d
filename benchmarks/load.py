"""Load: requests a second at saturation with 1 to 8 clients, and a soak under which workers are killed."""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lab.gateway import create_api, create_function
from lab.load import Load, load
from lab.models import Model, model
from lab.offline_cloud import BenchCloud
from lab.servers import Server, Target, bentoml, uvicorn
from table import Row, main, median

CLIENTS = (1, 2, 4, 8)
ROUNDS = 3
SOAK_CLIENTS = 8
#: Seconds between two workers' deaths, on average.
KILL_EVERY_S = 2.0
SAMPLE_EVERY_S = 5.0
#: What a gateway may answer for a function that died or is busy; with a JSON message each.
DEFINED = (429, 500, 502, 503, 504)
NOTE = (
    "One row a request (gradient boosting, 30 numbers), over loopback, with the load generator on the same "
    "cores. Saturation: each client sends its next request as soon as it has a response; medians of "
    "interleaved rounds; `ratio` is to the same server's rate with one client. The other servers have one "
    "worker per client. `serinus` runs behind the offline cloud's gateway, which starts a worker when the pace "
    "of the others requires it: each request passes the cloud's API Gateway and Lambda to a worker under AWS's "
    "runtime client. On AWS those two run elsewhere, and workers do not share a machine's cores with them. The "
    "soak sends at a steady rate, with latency measured from the time at which a request was due, while a "
    "random worker is killed every two seconds on average; `lost` requests had no response, `undefined` ones "
    "neither 200 nor a gateway's error in JSON, `wrong` ones another prediction. `grown_mb` is the growth of "
    "the cloud's own memory during the soak's second half, including its stored logs."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--soak-seconds", type=float, default=600, help="how long the soak lasts; 0 leaves it out")
    parser.add_argument("--rate", type=float, default=100, help="requests a second of the soak")
    parser.add_argument(
        "--seconds", type=float, default=5, help="how long each round at saturation lasts; 0: none"
    )


def measure(chosen: argparse.Namespace) -> Sequence[Row]:
    """Rows at saturation, then that of the soak."""
    trained, rows = model("boosting"), []
    if chosen.seconds:
        for clients in CLIENTS:
            rows += saturation(trained, clients, chosen.seconds)
        add_ratios(rows)
    if chosen.soak_seconds:
        rows.append(soak(trained, chosen.rate, chosen.soak_seconds))
    return rows


@contextlib.contextmanager
def serinus(trained: Model, _workers: int) -> Iterator[Target]:
    """Our function behind the offline cloud, which starts workers as it sees fit."""
    with deployed(trained) as (_, target):
        yield target


@contextlib.contextmanager
def deployed(trained: Model) -> Iterator[tuple[BenchCloud, Target]]:
    """A cloud of its own with our function behind a REST API."""
    with BenchCloud() as cloud:
        create_function(cloud.client, trained.bundle)
        url = f"{cloud.url}/_gateway/{create_api(cloud.client('apigateway'))}/live/predict"
        yield cloud, Target(url, json.dumps({"rows": trained.rows[:1]}).encode())


SERVERS: dict[str, Server] = {"serinus": serinus, "uvicorn + FastAPI + ONNX": uvicorn, "BentoML": bentoml}


def saturation(trained: Model, clients: int, seconds: float) -> list[Row]:
    """A row for each server, all of them up, one asked at a time by ``clients`` clients."""
    done: dict[str, list[Load]] = {name: [] for name in SERVERS}
    with contextlib.ExitStack() as stack:
        targets = {name: stack.enter_context(server(trained, clients)) for name, server in SERVERS.items()}
        for target in targets.values():
            ask(target, clients, 1.0)
        for _ in range(ROUNDS):
            for name, target in targets.items():
                done[name].append(ask(target, clients, seconds))
        sys.stderr.write(f"saturation with {clients} clients: done\n")
    return [saturation_row(name, clients, loads) for name, loads in done.items()]


def ask(target: Target, clients: int, seconds: float) -> Load:
    return load(target.url, clients=clients, requests=10_000_000, limit_s=seconds, body=target.body)


def saturation_row(name: str, clients: int, loads: Sequence[Load]) -> Row:
    return {
        "name": name,
        "clients": clients,
        "per_s": round(median([each.rate for each in loads]), 1),
        "p50_ms": round(median([each.percentile_ms(50) for each in loads]), 2),
        "p99_ms": round(median([each.percentile_ms(99) for each in loads]), 2),
        "answered": sum(each.answered for each in loads),
        "failed": sum(each.failed for each in loads),
    }


def add_ratios(rows: list[Row]) -> None:
    """How each server's rate grows with the number of clients."""
    alone = {row["name"]: row["per_s"] for row in rows if row["clients"] == 1}
    for row in rows:
        row["ratio"] = round(row["per_s"] / alone[row["name"]], 2)


@dataclass(slots=True)
class Watched:
    """What was done and seen while the load went on: workers killed, the cloud's memory by time."""

    kills: int = 0
    memory_mb: list[float] = field(default_factory=list)


def soak(trained: Model, rate: float, seconds: float) -> Row:
    """The row of a soak at ``rate`` requests a second."""
    with deployed(trained) as (cloud, target):
        ask(target, SOAK_CLIENTS, 2.0)
        (right,) = ask(target, 1, 0.5).bodies
        watched, over = Watched(), threading.Event()
        watching = threading.Thread(target=watch, args=(cloud, watched, over))
        watching.start()
        requests = int(rate * seconds)
        done = load(
            target.url,
            clients=SOAK_CLIENTS,
            requests=requests,
            limit_s=seconds * 2,
            body=target.body,
            rate=rate,
        )
        over.set()
        watching.join()
        after = ask(target, 1, 0.5)
    return soak_row(done, watched, rate, right, recovered=after.failed == 0)


def watch(cloud: BenchCloud, watched: Watched, over: threading.Event) -> None:
    """Kill workers at random and note the cloud's memory until it is ``over``."""
    dice, begun = random.Random(1), time.monotonic()
    while not over.wait(dice.uniform(0, 2 * KILL_EVERY_S)):
        if pids := cloud.worker_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(pids), signal.SIGKILL)
                watched.kills += 1
        if len(watched.memory_mb) <= (time.monotonic() - begun) / SAMPLE_EVERY_S:
            watched.memory_mb.append(cloud.own_memory_mb())
            sys.stderr.write(f"soak: {time.monotonic() - begun:.0f} s, {watched.kills} workers killed\n")


def soak_row(done: Load, watched: Watched, rate: float, right: bytes, *, recovered: bool) -> Row:
    memory = watched.memory_mb
    return {
        "name": f"soak, {rate:g} a second",
        "seconds": round(done.seconds, 1),
        "per_s": round(done.rate, 1),
        "p50_ms": round(done.percentile_ms(50), 2),
        "p99_ms": round(done.percentile_ms(99), 2),
        "max_ms": round(max(done.latencies_ms), 1),
        "answered": done.answered,
        "lost": done.lost,
        "undefined": sum(count for (status, body), count in done.others.items() if not is_defined(status, body)),
        "wrong": len(done.latencies_ms) - done.bodies[right],
        "statuses": " ".join(f"{status}: {count}" for status, count in sorted(done.statuses.items())),
        "killed": watched.kills,
        "recovered": "yes" if recovered else "no",
        "memory_mb": round(memory[-1], 1),
        "grown_mb": round(memory[-1] - memory[len(memory) // 2], 1),
    }


def is_defined(status: int, body: bytes) -> bool:
    """Whether an error is one that a gateway documents: a status of its own, and a message in JSON."""
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return status in DEFINED and isinstance(told, dict) and bool(told.get("message") or told.get("detail"))


if __name__ == "__main__":
    main("load", measure, note=NOTE, arguments=arguments)
