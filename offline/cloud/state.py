"""State that outlives the process: what `--state DIR` keeps, so that a killed cloud comes back as it was.

    DIR/lock                one cloud at a time
    DIR/manifest.json       what belongs together: version stamp, clock, the file of each part
    DIR/parts/NAME-HASH     one service's state each, pickled
    DIR/blobs/HASH          bytes of S3 objects
    DIR/archives/HASH.zip   code and layers (kept by the Lambda service itself)

Parts are written beside the old ones; renaming the manifest makes them the state. Pickles can run code:
a state folder is to be trusted like the cloud itself.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import logging
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from serinus.offline.cloud.pickling import Blobs, dumps, loads
from serinus.offline.core.clock import Clock, monotonic, real_time
from serinus.offline.core.errors import OfflineError
from serinus.offline.core.steps import Steps

log = logging.getLogger(__name__)

#: To be raised whenever what services keep changes its shape or its classes move: pickles name modules.
FORMAT = 2
#: Real seconds after which changes are on disk, unless the state is large.
INTERVAL_S = 0.5
#: How many times as long as a write took the next one waits, so that a large state does not slow the cloud.
REST_AFTER_WRITE = 5.0
#: Real seconds of cloud time that a restarted cloud skips, so that it never shows a time twice.
CLOCK_MARGIN_S = 1.0

#: Gives a part's live objects, to be pickled at once.
Snapshot = Callable[[], Any]


def stamp(account_id: str) -> dict[str, str]:
    """What must be the same where a state is written and where it is read."""
    return {
        "account": account_id,
        "format": str(FORMAT),
        "moto": version("moto"),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


@dataclass(frozen=True, slots=True)
class SavedClock:
    """The clock when the state was last written: cloud and real epoch seconds, and the speed."""

    cloud: float
    real: float
    factor: float

    def restart(self) -> float:
        """The cloud time to go on from: never earlier than any that was shown, nor than real time.

        A clock that is stepped by hand goes on exactly where it stood.
        """
        if self.factor == 0:
            return self.cloud
        return max(self.cloud + CLOCK_MARGIN_S * self.factor, real_time())


class StateFolder:
    """A folder that holds one cloud's state. Opening it locks it until the process ends or `close`."""

    def __init__(self, root: Path, account_id: str) -> None:
        self.root = root
        self._stamp = stamp(account_id)
        self._claim()
        (root / "parts").mkdir(parents=True, exist_ok=True)
        self.blobs = Blobs(root / "blobs")
        self.clock: SavedClock | None = None
        self._files: dict[str, str] = {}
        #: Real time of the parts, which may be older than the clock.
        self._written = 0.0
        self._lock = self._locked()
        try:
            self._read_manifest()
        except OfflineError:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._lock)

    def _claim(self) -> None:
        """Make the folder this user's alone: what it holds runs as code when it is read, and holds secrets."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OfflineError(
                f"{self.root} cannot be a state folder ({error.strerror}); name another with --state"
            ) from error
        owner = self.root.stat().st_uid
        if owner != os.getuid():
            raise OfflineError(
                f"the state folder {self.root} belongs to another user (id {owner}), who could have code run here "
                "by it. Name a folder of your own with --state."
            )
        self.root.chmod(0o700)

    def parts(self, names: list[str]) -> dict[str, Any]:
        """The saved state of each of these parts that has any."""
        return {name: self._part(self._files[name]) for name in names if name in self._files}

    def _part(self, file: str) -> Any:
        path = self.root / "parts" / file
        try:
            return loads(path.read_bytes(), self.blobs)
        except Exception as error:
            raise OfflineError(
                f"{path} cannot be read ({type(error).__name__}: {error}). Name an empty folder with --state, or "
                "remove this one."
            ) from error

    def write(self, parts: Mapping[str, bytes], clock: SavedClock, *, sweep: bool = True) -> None:
        """Make these parts the state, all at once; with ``sweep`` remove what only the former state used."""
        files = {name: f"{name}-{hashlib.sha256(data).hexdigest()[:32]}" for name, data in parts.items()}
        for name, file in files.items():
            if self._files.get(name) != file:
                write_beside(self.root / "parts" / file, parts[name])
        self._written = clock.real
        self._write_manifest(files, clock)
        if files != self._files:
            self._files = files
            if sweep:
                self._drop_unused()

    def write_clock(self, clock: SavedClock) -> None:
        """Write the clock alone; the state stays as it was written last."""
        self._write_manifest(self._files, clock)

    def _write_manifest(self, files: Mapping[str, str], clock: SavedClock) -> None:
        manifest = {
            "stamp": self._stamp,
            "clock": [clock.cloud, clock.real, clock.factor],
            "written": self._written,
            "parts": files,
        }
        write_beside(self.root / "manifest.json", json.dumps(manifest, indent=1).encode())

    def _drop_unused(self) -> None:
        used = set(self._files.values())
        for path in (self.root / "parts").iterdir():
            if path.name not in used:
                path.unlink()
        self.blobs.drop_unnamed()

    def _read_manifest(self) -> None:
        try:
            manifest = json.loads((self.root / "manifest.json").read_text())
            written, clock, files = manifest["stamp"], SavedClock(*manifest["clock"]), manifest["parts"]
            if written != self._stamp:
                differing = [
                    name for name in sorted({*written, *self._stamp}) if written.get(name) != self._stamp.get(name)
                ]
                raise OfflineError(
                    f"the state in {self.root} was written with {_listed(written, differing)}; this cloud "
                    f"requires {_listed(self._stamp, differing)}. "
                    "Name an empty folder with --state, or delete this one."
                )
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OfflineError(
                f"{self.root / 'manifest.json'} is damaged ({type(error).__name__}: {error}). Name an empty "
                "folder with --state, or remove this one."
            ) from error
        self.clock, self._files = clock, files

    def _locked(self) -> int:
        lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise OfflineError(
                f"the state in {self.root} is in use by a cloud that runs. Stop that one, or name another "
                "folder with --state."
            ) from error
        return lock


class StateKeeper:
    """Writes a running cloud's state into its folder: soon after each change, and at once on request."""

    def __init__(self, folder: StateFolder, clock: Clock, steps: Steps, snapshots: Mapping[str, Snapshot]) -> None:
        self._folder = folder
        self._clock = clock
        self._steps = steps
        self._snapshots = snapshots
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._failing: set[str] = set()
        self._pickled: dict[str, bytes] = {}

    def start(self) -> None:
        """Begin to write; to be called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="state keeper")

    async def stop(self) -> None:
        """Write a last time, and no more."""
        self._stopping = True
        self._due.set()
        if self._task is not None:
            await self._task
        self._folder.close()

    def soon(self) -> None:
        """Have the state written now rather than within the interval; safe from any thread."""
        if self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._due.set)

    async def _run(self) -> None:
        last, rested_until = False, 0.0
        while not last:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_S):
                    await self._due.wait()
            if not self._due.is_set() and monotonic() < rested_until:
                await asyncio.to_thread(self._folder.write_clock, self._saved_clock())
                continue
            self._due.clear()
            last = self._stopping
            rested_until = monotonic() + REST_AFTER_WRITE * await self._write()

    async def _write(self) -> float:
        """Write the state between two steps; returns the real seconds for which that held up the event loop."""
        await asyncio.to_thread(self._steps.hold)
        # Pickled on the event loop, where services change their state; `dumps` copes with moto's threads.
        begun, clock, parts = monotonic(), self._saved_clock(), self._pickle()
        took_s = monotonic() - begun
        self._steps.release()
        await asyncio.to_thread(self._folder.write, parts, clock, sweep=not self._failing)
        return took_s

    def _saved_clock(self) -> SavedClock:
        return SavedClock(self._clock.time(), real_time(), self._clock.factor)

    def _pickle(self) -> dict[str, bytes]:
        self._folder.blobs.named.clear()
        for name, snapshot in self._snapshots.items():
            try:
                self._pickled[name] = dumps(snapshot(), self._folder.blobs)
                self._failing.discard(name)
            except Exception:
                if name not in self._failing:
                    log.exception("the state of %s cannot be written; its last good state is kept", name)
                self._failing.add(name)
        return dict(self._pickled)


def write_beside(target: Path, data: bytes) -> None:
    """Write a file so that its name never leads to half of it."""
    partial = target.with_name(f"{target.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)


def _listed(stamped: Mapping[str, str], names: list[str]) -> str:
    return ", ".join(f"{name} {stamped.get(name, 'unstated')}" for name in names)
