"""The common part of the boosting libraries' own model files: numbers in, trees, one output.

A pickled scikit-learn wrapper is a scikit-learn estimator like any other, and not handled here.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Dtype, Task
from serinus.modelpack.convert.boosted import Boosted, write_classes, write_value
from serinus.modelpack.convert.graph_builder import DirectGraph
from serinus.modelpack.convert.graph_rewrite import Shape, cast_of_labels, finish
from serinus.modelpack.convert.trees import label_at
from serinus.modelpack.errors import ConversionError
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import Category, Graph, Label
from serinus.modelpack.tables import Texts


class BoostedSource:
    """A booster of any library. ``predict_raw`` returns the library's prediction for a table of doubles:
    probabilities ([rows] of the second class, or [rows, classes]) or values. ``predict_labels`` returns its labels
    [rows]; None where the library has none, then the largest probability decides. ``notice`` tells the user how
    the file is read, where that matters."""

    def __init__(
        self,
        *,
        framework: str,
        estimator: str,
        boosted: Boosted,
        names: tuple[str, ...] | None,
        count: int | None,
        predict_raw: Callable[[npt.NDArray[np.float64]], npt.NDArray[Any]],
        classifies: bool,
        classes: tuple[Label, ...] | None = None,
        predict_labels: Callable[[npt.NDArray[np.float64]], npt.NDArray[Any]] | None = None,
        notice: str | None = None,
    ) -> None:
        self.framework = framework
        self.estimator = estimator
        self.feature_names = names
        self.feature_count = count
        self._boosted = boosted
        self._predict_raw = predict_raw
        self._predict_labels = predict_labels
        self.notice = notice
        self.task: Task = "classification" if classifies else "regression"
        self.classes = (classes or tuple(range(boosted.classes))) if classifies else None
        if any(isinstance(label, float) and label != round(label) for label in self.classes or ()):
            raise ConversionError(
                f"{estimator} has labels {list(self.classes or ())[:3]}…; strings, booleans and whole numbers are "
                "supported. Train with such labels.",
                estimator,
            )
        self.known_words: tuple[str, ...] = ()
        self.nested: dict[str, Dtype] = {}

    def predict(self, frame: pd.DataFrame) -> Outputs:
        rows = frame.to_numpy(dtype=np.float64)
        raw = np.asarray(self._predict_raw(rows), dtype=np.float64)
        if self.classes is None:
            return {"value": raw.ravel() if raw.ndim == 2 and raw.shape[1] == 1 else raw}
        probabilities = np.column_stack([1.0 - raw, raw]) if raw.ndim == 1 else raw
        labels = np.asarray(self.classes)
        if self._predict_labels is None:
            label = labels[probabilities.argmax(axis=1)]
        else:
            label = np.asarray(self._predict_labels(rows)).ravel().astype(labels.dtype)
        return {
            "label": label.astype(object) if label.dtype.kind == "U" else label,
            "probabilities": probabilities,
        }

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        del names
        return {}

    def texts(self, names: tuple[str, ...]) -> Texts:
        del names
        return {}

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        from onnx import TensorProto

        if sample.strings:
            raise ConversionError(
                f"{self.estimator} requires numbers; the sample's {', '.join(sample.strings)} are strings. "
                "Package the whole pipeline that encodes them.",
                self.estimator,
            )
        graph = DirectGraph()
        if self.classes is None:
            value = write_value(graph.nodes, "numbers", self._boosted)
            targets = self._boosted.targets
            shape = Shape((("value", None if targets == 1 else targets),), None)
            raw = graph.model([(value, TensorProto.DOUBLE)])
        else:
            probabilities, index = write_classes(graph.nodes, "numbers", self._boosted)
            classes = np.asarray(self.classes)
            kind = TensorProto.INT64 if classes.dtype.kind in "biuf" else TensorProto.STRING
            label = label_at(graph.nodes, classes, index)
            outputs = (("label", None), ("probabilities", len(self.classes)))
            shape = Shape(outputs, cast_of_labels(self.classes))
            raw = graph.model([(label, kind), (probabilities, TensorProto.DOUBLE)])
        yield Graph(finish(raw, sample, shape), "float64")
