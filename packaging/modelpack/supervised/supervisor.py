"""Runs packaging in a worker process, watches it, and publishes the bundle that it drafted."""

import json
import os
import selectors
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from serinus.modelpack.errors import WorkerError
from serinus.modelpack.package import check
from serinus.modelpack.progress import Progress, Silent
from serinus.modelpack.publish import publish
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.supervised import worker_failures
from serinus.modelpack.supervised.failures import Traceback, revive
from serinus.modelpack.supervised.group import ProcessGroup
from serinus.modelpack.temporary_folder import TemporaryFolder

#: Far beyond any stage of a model that fits Lambda.
STAGE_TIMEOUT_S = 15 * 60.0
#: How often to check that the worker is alive, which its silence does not show.
_POLL_S = 0.2
_START_S = 300.0
#: Far beyond the result of the widest model.
_LONGEST_MESSAGE_BYTES = 16 << 20
_KINDS = frozenset({"stage", "notice", "result", "error"})
#: Imports from this process's own path, so that no file of the working folder comes first.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from serinus.modelpack.supervised.worker import main; main()"
)


class Packer:
    """Packages models one after the other, in a process that ends with the block, and that may be silent for at
    most ``stage_timeout_s``."""

    def __init__(self, stage_timeout_s: float = STAGE_TIMEOUT_S) -> None:
        self._stage_timeout_s = stage_timeout_s
        self._worker: _Worker | None = None

    def __enter__(self) -> "Packer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(at_once=kind is not None)

    def package(self, request: PackageRequest, progress: Progress | None = None) -> PackageResult:
        """As `modelpack.package.package`. Also raises `WorkerError` where the worker ended or exceeded its time
        limit; nothing is written then."""
        check(request)
        if self._worker is None:
            self._worker = _Worker()
        try:
            drafted, folder = self._worker.draft(request, progress or Silent(), self._stage_timeout_s)
        except WorkerError:
            self._end(at_once=True)
            raise
        try:
            return publish(request, drafted, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _end(self, *, at_once: bool) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end(at_once=at_once)


class _Worker:
    """The other process, and the pipes to and from it."""

    def __init__(self) -> None:
        self._has_begun = False
        self._folder = TemporaryFolder()
        requests_read, self._requests = os.pipe()
        self._replies, messages_write = os.pipe()
        command = [
            sys.executable,
            "-P",
            "-c",
            _START,
            json.dumps(sys.path),
            str(requests_read),
            str(messages_write),
        ]
        # Files that a killed process leaves behind are deleted with this folder.
        environment = {**os.environ, "TMPDIR": str(self._folder.path)}
        try:
            self._group = ProcessGroup(command, (requests_read, messages_write), environment)
        finally:
            os.close(requests_read)
            os.close(messages_write)

    def end(self, *, at_once: bool) -> None:
        os.close(self._requests)
        self._group.end(at_once=at_once)
        os.close(self._replies)
        self._folder.cleanup()

    def draft(
        self, request: PackageRequest, progress: Progress, stage_timeout_s: float
    ) -> tuple[PackageResult, Path]:
        """The result for ``request``, and the folder of its draft."""
        folder = Path(tempfile.mkdtemp(prefix="draft-", dir=self._folder.path))
        # The model's code may change the worker's working folder.
        self._send({"request": request.with_absolute_paths().to_json(), "folder": str(folder)})
        stage = "load"
        messages = self._messages(stage_timeout_s)
        while True:
            try:
                message = next(messages, None)
                result = (
                    None
                    if message is None or "result" not in message
                    else PackageResult.from_json(message["result"])
                )
            except TimeoutError as error:
                raise worker_failures.too_slow(request.source, stage, stage_timeout_s) from error
            except (ValueError, KeyError, TypeError) as error:
                raise worker_failures.garbled(request.source, stage) from error
            if result is not None:
                return result, folder
            if message is None:
                raise worker_failures.ended(request.source, stage, self._group.exit_code() or 0)
            if "error" in message:
                raise _to_exception(message["error"], request.source, stage)
            if "stage" in message:
                stage = str(message["stage"])
                progress.stage(stage)
            else:
                progress.notice(str(message["notice"]))

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps(message).encode() + b"\n"
        try:
            while content:
                content = content[os.write(self._requests, content) :]
        except BrokenPipeError:
            pass  # it has ended: no answer follows

    def _messages(self, timeout_s: float) -> Iterator[dict[str, Any]]:
        """Messages until the worker has ended; raises `TimeoutError` after ``timeout_s`` of silence, and
        ValueError for anything that is not a message."""
        rest = bytearray()
        # Before the first message Python and the libraries are loaded, which does not depend on the model.
        limit_s = max(timeout_s, 0.0 if self._has_begun else _START_S)
        heard = time.monotonic()
        with selectors.DefaultSelector() as pipe:
            pipe.register(self._replies, selectors.EVENT_READ)
            while True:
                # Checked first: all that it wrote before it ended can then be read.
                ended = self._group.exit_code() is not None
                piece = b""
                if pipe.select(0 if ended else _POLL_S):
                    piece = os.read(self._replies, 1 << 16)
                    *lines, last = piece.split(b"\n")
                    for line in lines:
                        yield _parse_message(bytes(rest + line))
                        rest.clear()
                        self._has_begun, limit_s, heard = True, timeout_s, time.monotonic()
                    rest += last
                    if len(rest) > _LONGEST_MESSAGE_BYTES:
                        raise ValueError(f"not a message: {len(rest)} bytes without an end")
                    if not piece:
                        time.sleep(0 if ended else _POLL_S)  # it closed the pipe and runs on
                if ended and not piece:
                    return
                # Checked after every piece: a message may never end.
                if time.monotonic() - heard > limit_s:
                    raise TimeoutError


def _parse_message(line: bytes) -> dict[str, Any]:
    message = json.loads(line)
    if not isinstance(message, dict):
        raise TypeError(f"not a message: {message!r}")
    if not message.keys() & _KINDS:
        raise KeyError(f"not a message: {message!r}")
    return message


def _to_exception(described: dict[str, Any], source: Path, stage: str) -> Exception:
    """The error raised in the worker; one that is not ours came from the model's own code."""
    error = revive(described)
    if error is not None:
        return error
    failure = worker_failures.failed(source, stage, described["kind"], described["message"])
    failure.__cause__ = Traceback(described["traceback"])
    return failure
