"""Servers that people run in place of a function, each as a process of its own on loopback."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lab import packages
from lab.load import load
from lab.models import Model

#: Seconds until a server has to answer.
PATIENCE_S = 120
UVICORN = ("uvicorn==0.54.0", "httptools==0.9.0", "uvloop==0.22.1")
ONNX = ("onnxruntime==1.31.1", "numpy==2.4.6")
_HANDLERS = Path(__file__).parents[1] / "handlers"
_HERE = Path(__file__).parent


class Target:
    """What is asked: ``url`` and the body of a POST."""

    def __init__(self, url: str, body: bytes) -> None:
        self.url, self.body = url, body


Server = Callable[[Model, int], contextlib.AbstractContextManager[Target]]


@contextlib.contextmanager
def uvicorn(model: Model, workers: int) -> Iterator[Target]:
    """Plain uvicorn with the endpoint that people write by hand: FastAPI and ONNX Runtime."""
    layer = packages.install("uvicorn", (*packages.FASTAPI, *UVICORN, *ONNX), bytecode=True)
    command = [
        "uvicorn",
        "onnx_fastapi:app",
        "--no-access-log",
        "--log-level",
        "warning",
        "--workers",
        str(workers),
    ]
    environment = {"MODEL": str(model.bundle / "model.onnx"), "FEATURES": json.dumps(list(model.rows[0]))}
    body = json.dumps({"rows": model.rows[:1]}).encode()
    with _running(command, [layer / "python", _HANDLERS], environment) as url:
        yield _ready(Target(f"{url}/predict", body))


@contextlib.contextmanager
def bentoml(model: Model, workers: int) -> Iterator[Target]:
    """BentoML's own server, with the source model."""
    layer = packages.install("bentoml", (*packages.BENTOML, *packages.scikit_learn()), bytecode=True)
    environment = {"MODEL": str(model.joblib), "WORKERS": str(workers), "BENTOML_DO_NOT_TRACK": "1"}
    body = json.dumps({"rows": [list(model.rows[0].values())]}).encode()
    command = ["bentoml", "serve", "bentoml_server:Classifier"]
    with _running(command, [layer / "python", _HERE], environment) as url:
        yield _ready(Target(f"{url}/predict", body))


@contextlib.contextmanager
def _running(command: list[str], path: list[Path], environment: Mapping[str, str]) -> Iterator[str]:
    """``python -m`` the command with a host and a port; yields its URL, and ends it with all that it started."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(packages.python()), "-s", "-m", *command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=scratch,
            env={
                "PATH": os.environ["PATH"],
                "HOME": scratch,
                "PYTHONPATH": os.pathsep.join(map(str, path)),
                "OPENBLAS_NUM_THREADS": "1",
                **environment,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        except NotReady as error:
            raise SystemExit(f"{error}\n{(Path(scratch) / 'log').read_text(errors='replace')[-3000:]}") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class NotReady(Exception):
    """A server did not answer in time."""


def _ready(target: Target) -> Target:
    deadline = time.monotonic() + PATIENCE_S
    while (asked := load(target.url, clients=1, requests=1, limit_s=10, body=target.body)).failed:
        if time.monotonic() > deadline:
            raise NotReady(f"{target.url} does not answer with 200: {dict(asked.statuses)}")
        time.sleep(0.2)
    return target


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
