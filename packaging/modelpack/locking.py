"""Pins a bundle in serinus.lock, safe against other processes that pin at the same time."""

import fcntl
from pathlib import Path

from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock, render_lock
from serinus.modelpack.atomic import write_file


def pin_bundle(project: Path, environment: str, model: str, pin: Pin) -> None:
    """Pin ``model`` to ``pin`` in ``environment`` of ``project``; other pins stay. Raises `ContractError` when the
    lock is damaged."""
    guard = project / ".serinus" / "lock.guard"
    guard.parent.mkdir(parents=True, exist_ok=True)
    with guard.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lock = read_lock(project / LOCK)
        lock.setdefault(environment, {})[model] = pin
        write_file(project / LOCK, render_lock(lock).encode())
