"""Inputs of a graph that hold the terms of texts.

The endpoint splits texts into terms, since no ONNX operator does it as Python does. The graph's metadata says of
which feature each is, and how its texts are analysed.
"""

import json
from collections.abc import Mapping
from typing import Any

from serinus.lambda_handlers.contract.signature import TextAnalysis, read_analysis
from serinus.modelpack.convert.graph_builder import uses

#: Metadata key of the graph: a JSON object by input, {"feature": …, "analysis": {…}}.
TERMS = "serinus.terms"


class TermInputs:
    """The inputs of one graph, each [rows, 1]."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, TextAnalysis], str] = {}

    def name(self, column: int, analysis: TextAnalysis) -> str:
        """The input of the terms of a column of strings."""
        return self._names.setdefault((column, analysis), f"terms_{len(self._names) + 1}")

    def declare(self, graph: Any, features: tuple[str, ...]) -> dict[str, str]:
        """Add the inputs that nodes of ``graph`` use; returns the metadata. ``features`` are its columns of
        strings."""
        from onnx import TensorProto, helper

        used = {name for node in graph.node for name in uses(node)}
        described = {}
        for (column, analysis), name in self._names.items():
            if name in used:
                graph.input.append(helper.make_tensor_value_info(name, TensorProto.STRING, [None, 1]))
                described[name] = {"feature": features[column], "analysis": analysis._asdict()}
        return {TERMS: json.dumps(described)} if described else {}


def read_term_inputs(metadata: Mapping[str, str]) -> dict[str, tuple[str, TextAnalysis]]:
    """Feature and analysis by input, of a graph with this metadata."""
    described = json.loads(metadata.get(TERMS, "{}"))
    return {name: (item["feature"], read_analysis(item["analysis"])) for name, item in described.items()}
