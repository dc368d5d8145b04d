"""The Runtime API for one worker, with the times at which the worker said something.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PREFIX = "/2018-06-01/runtime/"


@dataclass(slots=True)
class Said:
    """What a worker said: ``times`` are seconds of `time.perf_counter`, taken when a call arrived whole."""

    asked_at: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    failure: bytes | None = None


class RuntimeApi:
    """Hands out ``events`` one after the other; `done` is set once all are answered, or the worker failed."""

    def __init__(self, events: Sequence[bytes]) -> None:
        self.events = events
        self.said = Said()
        self.done = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """For AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "RuntimeApi":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def took_answer(self, body: bytes) -> None:
        self.said.answered_at.append(time.perf_counter())
        self.said.answers.append(body)
        if len(self.said.answers) == len(self.events):
            self.done.set()

    def took_failure(self, body: bytes) -> None:
        self.said.failure = body
        self.done.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a worker that is ended in the middle of a question is how every run ends."""


def _handler_of(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        # Status line, headers and body in one packet.
        wbufsize = 65536

        def do_GET(self) -> None:
            api.said.asked_at.append(time.perf_counter())
            if len(api.said.answers) == len(api.events):
                api.done.wait()
                self.close_connection = True
                return
            number = len(api.said.answers)
            self._reply(200, api.events[number], {
                "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-4000-8000-{number:012}",
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 900) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:bench",
            })  # fmt: skip

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.path.startswith(f"{_PREFIX}invocation/") and self.path.endswith("/response"):
                api.took_answer(body)
            else:
                api.took_failure(body)
            self._reply(202, b"{}", {})

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: a line a request would cost more than the request."""

    return Handler
