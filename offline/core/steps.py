"""Steps that the saved state must hold wholly or not at all, such as creating a resource and recording its id.

Code that takes such a step runs it within `step`; the state is written between steps. A step that takes long does
not hold up the state for ever: after a moment it is written in the middle of it.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

#: Real seconds for which the state waits for running steps, and steps for the state.
PATIENCE_S = 0.3


class Steps:
    """The running steps of all threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._held = False
        self._thread = threading.local()

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Begin a step once none is held back, and end it. A step within a step is part of it.

        Blocks for a moment in a thread. On the event loop it returns at once: the state is written there too.
        """
        if getattr(self._thread, "in_step", False) or on_event_loop():
            yield
            return
        self._thread.in_step = True
        with self._changed:
            self._changed.wait_for(lambda: not self._held, 2 * PATIENCE_S)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
            self._thread.in_step = False

    def hold(self) -> None:
        """Hold back new steps and wait briefly for running ones. Blocks: call it from a thread."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: self._under_way == 0, PATIENCE_S)

    def release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()


def on_event_loop() -> bool:
    """Whether the caller runs on an event loop, which it must not block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
