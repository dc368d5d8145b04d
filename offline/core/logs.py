"""Writes into CloudWatch Logs from inside the cloud.

Groups, streams and events live in moto's logs service. Functions print thousands of lines a second, so they
are batched here and passed to moto's backend in-process, a moment later.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from moto.logs.models import logs_backends

from serinus.offline.core.ports import CloudContext, LogSubscribers

#: Real seconds until a line appears in CloudWatch Logs.
FLUSH_S = 0.02

Lines = list[tuple[float, str]]
#: Whether the writer may call an operation ("CreateLogGroup", "CreateLogStream", "PutLogEvents") here.
May = Callable[[str], bool]


def _anything(_action: str) -> bool:
    return True


class LogWriter:
    """Batches lines a stream; safe to call from any thread once it runs on ``loop``."""

    def __init__(self, context: CloudContext) -> None:
        self._account_id = context.config.account_id
        self._clock = context.clock
        self._subscribers: LogSubscribers | None = None
        self._pending: dict[tuple[str, str, str], tuple[Lines, May]] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False
        self._written: Future[None] = Future()

    def connect(self, subscribers: LogSubscribers) -> None:
        """Have the subscription filters of log groups see what is written."""
        self._subscribers = subscribers

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def stop(self) -> None:
        """Write pending lines; later lines are written at once."""
        self._loop = None
        self.flush()

    def write(self, region: str, group: str, stream: str, lines: Lines, may: May = _anything) -> None:
        """Append ``lines`` (cloud time in epoch seconds, message) to a stream, created if missing.

        Lines are dropped if the writer ``may`` not write them, or may not create a group or stream that is missing
        when they arrive.
        """
        with self._lock:
            self._pending.setdefault((region, group, stream), ([], may))[0].extend(lines)
            if self._scheduled:
                return
            self._scheduled = self._loop is not None
            if self._scheduled:
                # Until a filter has seen these lines, no cloud time is skipped.
                self._written = Future()
                self._clock.at_work_until(self._written)
        if self._loop is None:
            self.flush()
        else:
            self._loop.call_soon_threadsafe(self._loop.call_later, FLUSH_S, self.flush)

    def flush(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, {}
            scheduled, self._scheduled = self._scheduled, False
            written = self._written
        try:
            for (region, group, stream), (lines, may) in pending.items():
                if self.takes(region, group, stream, may):
                    self._store(region, group, stream, [(int(at * 1000), message) for at, message in lines])
        finally:
            if scheduled:
                written.set_result(None)

    def _store(self, region: str, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        backend: Any = logs_backends[self._account_id][region]
        backend.ensure_log_group(group)
        backend.ensure_log_stream(group, stream)
        stored = [{"timestamp": timestamp, "message": message} for timestamp, message in events]
        backend.groups[group].put_log_events(stream, stored)
        if self._subscribers is not None:
            self._subscribers.accept(region, group, stream, events)

    def takes(self, region: str, group: str, stream: str, may: May) -> bool:
        """Whether a writer's lines arrive in a stream: a missing group or stream must be created first."""
        existing_group = logs_backends[self._account_id][region].groups.get(group)
        if existing_group is None and not may("CreateLogGroup"):
            return False
        exists = existing_group is not None and stream in existing_group.streams
        return (exists or may("CreateLogStream")) and may("PutLogEvents")
