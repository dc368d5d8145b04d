"""Steps that the saved state must hold wholly or not at all, such as making a resource and noting its id.

Whoever makes such a step says so with `step`; the state is written between steps. A step that takes long does
not hold up the state for ever: after a moment it is written in the middle of it.
"""

import contextlib
import threading
from collections.abc import Iterator

#: Real seconds that the state waits for steps under way, and steps for the state.
PATIENCE_S = 0.3


class Steps:
    """The steps under way in all threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._held = False

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Begin a step once none is held back, and end it. Not to be nested. Blocks: call it from a thread."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held, 2 * PATIENCE_S)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def hold(self) -> None:
        """Hold new steps back and wait for those under way, for a moment. Blocks: call it from a thread."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: self._under_way == 0, PATIENCE_S)

    def release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()
