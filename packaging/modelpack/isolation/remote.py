"""A model in its own environment, as a `Source` like any other."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from serinus import lambda_handlers, modelpack
from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Dtype, Task
from serinus.modelpack.errors import IsolationError
from serinus.modelpack.isolation import wire
from serinus.modelpack.isolation.environment import Environment
from serinus.modelpack.isolation.worker import GRAPH, OUTPUTS, TABLE
from serinus.modelpack.progress import Progress
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import Category, Graph, Label
from serinus.modelpack.supervised.failures import revive
from serinus.modelpack.supervised.group import ending
from serinus.modelpack.tables import Texts
from serinus.modelpack.temporary_folder import TemporaryFolder

#: Imports this package's own code and nothing else of the environment that it is installed in.
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from serinus.modelpack.isolation.worker import main; main()"
)
#: Variables by which the other Python would import this process's modules.
_PYTHON_SETTINGS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV")

#: Characters; far beyond the categories and words of the widest model.
_LONGEST_ANSWER = 256 << 20
_GARBLED_ANSWER = (
    "the model's code wrote into the pipe on which the Python of its own versions answers. Save the model without "
    "code that writes to files it did not open."
)


class RemoteError(Exception):
    """An error in the other Python that is not one of this package's; the message is its own."""


@contextmanager
def opened(
    path: Path, environment: Environment, *, trust: tuple[str, ...], progress: Progress
) -> Iterator["RemoteSource"]:
    """The model in ``path``, loaded by a Python of ``environment``, which ends with the block. Raises
    `SourceError`."""
    with TemporaryFolder() as folder:
        code, exchange = folder / "code", folder / "exchange"
        code.mkdir()
        exchange.mkdir()
        _link_own_code(code)
        with (folder / "said").open("w+") as stderr, _started(environment, code, exchange, stderr) as process:
            yield RemoteSource(path, _Connection(process, stderr, progress), exchange, trust)


def _link_own_code(folder: Path) -> None:
    installed = Path(str(modelpack.__file__)).parents[1]
    package = folder / installed.name
    package.mkdir()
    (package / "__init__.py").symlink_to((installed / "__init__.py").resolve())
    for room in (modelpack, lambda_handlers):
        source = Path(str(room.__file__)).resolve().parent
        (package / source.name).symlink_to(source, target_is_directory=True)


@contextmanager
def _started(
    environment: Environment, code: Path, exchange: Path, stderr: Any
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [environment.interpreter, "-I", "-B", "-c", _START, code, exchange],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
        env={name: value for name, value in os.environ.items() if name not in _PYTHON_SETTINGS},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class _Connection:
    """Requests to the other Python, and its answers."""

    def __init__(self, process: "subprocess.Popen[str]", stderr: Any, progress: Progress) -> None:
        self._process = process
        self._stderr = stderr
        self._progress = progress

    def request(self, call: str, **arguments: Any) -> Any:
        """The result; raises the error raised there, and `IsolationError` where that Python has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"call": call, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: no answer follows
        while line := self._process.stdout.readline(_LONGEST_ANSWER):
            answer = _parse_answer(line)
            if "notice" in answer:
                self._progress.notice(answer["notice"])
            elif "error" in answer:
                raise _to_exception(answer["error"])
            else:
                return answer["result"]
        raise IsolationError(
            f"the Python of the model's own versions ended ({self._last_words()}). The model file may be damaged, "
            "or memory ran out; --allow-version-skew loads it with the installed versions."
        )

    def _last_words(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr.read().splitlines() if line.strip()]
        return (lines[-1] if lines else ending(code))[:300]


class RemoteSource:
    """A `Source` that runs in another Python."""

    def __init__(self, path: Path, connection: _Connection, exchange: Path, trust: tuple[str, ...]) -> None:
        self._connection = connection
        self._exchange = exchange
        properties = connection.request("load", path=str(path), trust=list(trust))
        names, classes = properties["feature_names"], properties["classes"]
        by_target: list[list[Label]] | None = properties["target_classes"]
        self.framework: str = properties["framework"]
        self.estimator: str = properties["estimator"]
        self.task: Task = properties["task"]
        self.feature_names: tuple[str, ...] | None = None if names is None else tuple(names)
        self.feature_count: int | None = properties["feature_count"]
        self.classes: tuple[Label, ...] | None = None if classes is None else tuple(classes)
        self.target_classes = None if by_target is None else tuple(map(tuple, by_target))
        self.nested: dict[str, Dtype] = properties["nested"]
        self.known_words: tuple[str, ...] = tuple(properties["known_words"])

    def predict(self, frame: pd.DataFrame) -> Outputs:
        self._put(frame)
        self._connection.request("predict")
        return wire.unpack((self._exchange / OUTPUTS).read_bytes())

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        answer = self._connection.request("categories", names=list(names))
        return {name: tuple(values) for name, values in answer.items()}

    def texts(self, names: tuple[str, ...]) -> Texts:
        answer = self._connection.request("texts", names=list(names))
        return {name: None if values is None else tuple(values) for name, values in answer.items()}

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        self._put(sample.frame)
        self._connection.request("convert", sample=wire.describe_sample(sample))
        while not (answer := self._connection.request("graph"))["end"]:
            yield Graph((self._exchange / GRAPH).read_bytes(), answer["precision"])

    def _put(self, frame: pd.DataFrame) -> None:
        (self._exchange / TABLE).write_bytes(wire.pack_frame(frame))


def _parse_answer(line: str) -> dict[str, Any]:
    """The answer in ``line``; raises `IsolationError` where it is not an answer, or is cut at the limit."""
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise IsolationError(_GARBLED_ANSWER) from error
    if not (isinstance(answer, dict) and answer.keys() & {"notice", "error", "result"}):
        raise IsolationError(_GARBLED_ANSWER)
    return answer


def _to_exception(described: dict[str, Any]) -> Exception:
    """The error raised in the other Python, of the same class where it is one of this package's."""
    return revive(described) or RemoteError(described["message"] or described["kind"])
