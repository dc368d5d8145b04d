"""Serving a model tells nobody of it: ONNX Runtime's official builds would send names and hashes of models."""

import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

#: Makes a session and ends, which is when what was gathered is sent.
SERVE = """
import {first}
import numpy as np, onnxruntime
graph = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801620f0a0179120a0a08080112040a"
    "02080142040a00100d"
)
session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
print(session.run(None, {{"x": np.array([1.5], dtype=np.float32)}})[0].tolist())
"""


class Proxy(socketserver.ThreadingTCPServer):
    """Notes what it is asked for and refuses it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusing)
        self.asked: list[str] = []


class Refusing(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline(1000).decode("latin-1").strip())
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as started:
        threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield started
        started.shutdown()


@pytest.mark.parametrize("first", ["serinus.lambda_handlers.inference.session", "serinus.modelpack.package"])
def test_a_session_calls_nobody(proxy: Proxy, tmp_path, first: str) -> None:
    at = f"http://127.0.0.1:{proxy.server_address[1]}"
    # Where CI is set, nothing is sent anyway.
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    kept = {name: value for name, value in kept.items() if "GITHUB" not in name and not name.startswith("PYTEST")}
    environment = kept | {
        "https_proxy": at,
        "HTTPS_PROXY": at,
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", SERVE.format(first=first)], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[1.5]", done.stderr
    assert proxy.asked == []
    assert list(tmp_path.rglob("*")) == []
