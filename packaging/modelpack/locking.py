"""Pins a bundle in serinus.lock, safe against other processes that pin at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock, render_lock
from serinus.modelpack.atomic import write_file


@contextmanager
def exclusive(project: Path) -> Iterator[None]:
    """No other block of this kind runs for ``project`` meanwhile, in any process: each reads what it changes in
    serinus.lock and serinus.toml, and writes it, within one."""
    guard = project / ".serinus" / "lock.guard"
    guard.parent.mkdir(parents=True, exist_ok=True)
    with guard.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def changing_pins(project: Path) -> Iterator[dict[str, dict[str, Pin]]]:
    """The pins of ``project``, for the block to change; written when it succeeds. Raises `ContractError` when the
    lock is damaged."""
    with exclusive(project):
        # Drafts of processes that were killed while they wrote: those that live do not write now.
        for draft in project.glob(f".{LOCK}.*"):
            draft.unlink(missing_ok=True)
        lock = read_lock(project / LOCK)
        yield lock
        write_file(project / LOCK, render_lock(lock).encode())


def pin_bundle(project: Path, environment: str, model: str, pin: Pin) -> None:
    """Pin ``model`` to ``pin`` in ``environment`` of ``project``; other pins stay. Raises `ContractError` when the
    lock is damaged."""
    with changing_pins(project) as lock:
        lock.setdefault(environment, {})[model] = pin
