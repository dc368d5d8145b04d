"""Traffic of a rehearsal that skips time: the requests of each stretch of cloud time, sent at its end.

The cloud does not skip time while a request is under way, so a slow or busy machine changes how long a rehearsal
takes, not how it ends.
"""

import asyncio
from typing import TYPE_CHECKING

from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.traffic import Load, RequestResult, RequestSender

if TYPE_CHECKING:
    import aiohttp

#: Concurrent requests: as many as steady traffic has under way on this machine, so that as few environments start.
AT_ONCE = 6


class BatchTraffic:
    """Sends what is due of ``load``, whose rate is per second of cloud time, at each `send_due`."""

    #: None is left out, and none is under way between batches.
    unsent = under_way = 0

    def __init__(self, load: Load, clock: CloudTime) -> None:
        self._clock, self._rate_per_s = clock, load.rate_per_s
        self._sender = RequestSender(load, clock)
        self._runner = asyncio.Runner()
        self._client: aiohttp.ClientSession | None = None
        self._since = 0.0
        self._sent = 0

    @property
    def results(self) -> list[RequestResult]:
        return self._sender.results

    def start(self) -> None:
        """Send a first request: an endpoint in use is warm."""
        self._runner.run(self._send(1))
        self._since = self._clock.now()

    def send_due(self) -> None:
        """Send the requests of the cloud time since the last call; returns when all were answered or timed out."""
        due = int((self._clock.now() - self._since) * self._rate_per_s)
        if due > self._sent:
            self._runner.run(self._send(due - self._sent))
            self._sent = due

    def stop(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._runner.run(self._client.close())
        self._runner.close()

    async def _send(self, count: int) -> None:
        client = self._client = self._client or self._sender.client(AT_ONCE)
        left = iter(range(count))

        async def send_some() -> None:
            for _ in left:
                await self._sender.send(client)

        await asyncio.gather(*(send_some() for _ in range(min(AT_ONCE, count))))
