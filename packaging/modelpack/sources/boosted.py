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
from serinus.modelpack.convert.category_codes import write_codes
from serinus.modelpack.convert.graph_builder import DirectGraph
from serinus.modelpack.convert.graph_rewrite import Shape, cast_of_labels, finish
from serinus.modelpack.convert.trees import label_at
from serinus.modelpack.errors import ConversionError
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.pandas_categories import Coded, FindCategories, as_table
from serinus.modelpack.sources.source import Category, Graph, Label
from serinus.modelpack.tables import Texts


class BoostedSource:
    """A booster of any library. ``predict_raw`` returns the library's prediction for an array of doubles:
    probabilities ([rows] of the second class, or [rows, classes]) or values. ``predict_labels`` returns its labels
    [rows]; None where the library has none, then the largest probability decides. ``notice`` tells the user how
    the file is read, where that matters. ``find_categories`` returns the pandas categories that it was trained on;
    then ``predict_raw`` and ``predict_labels`` get a table with such columns; ``refuse_unseen``: it predicts no
    others."""

    def __init__(
        self,
        *,
        framework: str,
        estimator: str,
        boosted: Boosted,
        names: tuple[str, ...] | None,
        count: int | None,
        predict_raw: Callable[[Any], npt.NDArray[Any]],
        classifies: bool,
        classes: tuple[Label, ...] | None = None,
        predict_labels: Callable[[Any], npt.NDArray[Any]] | None = None,
        find_categories: FindCategories | None = None,
        refuse_unseen: bool = False,
        notice: str | None = None,
    ) -> None:
        self.framework = framework
        self.estimator = estimator
        self.feature_names = names
        self.feature_count = count
        self._boosted = boosted
        self._predict_raw = predict_raw
        self._predict_labels = predict_labels
        self._find_categories = find_categories
        self._refuse_unseen = refuse_unseen
        self._resolved: Coded | None = None
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
        coded = self._coded(tuple(map(str, frame.columns)), frame)
        rows: Any = (
            as_table(frame, coded, refuse_unseen=self._refuse_unseen)
            if coded
            else frame.to_numpy(dtype=np.float64)
        )
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

    def _coded(self, names: tuple[str, ...], frame: pd.DataFrame | None) -> Coded:
        """The categories by column; ``frame`` says which columns hold strings, where there is one."""
        if self._find_categories is None:
            return {}
        if frame is None:
            return self._resolved or self._find_categories(None)
        if self._resolved is None:
            text = (
                index for index, name in enumerate(names) if not pd.api.types.is_numeric_dtype(frame[name].dtype)
            )
            self._resolved = self._find_categories(frozenset(text))
        return self._resolved

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        return {names[index]: values for index, values in self._coded(names, None).items()}

    def texts(self, names: tuple[str, ...]) -> Texts:
        return {
            name: tuple(map(str, values))
            for name, values in self.categories(names).items()
            if all(isinstance(value, str) for value in values)
        }

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        from onnx import TensorProto

        coded = self._coded(sample.names, sample.frame)
        unknown = [name for name in sample.strings if sample.names.index(name) not in coded]
        if unknown:
            raise ConversionError(
                f"{self.estimator} requires numbers; the sample's {', '.join(unknown)} are strings. "
                "Package the whole pipeline that encodes them.",
                self.estimator,
            )
        graph = DirectGraph()
        boosted, values = self._boosted, "numbers"
        if coded:
            values, order = write_codes(graph.nodes, sample, coded)
            boosted = boosted.of_columns(order)
        if self.classes is None:
            value = write_value(graph.nodes, values, boosted)
            targets = boosted.targets
            shape = Shape((("value", None if targets == 1 else targets),), None)
            raw = graph.model([(value, TensorProto.DOUBLE)])
        else:
            probabilities, index = write_classes(graph.nodes, values, boosted)
            classes = np.asarray(self.classes)
            kind = TensorProto.INT64 if classes.dtype.kind in "biuf" else TensorProto.STRING
            label = label_at(graph.nodes, classes, index)
            outputs = (("label", None), ("probabilities", len(self.classes)))
            shape = Shape(outputs, cast_of_labels(self.classes))
            raw = graph.model([(label, kind), (probabilities, TensorProto.DOUBLE)])
        yield Graph(finish(raw, sample, shape), "float64")
