"""Ends a command in order on SIGTERM and SIGHUP: it cleans up as after Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: Sent by a system, a scheduler or a closed terminal.
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Within the block, SIGTERM and SIGHUP raise SystemExit with the exit code that a shell gives to them; only
    the first does, so that cleaning up is not cut short. One that is ignored, as under nohup, stays ignored."""
    handled = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]

    def end(number: int, _frame: FrameType | None) -> None:
        for other in handled:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
