"""Runs in the model's own environment: loads the model there, and answers requests from `remote`.

A request is one line of JSON on standard input, ``call`` and its arguments; an answer is one line on the former
standard output, which the model's own libraries cannot write to. Tables and graphs are files in the exchange
folder.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from serinus.modelpack import sources
from serinus.modelpack.isolation import wire
from serinus.modelpack.sources import Graph, Source
from serinus.modelpack.supervised.failures import describe

#: Files of the exchange folder.
TABLE, OUTPUTS, GRAPH = "table.npz", "outputs.npz", "graph.onnx"
_END = "end"


def serve(exchange: Path, requests: IO[str], answers: IO[str]) -> None:
    """Answer ``requests`` until they end."""
    server = SourceServer(exchange, answers)
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"result": getattr(server, request.pop("call"))(**request)}
        except Exception as error:  # noqa: BLE001 - reported to `remote`, which raises it again
            answer = {"error": describe(error)}
        _write_line(answers, answer)


class SourceServer:
    """One method a call."""

    def __init__(self, exchange: Path, answers: IO[str]) -> None:
        self._exchange = exchange
        self._answers = answers
        self._source: Source
        self._graphs: Iterator[Graph] = iter(())

    def load(self, path: str, trust: list[str]) -> dict[str, Any]:
        """The model's properties."""
        format_ = sources.detect_format(Path(path))
        self._source = source = sources.load(
            Path(path), format_, trust=tuple(trust), allow_version_skew=False, progress=self
        )
        return {
            "framework": source.framework,
            "estimator": source.estimator,
            "task": source.task,
            "feature_names": source.feature_names,
            "feature_count": source.feature_count,
            "classes": source.classes,
            "target_classes": getattr(source, "target_classes", None),
            "nested": source.nested,
            "known_words": source.known_words,
        }

    def predict(self) -> None:
        outputs = self._source.predict(self._table())
        (self._exchange / OUTPUTS).write_bytes(wire.pack(outputs))

    def categories(self, names: list[str]) -> dict[str, Any]:
        return dict(self._source.categories(tuple(names)))

    def texts(self, names: list[str]) -> dict[str, Any]:
        return dict(self._source.texts(tuple(names)))

    def convert(self, sample: dict[str, Any]) -> None:
        """Begin to convert; `graph` returns one after the other."""
        self._graphs = self._source.graphs(wire.rebuild_sample(self._table(), sample))

    def graph(self) -> dict[str, Any]:
        graph = next(self._graphs, None)
        if graph is None:
            return {_END: True}
        (self._exchange / GRAPH).write_bytes(graph.model)
        return {_END: False, "precision": graph.precision}

    def stage(self, name: str) -> None:
        """Stages are reported by the requesting process."""

    def notice(self, message: str) -> None:
        _write_line(self._answers, {"notice": message})

    def _table(self) -> Any:
        return wire.unpack_frame((self._exchange / TABLE).read_bytes())


def main() -> None:
    """Serve on separate descriptors, so that the model's code cannot print into them or read from them."""
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    serve(Path(sys.argv[1]), requests, answers)


def _write_line(answers: IO[str], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
