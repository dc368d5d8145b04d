"""The running cloud: its clock, its services and their shared parts."""

import asyncio
import contextlib
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.config import Config

from serinus.offline.authentication.authenticator import Authenticator
from serinus.offline.authentication.credentials import CredentialStore
from serinus.offline.authorization.authorizer import Authorizer
from serinus.offline.client.own_api import OwnApi
from serinus.offline.client.session import isolated_session
from serinus.offline.cloud.registry import Services
from serinus.offline.cloud.state import Snapshot, StateFolder, StateKeeper
from serinus.offline.cloud.state_manifest import SavedClock
from serinus.offline.cloud.wiring import connect
from serinus.offline.core.clock import Clock
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.errors import OfflineError
from serinus.offline.core.steps import Steps
from serinus.offline.moto import state as moto_state
from serinus.offline.moto import time as moto_time

WORKER_THREADS = 64


class Cloud:
    """Owns the clock and one instance of each service of ours; `client` talks to the cloud as boto3 does."""

    def __init__(self, config: CloudConfig) -> None:
        """Raises `OfflineError` if there is a state folder that cannot be used."""
        self.config = config
        self._folder = StateFolder(config.state_dir, config.account_id) if config.state_dir else None
        #: The parts of the state to restore at the start.
        self._saved: dict[str, Any] = {}
        saved = self._folder.clock if self._folder else None
        self.clock = Clock(config.clock_factor, saved.restart() if saved else None)
        #: Cloud seconds that passed between the end of the cloud whose state this one resumed and its start.
        self.slept_s = 0.0
        self.steps = Steps()
        self.authorizer = Authorizer(self)
        self.credentials = CredentialStore(config.account_id, config.root_key)
        self.authenticator = Authenticator(
            self.credentials, lambda key_id: self.authorizer.session(key_id) is not None, self.clock.time
        )
        self.services = Services(self)
        connect(self.services, self.authorizer)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._clients_lock = threading.Lock()
        # Service models are loaded once a session: a session a client would load them again and again.
        self._session = isolated_session(config.root_key, config.region)
        self._ticker: asyncio.Task[None] | None = None
        self._keeper: StateKeeper | None = None
        if self._folder is not None:
            self._read(self._folder)

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        # Threads wait for one another's calls: an alarm that publishes needs one for itself and one for SNS.
        self.loop.set_default_executor(ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="cloud"))
        moto_time.follow(self.clock)
        if self._folder is not None:
            self._restore(self._folder)
        self._ticker = asyncio.create_task(self.clock.run(), name="clock")
        for service in self.services.by_name.values():
            await service.start()
        if self._folder is not None:
            self._keeper = StateKeeper(self._folder, self.clock, self.steps, self._snapshots())
            self._keeper.start()

    async def stop(self) -> None:
        # First of all: running work is saved as it is, not as stopping leaves it.
        if self._keeper is not None:
            await self._keeper.stop()
        moto_time.unfollow(self.clock)
        for service in reversed(self.services.by_name.values()):
            await service.stop()
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker

    def own_api(self) -> OwnApi:
        """A client of the API below /_offline. Do not call it from the event loop's thread."""
        return OwnApi(self.config.endpoint_url, self.config.root_key)

    def save_soon(self) -> None:
        """Write the state at once if it is kept at all: after a step that must not be repeated."""
        if self._keeper is not None:
            self._keeper.soon()

    def _snapshots(self) -> dict[str, Snapshot]:
        account_id = self.config.account_id
        return {name: service.snapshot for name, service in self.services.by_name.items()} | {
            f"moto-{name}": functools.partial(moto_state.snapshot, name, account_id)
            for name in moto_state.SERVICES
        }

    def _read(self, folder: StateFolder) -> None:
        """Read the state before anything runs, so that a damaged one ends the cloud by its message alone."""
        try:
            self._saved = folder.parts([*(f"moto-{name}" for name in moto_state.SERVICES), *self.services.by_name])
            folder.require_writable(SavedClock.of(self.clock))
        except OfflineError:
            folder.close()
            raise

    def _restore(self, folder: StateFolder) -> None:
        if folder.clock is None:
            return
        for name in moto_state.SERVICES:
            if f"moto-{name}" in self._saved:
                moto_state.restore(name, self._saved[f"moto-{name}"])
        for name, service in self.services.by_name.items():
            if self._saved.get(name) is not None:
                service.restore(self._saved[name])
        self._saved = {}
        self.slept_s = self.clock.time() - folder.clock.cloud

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of this cloud, for calls between services. Call it from worker threads only."""
        key = (service, region or self.config.region)
        with self._clients_lock:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    key[1],
                    endpoint_url=self.config.endpoint_url,
                    config=Config(
                        retries={"total_max_attempts": 1},
                        max_pool_connections=64,
                        s3={"addressing_style": "path"},
                        read_timeout=900,
                    ),
                )
            return self._clients[key]
