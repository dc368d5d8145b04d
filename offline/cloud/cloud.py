"""The running cloud: its clock, its services and what they share."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from offline.clock import Clock
from offline.cloud.config import CloudConfig
from offline.services import SERVICES, moto_time
from offline.wire.service import Service

WORKER_THREADS = 64


class Cloud:
    """Owns the clock and one instance of each service of ours; `client` talks to the cloud as boto3 does."""

    def __init__(self, config: CloudConfig) -> None:
        self.config = config
        self.clock = Clock(config.clock_factor)
        self.services: dict[str, Service] = {cls.name: cls(self) for cls in SERVICES}
        self.loop: asyncio.AbstractEventLoop | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._clients_lock = threading.Lock()
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        # Threads wait for one another's calls: an alarm that publishes needs one for itself and one for SNS.
        self.loop.set_default_executor(ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="cloud"))
        moto_time.follow(self.clock)
        self._ticker = asyncio.create_task(self.clock.run(), name="clock")
        for service in self.services.values():
            await service.start()

    async def stop(self) -> None:
        moto_time.unfollow(self.clock)
        for service in reversed(self.services.values()):
            await service.stop()
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of this cloud, for services that use one another. Call it from worker threads only."""
        key = (service, region or self.config.region)
        with self._clients_lock:
            if key not in self._clients:
                session = boto3.session.Session(
                    aws_access_key_id="offline-cloud",
                    aws_secret_access_key="offline-cloud",
                    region_name=key[1],
                )
                self._clients[key] = session.client(
                    service,
                    endpoint_url=self.config.endpoint_url,
                    config=Config(
                        retries={"total_max_attempts": 1},
                        max_pool_connections=64,
                        s3={"addressing_style": "path"},
                        read_timeout=900,
                    ),
                )
            return self._clients[key]
