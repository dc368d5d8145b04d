"""Sends steady traffic of golden rows and records what the endpoint's clients would see of a release.

The load is open-loop: requests are sent on schedule whether or not earlier ones were answered, as by many clients,
so that a slow version shows as latency and not as less traffic.
"""

import asyncio
import contextlib
import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.request_auth import RequestAuth
from serinus.lambda_handlers.contract import signals

if TYPE_CHECKING:
    import aiohttp

#: Real seconds that a client waits: a little more than API Gateway does.
PATIENCE_S = 35.0
#: Concurrent requests; above it this machine would be measured, not the release.
MOST_AT_ONCE = 128
#: Real seconds until the rate is reached.
RAMP_S = 1.0
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class RequestResult:
    """One request: when it was sent and answered (cloud time, epoch seconds), and its latency in real ms.

    ``status`` is 0 without a response; versions are empty if the response names none, as API Gateway's errors do.
    """

    at: float
    answered_at: float
    status: int
    version: str
    model_version: str
    latency_ms: float
    non_finite: bool = False

    @property
    def failed(self) -> bool:
        """No response, or a server error."""
        return self.status == NO_ANSWER or self.status >= 500


@dataclass(frozen=True, slots=True)
class Load:
    """Where requests are sent, their rows, and how many per second: of cloud time if it is skipped, else real."""

    url: str
    caller: RequestAuth
    rows: Sequence[dict[str, Any]]
    rate_per_s: float
    seed: int | None = None


class RequestSender:
    """Sends single requests of ``load``; ``results`` grows with each."""

    def __init__(self, load: Load, clock: CloudTime) -> None:
        self.results: list[RequestResult] = []
        self._load = load
        self._clock = clock
        self._bodies = [json.dumps({"rows": [row]}).encode() for row in load.rows]
        self._dice = random.Random(load.seed)

    @staticmethod
    def client(at_once: int) -> "aiohttp.ClientSession":
        """A client for at most ``at_once`` requests at the same time; create it on a running event loop."""
        import aiohttp  # a seventh of httpx's time for a request, which the cloud on this machine needs itself

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=at_once), timeout=aiohttp.ClientTimeout(total=PATIENCE_S)
        )

    async def send(self, client: "aiohttp.ClientSession") -> None:
        from aiohttp import ClientError

        url, body = f"{self._load.url}/predict", self._dice.choice(self._bodies)
        headers_sent = self._load.caller.headers(url, body)
        sent_at, began = self._clock.now(), time.perf_counter()
        status: int = NO_ANSWER
        headers: Mapping[str, str] = {}
        # Failures on the way are what is counted.
        with contextlib.suppress(OSError, TimeoutError, ClientError):
            async with client.post(url, data=body, headers=headers_sent) as response:
                await response.read()
                status, headers = response.status, response.headers
        latency_ms = (time.perf_counter() - began) * 1000
        self.results.append(
            RequestResult(
                at=sent_at,
                answered_at=self._clock.now(),
                status=status,
                version=headers.get(signals.HEADER_FUNCTION_VERSION, ""),
                model_version=headers.get(signals.HEADER_MODEL_VERSION, ""),
                latency_ms=latency_ms,
                non_finite=signals.HEADER_NON_FINITE_ROWS in headers,
            )
        )


class Traffic:
    """Sends from a thread of its own between `start` and `stop`; ``results`` grows meanwhile."""

    def __init__(self, load: Load, clock: CloudTime) -> None:
        #: Requests that were not sent because too many were under way.
        self.unsent = 0
        #: Requests that were sent and not answered yet.
        self.under_way = 0
        self._sender = RequestSender(load, clock)
        self._rate_per_s = load.rate_per_s
        self._flowing, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="traffic", daemon=True)

    @property
    def results(self) -> list[RequestResult]:
        return self._sender.results

    def start(self) -> None:
        """Send a first request, and ramp the rate up once it was answered: an endpoint in use is warm."""
        self._thread.start()
        self._flowing.wait(PATIENCE_S)

    def stop(self) -> None:
        """Send no more requests; returns when those under way were answered or timed out."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    async def _run(self) -> None:
        tasks: set[asyncio.Task[None]] = set()
        async with self._sender.client(MOST_AT_ONCE) as client:
            await self._sender.send(client)
            self._flowing.set()
            began, sent = time.monotonic(), 0
            while not self._over.is_set():
                due = int(self._due(time.monotonic() - began)) + 1
                for _ in range(due - sent):
                    if len(tasks) >= MOST_AT_ONCE:
                        self.unsent += 1
                        continue
                    task = asyncio.create_task(self._sender.send(client))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                sent, self.under_way = due, len(tasks)
                await asyncio.sleep(1 / self._rate_per_s)
            if tasks:
                await asyncio.wait(tasks)

    def _due(self, seconds: float) -> float:
        """Requests to send in ``seconds``: the rate ramps up, so that few environments start."""
        grown_s = min(seconds, RAMP_S)
        return self._rate_per_s * (grown_s**2 / 2 / RAMP_S + seconds - grown_s)
