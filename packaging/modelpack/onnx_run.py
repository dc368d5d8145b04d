"""Runs a graph on a table as the endpoint will: a tensor of numbers, one of strings, one a nested feature."""

from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.bundle import DISABLED_OPTIMIZERS
from serinus.lambda_handlers.contract.signature import TextAnalysis
from serinus.lambda_handlers.contract.text_terms import compile_analysis
from serinus.modelpack.convert.term_inputs import read_term_inputs
from serinus.modelpack.errors import ConversionError, first_line
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import MISSING_STRING


class Runner:
    """A loaded graph. Raises `ConversionError` when ONNX Runtime cannot load it."""

    def __init__(self, model: bytes, sample: Sample, *, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        try:
            self.session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"], disabled_optimizers=DISABLED_OPTIMIZERS
            )
        except Exception as error:
            raise ConversionError(
                f"ONNX Runtime cannot load the graph: {first_line(error)}. Remove steps from the model one at a "
                "time to find the one that it cannot run, and replace it."
            ) from error
        self._numbers = list(sample.numbers)
        self._strings = list(sample.strings)
        self._nested = {name: np.dtype(sample.dtypes[name]) for name in sample.shapes}
        #: Inputs of strings: their features, and how the strings are analysed.
        self.string_inputs = self._read_string_inputs()
        self._analyse = {
            name: np.frompyfunc(compile_analysis(analysis), 1, 1)
            for name, (_, analysis) in self.string_inputs.items()
            if analysis is not None
        }
        self.output_types: dict[str, str] = {item.name: item.type for item in self.session.get_outputs()}

    def _read_string_inputs(self) -> dict[str, tuple[tuple[str, ...], TextAnalysis | None]]:
        read: dict[str, tuple[tuple[str, ...], TextAnalysis | None]] = {}
        if self._strings and "strings" in [item.name for item in self.session.get_inputs()]:
            read["strings"] = tuple(self._strings), None
        for name, (feature, analysis) in read_term_inputs(
            self.session.get_modelmeta().custom_metadata_map
        ).items():
            read[name] = (feature,), analysis
        return read

    def __call__(self, frame: pd.DataFrame) -> Outputs:
        """Outputs by name for the rows of ``frame``; labels and single values [rows]."""
        return self.run(self.feeds(frame))

    def feeds(self, frame: pd.DataFrame) -> dict[str, Any]:
        """The rows of ``frame`` as the graph's inputs."""
        feeds: dict[str, Any] = {}
        if self._numbers:
            feeds["numbers"] = frame[self._numbers].to_numpy(dtype=np.float64)
        for name, (features, _) in self.string_inputs.items():
            strings = frame[list(features)]
            plain = strings.where(strings.notna(), MISSING_STRING).to_numpy(dtype=object)
            feeds[name] = self._analyse[name](plain) if name in self._analyse else plain
        for name, dtype in self._nested.items():
            feeds[name] = np.array(frame[name].tolist(), dtype=dtype)
        return feeds

    def run_by_row(self, frame: pd.DataFrame) -> Outputs:
        """As `__call__`, but one row at a time: in quantized graphs rows depend on those beside them."""
        feeds = self.feeds(frame)
        rows = [
            self.run({name: values[row : row + 1] for name, values in feeds.items()}) for row in range(len(frame))
        ]
        return {name: np.concatenate([row[name] for row in rows]) for name in self.output_types}

    def run(self, feeds: dict[str, Any]) -> Outputs:
        """Outputs by name for inputs from `feeds`."""
        names = list(self.output_types)
        outputs: list[Any] = self.session.run(names, feeds)
        return dict(zip(names, outputs, strict=True))
