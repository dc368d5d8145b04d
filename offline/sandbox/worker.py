"""One worker: a process running AWS's runtime client, which handles one request at a time.

A worker is an execution environment in AWS's terms. Its user calls `launch`, then `restore` for SnapStart, then
`invoke` any number of times; each returns the `Signal` that ended it. All run on the event loop, and none raises
for a function's errors.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from serinus.offline.core.clock import monotonic, real_time
from serinus.offline.sandbox.faults import Faults
from serinus.offline.sandbox.journal import WorkerLog
from serinus.offline.sandbox.memory import Usage, usage_of
from serinus.offline.sandbox.reaper import kill_group
from serinus.offline.sandbox.runtime_api import RuntimeApi
from serinus.offline.sandbox.signals import Answered, Exited, Failed, OutOfMemory, Parked, Ready, Signal, TimedOut
from serinus.offline.sandbox.spec import FunctionSpec, InitializationType, Invocation

#: Real seconds between two looks at a busy worker's memory.
MEMORY_POLL_S = 0.05 if sys.platform == "linux" else 1.0
#: The largest synchronous response. AWS's own message names this figure, 6 MB and 100 bytes.
MAX_RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a worker's process; ``environment`` is built once its Runtime API address is known."""

    command: list[str]
    task_root: Path
    environment: Callable[[str], dict[str, str]]
    announce: Callable[[int, bool], None]
    scratch: Path


class Worker:
    """An execution environment of one function version."""

    def __init__(
        self,
        spec: FunctionSpec,
        initialization: InitializationType,
        journal: WorkerLog,
        faults: Faults,
        on_idle: Callable[["Worker"], None],
        on_gone: Callable[["Worker"], None],
    ) -> None:
        self.spec = spec
        self.initialization = initialization
        self.journal = journal
        self.faults = faults
        self.pid = 0
        self.busy = True
        self.initialized = False
        self.finishing = False
        self.dead = False
        #: It ends once it is free.
        self.recycled = False
        self.idle_since = 0.0
        #: The same by this machine's own clock.
        self.resting_since = 0.0
        self.peak_mb = 0.0
        self._on_idle = on_idle
        self._on_gone = on_gone
        self._api = RuntimeApi(self)
        self._loop = asyncio.get_running_loop()
        self._signal: asyncio.Future[Signal] | None = None
        self._request_id = ""
        self._exit: Exited | None = None
        self._pipe = -1
        self._watch: asyncio.Task[None] | None = None

    async def launch(self, launch: Launch, limit_s: float, delay_s: float = 0.0) -> Signal:
        """Start the process and wait until its init is complete (`Ready`, or `Parked` for SnapStart), which takes
        ``delay_s`` longer than its work does."""
        fault = self.faults.of(self.spec.name, self.spec.version)
        address = await self._api.start()
        waiting = self._expect(limit_s)
        try:
            await self._spawn(launch, launch.environment(address))
        except OSError as error:
            self.journal.write(f"[ERROR] {launch.command[0]} could not be started: {error}")
            self._end_without_process()
        delay_s += fault.slow_init_ms / 1000
        if delay_s and self.pid:
            await self._hold(delay_s, waiting)
        if self.faults.strikes(fault.init_failure_rate):
            self.kill()
        signal = await waiting
        self.initialized = True
        return signal

    @property
    def accepts_work(self) -> bool:
        """Whether the runtime is alive and polls for its next invocation."""
        return not self.dead and self._api.is_polled

    async def restore(self, limit_s: float) -> Signal:
        """Resume a parked SnapStart worker; its after-restore hooks run now."""
        waiting = self._expect(limit_s)
        if not waiting.done():
            self._api.send_next({}, b"")
        return await waiting

    async def invoke(self, invocation: Invocation) -> tuple[Signal, float]:
        """Run one invocation; returns the signal that ended it and the handler's duration in ms."""
        fault = self.faults.of(self.spec.name, self.spec.version).in_force(invocation.arn)
        started = monotonic()
        waiting = self._expect(self.spec.timeout_s)
        self._request_id = invocation.request_id
        if fault.latency_ms:
            await asyncio.wait([waiting], timeout=fault.latency_ms / 1000)
        if self.faults.strikes(fault.error_rate):
            self._resolve(Failed(INJECTED_ERROR, "InjectedFault"))
            self._loop.call_soon(self._rest)
        if not waiting.done():
            self._api.send_next(self._headers(invocation), invocation.payload)
            if self.faults.strikes(fault.crash_rate):
                kill_group(self.pid)
        memory_poll = self._loop.call_later(MEMORY_POLL_S, self._poll_memory)
        self._memory_poll = memory_poll
        ended = await waiting
        duration_ms = (monotonic() - started) * 1000
        self._memory_poll.cancel()
        if isinstance(ended, Answered | Failed) and sys.platform == "linux" and self._exceeds_memory():
            ended = OutOfMemory()
        return ended, duration_ms

    def kill(self) -> None:
        """End the process now; `on_gone` follows."""
        self.dead = True
        if self.pid and self._exit is None:
            kill_group(self.pid)

    async def wait_gone(self) -> None:
        if self._watch is not None:
            await asyncio.wait([self._watch])

    # RuntimeEvents

    def on_next(self) -> None:
        if self.finishing:
            self._rest()
        else:
            self._resolve(Ready())

    def on_response(self, request_id: str, body: bytes, size_bytes: int) -> bool:
        self._drain()
        if request_id == self._request_id:
            self._finish(Answered(body, size_bytes))
        return size_bytes <= MAX_RESPONSE_BYTES

    def on_error(self, request_id: str, body: bytes, error_type: str) -> None:
        self._drain()
        if request_id == self._request_id:
            self._finish(Failed(body, error_type))

    def on_init_error(self, body: bytes, error_type: str) -> None:
        self._drain()
        self._resolve(Failed(body, error_type))

    def on_restore_next(self) -> None:
        self._drain()
        self._resolve(Parked())

    def on_restore_error(self, body: bytes, error_type: str) -> None:
        self._drain()
        self._resolve(Failed(body, error_type))

    # Inside

    async def _hold(self, seconds: float, waiting: "asyncio.Future[Signal]") -> None:
        """Suspend the process as it begins, so that its init takes ``seconds`` longer by its own clock too."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP)
            await asyncio.wait([waiting], timeout=seconds)
            if self._exit is None:
                os.kill(self.pid, signal.SIGCONT)

    async def _spawn(self, launch: Launch, environment: dict[str, str]) -> None:
        self._pipe, output = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.command,
                cwd=launch.task_root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # As on Lambda; this cloud's own files are their owner's alone.
                umask=0o022,
            )
        finally:
            os.close(output)
        self.pid = process.pid
        launch.announce(self.pid, True)
        if self.dead:
            kill_group(self.pid)
        self._loop.add_reader(self._pipe, self._drain)
        self._watch = asyncio.create_task(self._watch_exit(process, launch), name=f"worker {self.pid}")

    async def _watch_exit(self, process: asyncio.subprocess.Process, launch: Launch) -> None:
        code = await process.wait()
        kill_group(self.pid)  # processes that the function started end with it
        launch.announce(self.pid, False)
        self._drain()
        self.journal.flush()
        self._close_pipe()
        self._api.close()
        shutil.rmtree(launch.scratch, ignore_errors=True)
        self.dead = True
        self._exit = Exited(code)
        self._resolve(self._exit)
        self._on_gone(self)

    def _end_without_process(self) -> None:
        self._api.close()
        self.dead = True
        self._exit = Exited(-9)
        self._resolve(self._exit)
        self._on_gone(self)

    def _expect(self, limit_s: float) -> asyncio.Future[Signal]:
        self._signal = self._loop.create_future()
        if self._exit is not None:
            self._signal.set_result(self._exit)
        else:
            timer = self._loop.call_later(limit_s, self._resolve, TimedOut(limit_s))
            self._signal.add_done_callback(lambda _: timer.cancel())
        return self._signal

    def _resolve(self, ended: Signal) -> None:
        if self._signal is not None and not self._signal.done():
            self._signal.set_result(ended)

    def _finish(self, ended: Answered | Failed) -> None:
        self.finishing = True
        self._resolve(ended)

    def _rest(self) -> None:
        self.finishing = False
        self._on_idle(self)

    def _headers(self, invocation: Invocation) -> dict[str, str]:
        deadline_ms = int((real_time() + self.spec.timeout_s) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return headers

    def _poll_memory(self) -> None:
        if self._exceeds_memory():
            self._resolve(OutOfMemory())
            self.kill()
        else:
            self._memory_poll = self._loop.call_later(MEMORY_POLL_S, self._poll_memory)

    def _exceeds_memory(self) -> bool:
        usage = self.measure()
        return usage is not None and usage.peak_mb > self.spec.memory_mb

    def measure(self) -> Usage | None:
        """Measure the process's memory now, and record the peak."""
        usage = usage_of(self.pid)
        if usage is not None:
            self.peak_mb = max(self.peak_mb, usage.peak_mb)
        return usage

    def _drain(self) -> None:
        if self._pipe >= 0 and not self.journal.drain(self._pipe):
            self._close_pipe()

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            self._loop.remove_reader(self._pipe)
            with contextlib.suppress(OSError):  # already closed by an earlier process exit
                os.close(self._pipe)
            self._pipe = -1


INJECTED_ERROR = (
    b'{"errorMessage":"Fault injected by the offline cloud","errorType":"InjectedFault","stackTrace":[]}'
)
