"""A model in an environment of its own, as a `Source` like any other."""

import json
import os
import subprocess
import tempfile
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

#: This package's own code and nothing else of the environment that it is installed in.
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from serinus.modelpack.isolation.worker import main; main()"
)
#: Settings that would let this process's Python into the other.
_OURS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV")

#: Characters; far beyond the categories and words of the widest model.
_LONGEST_ANSWER = 256 << 20
_NO_ANSWER = (
    "the model's code wrote into what the Python of its own versions tells. Save the model without code that "
    "writes to files which it did not open."
)


class RemoteError(Exception):
    """Something that no part of this package raised went wrong over there; the message is its own."""


@contextmanager
def opened(
    path: Path, environment: Environment, *, trust: tuple[str, ...], progress: Progress
) -> Iterator["RemoteSource"]:
    """The model in ``path``, loaded by a Python of ``environment``, which ends with the block. Raises
    `SourceError`."""
    with tempfile.TemporaryDirectory(prefix="serinus-") as made:
        folder = Path(made)
        code, exchange = folder / "code", folder / "exchange"
        code.mkdir()
        exchange.mkdir()
        _link_own_code(code)
        with (folder / "said").open("w+") as said, _started(environment, code, exchange, said) as process:
            yield RemoteSource(path, _Line(process, said, progress), exchange, trust)


def _link_own_code(folder: Path) -> None:
    installed = Path(str(modelpack.__file__)).parents[1]
    package = folder / installed.name
    package.mkdir()
    (package / "__init__.py").symlink_to((installed / "__init__.py").resolve())
    for room in (modelpack, lambda_handlers):
        source = Path(str(room.__file__)).resolve().parent
        (package / source.name).symlink_to(source, target_is_directory=True)


@contextmanager
def _started(environment: Environment, code: Path, exchange: Path, said: Any) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [environment.interpreter, "-I", "-B", "-c", _START, code, exchange],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        encoding="utf-8",
        errors="replace",
        env={name: value for name, value in os.environ.items() if name not in _OURS},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class _Line:
    """Questions to the other Python, and its answers."""

    def __init__(self, process: "subprocess.Popen[str]", said: Any, progress: Progress) -> None:
        self._process = process
        self._said = said
        self._progress = progress

    def ask(self, call: str, **question: Any) -> Any:
        """The answer; raises what was raised there, and `IsolationError` where that Python has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"call": call, **question}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, which the missing answer tells
        while line := self._process.stdout.readline(_LONGEST_ANSWER):
            answer = _read(line)
            if "notice" in answer:
                self._progress.notice(answer["notice"])
            elif "error" in answer:
                raise _raised(answer["error"])
            else:
                return answer["result"]
        raise IsolationError(
            f"the Python of the model's own versions ended ({self._last_words()}). Its file may be damaged, "
            "or the memory too small; --allow-version-skew loads it with the installed versions."
        )

    def _last_words(self) -> str:
        code = self._process.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read().splitlines() if line.strip()]
        return (lines[-1] if lines else ending(code))[:300]


class RemoteSource:
    """A `Source` whose work is done by another Python."""

    def __init__(self, path: Path, line: _Line, exchange: Path, trust: tuple[str, ...]) -> None:
        self._line = line
        self._exchange = exchange
        known = line.ask("load", path=str(path), trust=list(trust))
        names, classes = known["feature_names"], known["classes"]
        self.framework: str = known["framework"]
        self.estimator: str = known["estimator"]
        self.task: Task = known["task"]
        self.feature_names: tuple[str, ...] | None = None if names is None else tuple(names)
        self.feature_count: int | None = known["feature_count"]
        self.classes: tuple[Label, ...] | None = None if classes is None else tuple(classes)
        self.nested: dict[str, Dtype] = known["nested"]
        self.known_words: tuple[str, ...] = tuple(known["known_words"])

    def predict(self, frame: pd.DataFrame) -> Outputs:
        self._put(frame)
        self._line.ask("predict")
        return wire.unpack((self._exchange / OUTPUTS).read_bytes())

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        found = self._line.ask("categories", names=list(names))
        return {name: tuple(values) for name, values in found.items()}

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        self._put(sample.frame)
        self._line.ask("convert", sample=wire.describe_sample(sample))
        while not (made := self._line.ask("graph"))["end"]:
            yield Graph((self._exchange / GRAPH).read_bytes(), made["precision"])

    def _put(self, frame: pd.DataFrame) -> None:
        (self._exchange / TABLE).write_bytes(wire.pack_frame(frame))


def _read(line: str) -> dict[str, Any]:
    """The answer in ``line``; raises `IsolationError` where it is none, cut at the most that is read for one."""
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise IsolationError(_NO_ANSWER) from error
    if not (isinstance(answer, dict) and answer.keys() & {"notice", "error", "result"}):
        raise IsolationError(_NO_ANSWER)
    return answer


def _raised(described: dict[str, Any]) -> Exception:
    """The error that was raised over there, of the same class where it is one of this package's."""
    return revive(described) or RemoteError(described["message"] or described["kind"])
