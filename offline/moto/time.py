"""Puts moto on cloud time: its timestamps and expiries follow the cloud's clock, not the machine's.

Moto reads time through `moto.core.utils.utcnow`, which most of its modules import by name, and in a few
places through `time.time()`. `follow` points both at a clock. Moto's state is one per process, so the last
followed clock applies. Bucket and image creation dates, which moto reads from `datetime.now`, and the waits of
its Step Functions interpreter stay real.
"""

import sys
import time
import types
from datetime import UTC, datetime
from typing import Any

import moto.core.utils

from serinus.offline.core.clock import Clock

_real_utcnow = moto.core.utils.utcnow
_followed: list[Clock] = []

#: Modules of moto that call `time.time()` for values that a client sees.
STAMPED_BY_TIME = ("moto.apigateway.models", "moto.secretsmanager.models")


def follow(clock: Clock) -> None:
    """Have moto read ``clock`` until `unfollow`."""
    _followed.append(clock)
    moto.core.utils.utcnow = _utcnow
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and getattr(module, "utcnow", None) is _real_utcnow:
            module.utcnow = _utcnow  # type: ignore[attr-defined]
    for name in STAMPED_BY_TIME:
        __import__(name)
        sys.modules[name].time = _CloudTimeModule()  # type: ignore[attr-defined]


def unfollow(clock: Clock) -> None:
    """Stop moto from reading ``clock``; real time, or the clock followed before, takes over."""
    if clock in _followed:
        _followed.remove(clock)


def _now() -> float:
    return _followed[-1].time() if _followed else time.time()


def _utcnow() -> datetime:
    return datetime.fromtimestamp(_now(), UTC).replace(tzinfo=None)


class _CloudTimeModule(types.ModuleType):
    """Replaces the module `time` where moto calls ``time.time()``; everything else is the real module's."""

    def __init__(self) -> None:
        super().__init__("time")

    def time(self) -> float:
        return _now()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
