"""Keeps state in `--state DIR` so that a killed cloud resumes where it was.

    DIR/lock                one cloud at a time
    DIR/manifest.json       what belongs together: version stamp, clock, the file of each part
    DIR/parts/NAME-HASH     one service's state each, pickled
    DIR/blobs/HASH          bytes of S3 objects
    DIR/archives/HASH.zip   code and layers (kept by the Lambda service itself)

Parts are written beside the old ones; renaming the manifest makes them the state. Pickles can run code:
a state folder is to be trusted like the cloud itself. `state_layout` keeps other folders from being taken for one.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serinus.offline.cloud.pickling import Blobs, dumps, loads
from serinus.offline.cloud.state_layout import (
    ANOTHER,
    FOLDERS,
    LOCK,
    MANIFEST,
    PART,
    PARTIAL,
    require_state_folder,
    unusable,
    unused,
)
from serinus.offline.cloud.state_manifest import (
    HASH_DIGITS,
    Manifest,
    SavedClock,
    WrittenElsewhere,
    part_file,
    stamp,
)
from serinus.offline.core.clock import Clock, monotonic
from serinus.offline.core.errors import OfflineError
from serinus.offline.core.steps import Steps

log = logging.getLogger(__name__)

#: Real seconds after which changes are on disk, unless the state is large.
INTERVAL_S = 0.5
#: How many times as long as a write took the next one waits, so that a large state does not slow the cloud.
REST_AFTER_WRITE = 5.0

#: Gives a part's live objects, to be pickled at once.
Snapshot = Callable[[], Any]


class StateFolder:
    """A folder that holds one cloud's state. Opening it locks it until the process ends or `close`.

    Raises `OfflineError` for a folder that is not one, is in use or is damaged, and leaves it unchanged.
    """

    def __init__(self, root: Path, account_id: str) -> None:
        self.root = root
        self._stamp = stamp(account_id)
        self.clock: SavedClock | None = None
        self._files: dict[str, str] = {}
        #: Real time of the parts, which may be older than the clock.
        self.written = 0.0
        require_state_folder(root)
        with contextlib.ExitStack() as on_failure:
            # An existing lock comes before all reading: the cloud that holds it changes what is read.
            lock = self._locked() if os.path.lexists(root / LOCK) else None
            if lock is not None:
                on_failure.callback(os.close, lock)
            self._read_manifest()
            if lock is None:
                self._claim()
                lock = self._locked(os.O_CREAT)
                on_failure.callback(os.close, lock)
                self._read_manifest()
            self._lock = lock
            on_failure.pop_all()
        self.blobs = Blobs(root / "blobs")

    def close(self) -> None:
        os.close(self._lock)

    def _claim(self) -> None:
        """Make the folder this user's alone: what it holds runs as code when it is read, and holds secrets."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.root.chmod(0o700)
            self._make_folders()
        except OSError as error:
            raise unusable(self.root, error.strerror) from error

    def _make_folders(self) -> None:
        for name in FOLDERS:
            (self.root / name).mkdir(exist_ok=True)

    def require_writable(self, clock: SavedClock) -> None:
        """Write the manifest, the first one or as it is; raises `OfflineError` if the folder cannot be written."""
        self._claim()
        manifest = self.root / MANIFEST
        try:
            if self.clock is None:
                self._write_manifest({}, clock)
            else:
                write_beside(manifest, manifest.read_bytes())
        except OSError as error:
            raise OfflineError(
                f"the state cannot be written to {self.root} ({error.strerror}). Free space there, or name "
                "another folder with --state."
            ) from error

    def parts(self, names: list[str]) -> dict[str, Any]:
        """The saved state of each of these parts that has any."""
        return {name: self._part(self._files[name]) for name in names if name in self._files}

    def _part(self, file: str) -> Any:
        path = self.root / "parts" / file
        try:
            return loads(path.read_bytes(), self.blobs)
        except Exception as error:
            raise OfflineError(f"{path} cannot be read ({type(error).__name__}: {error}). {ANOTHER}.") from error

    def prepare(self) -> None:
        """Make the folders that are missing, blobs' before they are pickled; raises `OSError` if that fails."""
        self._require_held()
        self._make_folders()

    def write(self, parts: Mapping[str, bytes], clock: SavedClock, *, sweep: bool = True) -> None:
        """Make these parts the state, all at once; with ``sweep`` remove what only the former state used.

        Raises `OSError` if they cannot be written; the former state stays.
        """
        self.prepare()
        files = {name: part_file(name, hashlib.sha256(data).hexdigest()) for name, data in parts.items()}
        try:
            for name, file in files.items():
                path = self.root / "parts" / file
                if self._files.get(name) != file or not path.exists():
                    write_beside(path, parts[name])
            self._write_manifest(files, clock, clock.real)
        except OSError:
            # Each attempt writes other files, which would fill a disk that is nearly full.
            with contextlib.suppress(OSError):
                self._drop_unused_parts()
            raise
        self.written = clock.real
        if files != self._files:
            self._files = files
            if sweep:
                self._drop_unused_parts()
                self.blobs.drop_unnamed()

    def write_clock(self, clock: SavedClock) -> None:
        """Write the clock alone; the state stays as it was written last. Raises `OSError`."""
        self._require_held()
        self._write_manifest(self._files, clock, self.written)

    def _require_held(self) -> None:
        """`OSError` once the folder is another than was opened: another cloud may use what is there now."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self._lock), (self.root / LOCK).stat()):
                return
        raise OSError(errno.ESTALE, "it was removed or replaced after the cloud had started")

    def _write_manifest(self, files: Mapping[str, str], clock: SavedClock, written: float = 0.0) -> None:
        manifest = Manifest(self._stamp, clock, written, dict(files))
        write_beside(self.root / MANIFEST, manifest.to_json())

    def _drop_unused_parts(self) -> None:
        for path in unused(self.root / "parts", PART, set(self._files.values())):
            path.unlink(missing_ok=True)

    def _read_manifest(self) -> None:
        path = self.root / MANIFEST
        try:
            manifest = Manifest.from_json(path.read_bytes(), self._stamp)
        except FileNotFoundError:
            return
        except OSError as error:
            raise OfflineError(f"{path} cannot be read ({error.strerror}). {ANOTHER}.") from error
        except WrittenElsewhere as error:
            raise OfflineError(
                f"the state in {self.root} was {error}. Name an empty folder with --state, or delete this one."
            ) from error
        except (ValueError, RecursionError) as error:
            raise OfflineError(f"{path} is damaged or not a cloud's: {error}. {ANOTHER}.") from error
        for file in manifest.parts.values():
            self._require_part(file)
        self.clock, self._files = manifest.clock, manifest.parts

    def _require_part(self, file: str) -> None:
        """`OfflineError` unless the content of a part's file has the hash that is in its name."""
        path = self.root / "parts" / file
        try:
            with path.open("rb") as opened:
                sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise OfflineError(f"{path} cannot be read ({error.strerror}). {ANOTHER}.") from error
        if file != part_file(file[: -HASH_DIGITS - 1], sha256):
            raise OfflineError(f"{path} is damaged: the SHA-256 of its content is {sha256}. {ANOTHER}.")

    def _locked(self, flags: int = 0) -> int:
        try:
            lock = os.open(self.root / LOCK, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
        except OSError as error:
            raise OfflineError(f"{self.root / LOCK} cannot be opened ({error.strerror}). {ANOTHER}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if not isinstance(error, BlockingIOError):
                raise unusable(self.root, f"it cannot be locked: {error.strerror}") from error
            raise OfflineError(
                f"the state in {self.root} is in use by a running cloud. Stop that cloud, or name another "
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
        #: Whether the last write failed.
        self._unwritten = False
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
            resting = not self._due.is_set() and monotonic() < rested_until
            self._due.clear()
            last = self._stopping
            try:
                if resting and not last:
                    await asyncio.to_thread(self._folder.write_clock, SavedClock.of(self._clock))
                else:
                    rested_until = monotonic() + REST_AFTER_WRITE * await self._write()
                    self._report_success()
            except OSError as error:
                rested_until = 0.0
                self._report_failure(error, last=last)

    def _report_success(self) -> None:
        if self._unwritten:
            self._unwritten = False
            log.warning("the state is saved in %s again", self._folder.root)

    def _report_failure(self, error: OSError, *, last: bool) -> None:
        """Log that the state is not saved: once until it is, and at the end."""
        reason = error.strerror or error
        if last:
            written = datetime.fromtimestamp(self._folder.written, UTC).isoformat(timespec="seconds")
            log.error(
                "the state is not saved: the last write to %s failed (%s); at most the state of %s is left there",
                self._folder.root,
                reason,
                written if self._folder.written else "its start",
            )
        elif not self._unwritten:
            log.error(
                "the state cannot be written to %s (%s). The cloud goes on and tries again; until it succeeds, "
                "changes are in memory only. Free space there, or restart it with another --state",
                self._folder.root,
                reason,
            )
        self._unwritten = True

    async def _write(self) -> float:
        """Write the state between two steps; returns the real seconds for which that held up the event loop."""
        await asyncio.to_thread(self._folder.prepare)
        await asyncio.to_thread(self._steps.hold)
        try:
            # Pickled on the event loop, where services change their state; `dumps` copes with moto's threads.
            begun, clock, parts = monotonic(), SavedClock.of(self._clock), self._pickle()
            took_s = monotonic() - begun
        finally:
            self._steps.release()
        await asyncio.to_thread(self._folder.write, parts, clock, sweep=not self._failing)
        return took_s

    def _pickle(self) -> dict[str, bytes]:
        self._folder.blobs.named.clear()
        for name, snapshot in self._snapshots.items():
            try:
                self._pickled[name] = dumps(snapshot(), self._folder.blobs)
                self._failing.discard(name)
            except OSError:
                raise  # a blob that cannot be written: the disk's fault, not the part's
            except Exception:
                if name not in self._failing:
                    log.exception("the state of %s cannot be written; its last good state is kept", name)
                self._failing.add(name)
        return dict(self._pickled)


def write_beside(target: Path, data: bytes) -> None:
    """Write a file so that its name never leads to half of it; raises `OSError` and leaves nothing behind."""
    partial = target.with_name(f"{target.name}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
