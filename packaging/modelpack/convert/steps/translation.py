"""Writes a fitted model into a graph by scikit-learn's own methods: `transform`, `predict`, `predict_proba` and
`decision_function` of each estimator, on columns of the graph.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.graph_builder import DirectGraph
from serinus.modelpack.convert.steps.columns import Columns, columns_of
from serinus.modelpack.convert.term_inputs import TermInputs
from serinus.modelpack.errors import Attempt, ConversionError, first_line

Method = Callable[["Translation", Any, Columns], Any]


@dataclass(frozen=True, slots=True)
class Methods:
    """How an estimator that holds others, or that needs no converter, is written, by its own methods.

    `transform` returns `Columns` or a `Matrix`; the others the name of a tensor: `predict` [rows] of labels or
    [rows, targets] of numbers or labels, `predict_proba` [rows, classes], `decision_function` [rows, 1 or more].
    """

    transform: Method | None = None
    predict: Method | None = None
    predict_proba: Method | None = None
    decision_function: Method | None = None
    #: Whether its other methods are written by its converter.
    has_converter: bool = False


class Translation:
    """One graph being written. ``single``: estimators without a converter of ours compute in single precision;
    ``products``: neighbours are found by matrix products. ``attempts`` records each conversion."""

    def __init__(self, *, single: bool = False, products: bool = False) -> None:
        self.graph = DirectGraph()
        self.nodes = self.graph.nodes
        self.terms = TermInputs()
        self.single = single
        self.products = products
        self.attempts: list[Attempt] = []
        self._path: list[str] = []
        self._results: dict[Any, Any] = {}
        self._kept: list[Any] = []

    @cached_property
    def _methods(self) -> dict[type, Methods]:
        from serinus.modelpack.convert.steps.methods import methods

        return methods()

    @cached_property
    def operators(self) -> dict[type, Any]:
        """Converters of ours, by estimator class."""
        from serinus.modelpack.convert.operators import operators

        return operators(products=self.products)

    @property
    def step(self) -> str:
        """Names of the steps that lead to the estimator being written; empty for the model itself."""
        return " > ".join(self._path)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """During the block, ``name`` is the step being written."""
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()

    def transform(self, estimator: Any, columns: Columns) -> Columns:
        """The columns that ``estimator.transform`` returns."""
        written = self._call("transform", estimator, columns)
        if isinstance(written, Columns):
            return written
        rows = self.run_source(estimator, "transform", columns.rows)
        if rows.shape[1] != written.width:
            raise self.error(
                estimator, f"its graph returns {written.width} columns and scikit-learn {rows.shape[1]}"
            )
        return columns_of(written, rows)

    def predict(self, estimator: Any, columns: Columns) -> str:
        """Labels [rows], or numbers or labels [rows, targets]."""
        return str(self._call("predict", estimator, columns))

    def predict_proba(self, estimator: Any, columns: Columns) -> str:
        """Doubles [rows, classes]."""
        return str(self._call("predict_proba", estimator, columns))

    def decision_function(self, estimator: Any, columns: Columns) -> str:
        """Doubles [rows, 1] for two classes, else [rows, classes]."""
        return str(self._call("decision_function", estimator, columns))

    def response(self, estimator: Any, columns: Columns, order: tuple[str, ...]) -> tuple[str, str]:
        """The first of the methods in ``order`` that the estimator has, and its tensor. Of two classes the
        probability is the second's alone, [rows, 1], as scikit-learn's own `_get_response_values` returns it."""
        for method in order:
            if hasattr(estimator, method):
                written = str(self._call(method, estimator, columns))
                if method == "predict_proba" and len(estimator.classes_) == 2:
                    written = self.nodes.take(written, [1])
                return method, written
        raise self.error(estimator, f"it has none of the methods {', '.join(order)}")

    def _call(self, method: str, estimator: Any, columns: Columns) -> Any:
        if not len(columns):
            raise self.error(estimator, "no column is left before it: the steps before it drop all")
        self._kept.append(estimator)
        return self.once((method, id(estimator), columns.places), lambda: self._write(method, estimator, columns))

    def once(self, key: Any, write: Callable[[], Any]) -> Any:
        """What ``write`` returned for this key the first time."""
        if key not in self._results:
            self._results[key] = write()
        return self._results[key]

    def _write(self, method: str, estimator: Any, columns: Columns) -> Any:
        from serinus.modelpack.convert.steps.leaf import Leaf

        own = self._methods.get(type(estimator))
        if own is not None:
            write = getattr(own, method)
            if write is not None:
                written = write(self, estimator, columns)
                self.attempts.append(Attempt(self.step, type(estimator).__name__, "float64", ""))
                return written
            if not own.has_converter:
                raise self.error(estimator, f"its {method} is not supported")
        return Leaf(self, estimator, columns).write(method)

    def run_source(self, estimator: Any, method: str, rows: Any) -> Any:
        """What the source's own step returns for the first rows."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return getattr(estimator, method)(rows)
            except Exception as error:
                raise self.error(estimator, f"scikit-learn's {method} fails: {first_line(error)}") from error

    def error(self, estimator: Any, reason: str) -> ConversionError:
        """A refusal that names the estimator, its step and the reason."""
        name = type(estimator).__name__
        where = f" (step {self.step!r})" if self._path else ""
        advice = "Replace the step" if self._path else "Replace it"
        return ConversionError(
            f"{name}{where} cannot be converted to ONNX: {reason}. {advice}, or run it before calling the "
            "endpoint.",
            name,
            tuple(self.attempts),
        )

    # What several estimators need.

    def numbers(self, columns: Columns) -> str:
        """The columns side by side, [rows, columns] of doubles."""
        return self._side_by_side(columns, is_string=False)

    def strings(self, columns: Columns) -> str:
        """The columns side by side, [rows, columns] of strings."""
        return self._side_by_side(columns, is_string=True)

    def _side_by_side(self, columns: Columns, *, is_string: bool) -> str:
        key = "side by side", columns.places
        if key not in self._results:
            if any(tensor.is_string != is_string for tensor, _ in columns.places):
                kind = "numbers" if is_string else "strings"
                raise ConversionError(f"the step {self.step!r} gets {kind} among its columns.")
            parts: list[str] = []
            places = list(columns.places)
            while places:
                tensor = places[0][0]
                count = next((i for i, (other, _) in enumerate(places) if other != tensor), len(places))
                indices = [index for _, index in places[:count]]
                whole = indices == list(range(tensor.width))
                parts.append(tensor.name if whole else self.nodes.take(tensor.name, indices))
                places = places[count:]
            self._results[key] = parts[0] if len(parts) == 1 else self.nodes.add("Concat", parts, axis=1)
        return str(self._results[key])

    def label_at(self, classes: Any, index: str) -> str:
        """Labels at an index [rows], of its shape."""
        from serinus.modelpack.convert.trees import label_at

        return label_at(self.nodes, np.asarray(classes), index)

    def label_of_largest(self, classes: Any, scores: str) -> str:
        """Labels [rows] of the largest of scores [rows, classes], of equals the first."""
        return self.label_at(classes, self.nodes.add("ArgMax", [scores], axis=1, keepdims=0))

    def one_column(self, columns: Columns, index: int) -> str:
        """The column at ``index``, [rows, 1], of numbers or strings."""
        tensor, place = columns.places[index]
        return self.nodes.take(tensor.name, [place]) if tensor.width > 1 else tensor.name

    def flat(self, value: str) -> str:
        """[rows] of a tensor with one value a row."""
        return self.nodes.add("Reshape", [value, self.nodes.constant(np.array([-1], dtype=np.int64))])

    def column(self, value: str) -> str:
        """[rows, 1] of a tensor with one value a row."""
        return self.nodes.add("Reshape", [value, self.nodes.constant(np.array([-1, 1], dtype=np.int64))])

    def row(self, values: npt.ArrayLike) -> str:
        """A stored row [1, columns] of doubles."""
        return self.nodes.constant(np.asarray(values, dtype=np.float64).reshape(1, -1))

    def doubles(self, value: str) -> str:
        return self.nodes.cast(value, np.float64)

    def beside(self, values: list[str]) -> str:
        """Tensors [rows, any] side by side."""
        return values[0] if len(values) == 1 else self.nodes.add("Concat", values, axis=1)

    def divided_by_sum(self, value: str, otherwise: str) -> str:
        """[rows, columns] divided by the sum of each row, and the row ``otherwise`` where the sum is 0."""
        nodes, zero, one = self.nodes, self.row([0.0]), self.row([1.0])
        total = nodes.add("ReduceSum", [value, nodes.constant(np.array([1], dtype=np.int64))], keepdims=1)
        is_zero = nodes.add("Equal", [total, zero])
        divided = nodes.add("Div", [value, nodes.add("Where", [is_zero, one, total])])
        return nodes.add("Where", [is_zero, otherwise, divided])

    def mean(self, values: list[str], weights: Any = None) -> str:
        """The mean of tensors of one shape, weighted as `numpy.average` does."""
        total = ""
        weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
        for value, weight in zip(values, weights, strict=True):
            part = (
                value if weight == 1.0 else self.nodes.add("Mul", [value, self.nodes.constant(np.array(weight))])
            )
            total = part if not total else self.nodes.add("Add", [total, part])
        return self.nodes.add("Div", [total, self.nodes.constant(np.array(float(weights.sum())))])

    def above(self, value: str, threshold: float, *, or_equal: bool = False) -> str:
        """[rows] of int64: 1 where a tensor of one value a row is above the threshold, else 0."""
        operator = "GreaterOrEqual" if or_equal else "Greater"
        reached = self.nodes.add(operator, [self.doubles(value), self.nodes.constant(np.array([threshold]))])
        return self.nodes.cast(self.flat(reached), np.int64)
