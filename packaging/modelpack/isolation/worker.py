"""Runs in the model's own environment: loads the model there, and answers questions about it.

A question is one line of JSON on standard input, ``call`` and what belongs to it; an answer one line on what was
standard output, which the model's own libraries may not write to. Tables and graphs lie in files of the exchange
folder. Started by `remote`.
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


def serve(exchange: Path, asked: IO[str], answers: IO[str]) -> None:
    """Answer until ``asked`` ends."""
    desk = Desk(exchange, answers)
    for line in asked:
        question = json.loads(line)
        try:
            answer = {"result": getattr(desk, question.pop("call"))(**question)}
        except Exception as error:  # noqa: BLE001 - told to whoever asked, who raises it again
            answer = {"error": describe(error)}
        _tell(answers, answer)


class Desk:
    """One method a question."""

    def __init__(self, exchange: Path, answers: IO[str]) -> None:
        self._exchange = exchange
        self._answers = answers
        self._source: Source
        self._graphs: Iterator[Graph] = iter(())

    def load(self, path: str, trust: list[str]) -> dict[str, Any]:
        """The model's properties."""
        self._source = source = sources.load(
            Path(path), trust=tuple(trust), allow_version_skew=False, progress=self
        )
        return {
            "framework": source.framework,
            "estimator": source.estimator,
            "task": source.task,
            "feature_names": source.feature_names,
            "feature_count": source.feature_count,
            "classes": source.classes,
            "nested": source.nested,
            "known_words": source.known_words,
        }

    def predict(self) -> None:
        outputs = self._source.predict(self._table())
        (self._exchange / OUTPUTS).write_bytes(wire.pack(outputs))

    def categories(self, names: list[str]) -> dict[str, Any]:
        return dict(self._source.categories(tuple(names)))

    def convert(self, sample: dict[str, Any]) -> None:
        """Begin to convert; `graph` gives one after the other."""
        self._graphs = self._source.graphs(wire.make_sample(self._table(), sample))

    def graph(self) -> dict[str, Any]:
        graph = next(self._graphs, None)
        if graph is None:
            return {_END: True}
        (self._exchange / GRAPH).write_bytes(graph.model)
        return {_END: False, "precision": graph.precision}

    def stage(self, name: str) -> None:
        """Whoever asks knows what goes on."""

    def notice(self, message: str) -> None:
        _tell(self._answers, {"notice": message})

    def _table(self) -> Any:
        return wire.unpack_frame((self._exchange / TABLE).read_bytes())


def main() -> None:
    """Serve on descriptors of its own, so that nothing that the model's code prints or reads gets among them."""
    asked, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    serve(Path(sys.argv[1]), asked, answers)


def _tell(answers: IO[str], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
