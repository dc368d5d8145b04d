"""A cloud whose time a test steps: hours of bakes and alarm periods pass in milliseconds, and in order."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from botocore.config import Config

from serinus.offline.client.session import isolated_session
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig


class SteppedCloud:
    """A running cloud at factor 0, driven from a test's thread.

    It begins one second into a minute of cloud time, so that everything a test records before it first advances
    falls into one period.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._session = isolated_session(cloud.config.root_key, cloud.config.region)
        self.advance(61 - cloud.clock.time() % 60)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of the cloud."""
        return self._session.client(
            service,
            region_name=region,
            endpoint_url=self.cloud.config.endpoint_url,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def time(self) -> float:
        """Cloud time in epoch seconds."""
        return self.cloud.clock.time()

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0) -> None:
        """Step cloud time; returns when every due job has run to completion."""
        assert self.cloud.loop is not None
        step = self.cloud.clock.advance(seconds + 60 * minutes)
        asyncio.run_coroutine_threadsafe(step, self.cloud.loop).result(timeout=120)


@contextlib.contextmanager
def stepped(config: CloudConfig | None = None) -> Iterator[SteppedCloud]:
    """A stepped cloud on a free port, stopped at the end."""
    base = config or CloudConfig()
    with running(dataclasses.replace(base, port=0, clock_factor=0.0)) as cloud:
        yield SteppedCloud(cloud)
