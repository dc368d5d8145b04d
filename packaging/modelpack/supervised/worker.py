"""Runs in the worker process: reads requests, writes drafts of bundles, and reports progress to `supervisor`.

A request is a line of JSON, ``request`` and the ``folder`` for the draft; so is each message back: a ``stage``, a
``notice``, and at the end the ``result`` or an ``error``. Both have a file descriptor of their own, so that the
model's code cannot print into them or read from them.
"""

import faulthandler
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

from serinus.modelpack.pipeline import build_bundle
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.supervised.failures import describe


class PipeProgress:
    """Progress that is sent to the supervisor."""

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def stage(self, name: str) -> None:
        self.send({"stage": name})

    def notice(self, message: str) -> None:
        self.send({"notice": message})

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._pipe.write(json.dumps(message) + "\n")
            self._pipe.flush()


def serve(requests: IO[str], progress: PipeProgress) -> None:
    """Draft the bundles of ``requests`` until they end."""
    for line in requests:
        message = json.loads(line)
        try:
            result = build_bundle(PackageRequest.from_json(message["request"]), progress, Path(message["folder"]))
            answer: dict[str, Any] = {"result": result.to_json()}
        except BaseException as error:  # noqa: BLE001 - SystemExit too: the model's code raised it
            answer = {"error": describe(error)}
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        try:
            progress.send(answer)
        except OSError:
            os._exit(1)  # the model's code closed the pipe, which the supervisor reports


def main() -> None:
    requests, messages = (int(word) for word in sys.argv[1:3])
    # A terminal may stop background processes that write to it; this one must go on.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    if os.environ.get("SERINUS_DEBUG"):
        faulthandler.enable()
    with os.fdopen(requests, encoding="utf-8") as incoming, os.fdopen(messages, "w", encoding="utf-8") as outgoing:
        serve(incoming, PipeProgress(outgoing))
