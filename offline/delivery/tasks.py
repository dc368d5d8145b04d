"""Background tasks: kept alive until done, their failures logged, cancelled with the cloud."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from serinus.offline.core.clock import Clock

log = logging.getLogger(__name__)


class Background:
    """Tasks of one service; use it on the event loop. No cloud time is skipped while one runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._clock.at_work_until(task)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def stop(self) -> None:
        """Cancel running tasks and wait until they have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a delivery failed", exc_info=task.exception())
