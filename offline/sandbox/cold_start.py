"""Starts workers: init, its retry, the snapshot and the restore, with the log lines of each.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from serinus.offline.core.clock import Clock, monotonic
from serinus.offline.core.errors import OfflineError
from serinus.offline.sandbox.faults import Faults
from serinus.offline.sandbox.first_inits import FirstInits
from serinus.offline.sandbox.journal import WorkerLog
from serinus.offline.sandbox.outcomes import SignalOutcome, init_status, outcome_of
from serinus.offline.sandbox.platform_log import PlatformLog
from serinus.offline.sandbox.pool import Capacity, Pool
from serinus.offline.sandbox.provisioning import Preparation, PreparedFunction, stream_name
from serinus.offline.sandbox.signals import Parked, Ready, Signal
from serinus.offline.sandbox.spec import FunctionSpec, InitializationType
from serinus.offline.sandbox.worker import Worker

logger = logging.getLogger(__name__)

#: Real seconds that AWS allows for init, on demand; the retry within the invocation has the function's timeout.
INIT_LIMIT_S = 10.0
#: Init of SnapStart and provisioned environments may take 15 minutes.
LONG_INIT_LIMIT_S = 900.0
RESTORE_LIMIT_S = 10.0

WriteLog = Callable[[FunctionSpec, str, list[tuple[float, str]]], None]
Announce = Callable[[int, bool], None]


@dataclass(frozen=True, slots=True)
class StartedWorker:
    """A ready worker and the durations of its start; or, without a worker, the reason."""

    journal: WorkerLog
    worker: Worker | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    failure: SignalOutcome | None = None
    #: The request's START line is already in the log.
    request_logged: bool = False


class ColdStart:
    """Starts workers for pools, each with its own log stream."""

    def __init__(
        self,
        preparation: Preparation,
        capacity: Capacity,
        clock: Clock,
        faults: Faults,
        first_inits: FirstInits,
        dice: random.Random,
        write_log: WriteLog,
        announce: Announce,
        on_gone: Callable[[Pool, Worker], None],
    ) -> None:
        self._preparation = preparation
        self._capacity = capacity
        self._clock = clock
        self._faults = faults
        self._first_inits = first_inits
        self._dice = dice
        self._write_log = write_log
        self._announce = announce
        self._on_gone = on_gone

    async def for_request(self, pool: Pool, request_id: str) -> StartedWorker:
        """A worker for a request, in room already counted for it."""
        spec = pool.spec
        journal, stream = self._journal(spec)
        prepared = await self._prepare(pool, journal)
        if isinstance(prepared, StartedWorker):
            return prepared
        if spec.snap_start:
            return await self._restored(pool, prepared, journal, stream, request_id)
        return await self._with_retry(pool, prepared, journal, stream, request_id)

    async def ahead(self, pool: Pool, initialization: InitializationType, *, muted: bool = False) -> StartedWorker:
        """A worker started ahead of requests: provisioned, or the snapshot of a SnapStart version.

        ``muted`` omits its init from the log, for workers that AWS would have cloned.
        """
        journal, stream = self._journal(pool.spec)
        journal.muted = muted
        prepared = await self._prepare(pool, journal)
        if isinstance(prepared, StartedWorker):
            return prepared
        log = PlatformLog(pool.spec)
        journal.write(*self._preface(log, prepared, initialization))
        worker, signal, init_ms = await self._launch(
            pool, prepared, journal, stream, initialization, LONG_INIT_LIMIT_S
        )
        if isinstance(signal, Ready | Parked):
            return StartedWorker(journal, worker, init_ms)
        return self._failed(worker, journal, signal, init_ms, "")

    async def restore(self, worker: Worker, request_id: str) -> StartedWorker:
        """Resume a parked worker, as AWS restores a snapshot."""
        journal, log = worker.journal, PlatformLog(worker.spec)
        journal.begin()
        journal.muted = False
        journal.write(log.restore_start(self._clock.time()))
        started = monotonic()
        signal = await worker.restore(RESTORE_LIMIT_S)
        restore_ms = (monotonic() - started) * 1000
        if isinstance(signal, Ready):
            journal.write(log.restore_report(self._clock.time(), restore_ms))
            return StartedWorker(journal, worker, restore_ms=restore_ms)
        worker.kill()
        return StartedWorker(journal, failure=outcome_of(signal, request_id, self._clock.time()))

    async def _restored(
        self, pool: Pool, prepared: PreparedFunction, journal: WorkerLog, stream: str, request_id: str
    ) -> StartedWorker:
        # On AWS the init ran when the version was published; its output belongs there, not here.
        journal.muted = True
        worker, signal, init_ms = await self._launch(
            pool, prepared, journal, stream, "snap-start", LONG_INIT_LIMIT_S
        )
        if isinstance(signal, Parked):
            return await self.restore(worker, request_id)
        journal.muted = False
        return self._failed(worker, journal, signal, init_ms, request_id)

    async def _with_retry(
        self, pool: Pool, prepared: PreparedFunction, journal: WorkerLog, stream: str, request_id: str
    ) -> StartedWorker:
        spec, log = pool.spec, PlatformLog(pool.spec)
        journal.write(*self._preface(log, prepared, "on-demand"))
        worker, signal, init_ms = await self._launch(pool, prepared, journal, stream, "on-demand", INIT_LIMIT_S)
        if isinstance(signal, Ready):
            return StartedWorker(journal, worker, init_ms)
        worker.kill()
        journal.write(log.init_report(self._clock.time(), init_ms, "init", *init_status(signal)))
        journal.write(log.start(self._clock.time(), request_id))
        self._capacity.claim_room()
        worker, signal, init_ms = await self._launch(
            pool, prepared, journal, stream, "on-demand", float(spec.timeout_s)
        )
        if isinstance(signal, Ready):
            return StartedWorker(journal, worker, init_ms, request_logged=True)
        journal.write(log.init_report(self._clock.time(), init_ms, "invoke", *init_status(signal)))
        failed = self._failed(worker, journal, signal, init_ms, request_id)
        return StartedWorker(journal, None, init_ms, failure=failed.failure, request_logged=True)

    async def _launch(
        self,
        pool: Pool,
        prepared: PreparedFunction,
        journal: WorkerLog,
        stream: str,
        initialization: InitializationType,
        limit_s: float,
    ) -> tuple[Worker, Signal, float]:
        spec = pool.spec
        worker = Worker(
            spec,
            initialization,
            journal,
            self._faults,
            on_idle=lambda idle: self._capacity.idled(pool, idle, self._clock.time()),
            on_gone=lambda gone: self._on_gone(pool, gone),
        )
        self._capacity.added(pool, worker)
        credentials = await self._preparation.credentials(spec)
        launch = self._preparation.launch(spec, prepared, credentials, initialization, stream, self._announce)
        started = monotonic()
        # A snapshot is taken before requests come; its workers here are started again where AWS would clone it.
        delay_s = 0.0 if initialization == "snap-start" else self._first_inits.delay_s(spec)
        signal = await worker.launch(launch, limit_s, delay_s)
        return worker, signal, (monotonic() - started) * 1000

    async def _prepare(self, pool: Pool, journal: WorkerLog) -> PreparedFunction | StartedWorker:
        try:
            prepared = await self._preparation.prepare(pool.spec)
            await self._preparation.credentials(pool.spec)
        except OfflineError as error:
            self._capacity.free_room()
            message = f"{pool.spec.name} cannot start on this machine: {error}"
            journal.write(f"[ERROR] {CANNOT_START}: {message}")
            payload = json.dumps({"errorType": CANNOT_START, "errorMessage": message}).encode()
            return StartedWorker(journal, failure=SignalOutcome(payload, "Unhandled", "error", CANNOT_START))
        return prepared

    def _failed(
        self, worker: Worker, journal: WorkerLog, signal: Signal, init_ms: float, request_id: str
    ) -> StartedWorker:
        worker.kill()
        outcome = outcome_of(signal, request_id, self._clock.time())
        return StartedWorker(journal, None, init_ms, failure=outcome)

    def _preface(
        self, log: PlatformLog, prepared: PreparedFunction, initialization: InitializationType
    ) -> list[str | None]:
        for note in prepared.notes:
            # Not in the function's log, which holds what it would on AWS.
            logger.info("%s: %s", log.spec.name, note)
        return [log.init_start(self._clock.time(), initialization)]

    def _journal(self, spec: FunctionSpec) -> tuple[WorkerLog, str]:
        stream = stream_name(spec, self._clock, self._dice)
        journal = WorkerLog(lambda events: self._write_log(spec, stream, events), self._clock)
        return journal, stream


CANNOT_START = "Sandbox.CannotStart"
