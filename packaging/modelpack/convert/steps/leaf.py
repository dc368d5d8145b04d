"""An estimator that holds no others, by its own converter: ours, or skl2onnx's.

skl2onnx's converters compute in double where ONNX Runtime can and otherwise in single precision, of one estimator
alone: the columns around it stay in double. Each is tried on the sample's first rows at once, so that an error
names the step that cannot be run.
"""

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd

from serinus.modelpack.convert.graph_rewrite import keep_precision
from serinus.modelpack.convert.nodes import NEWER_ML
from serinus.modelpack.convert.steps.columns import Columns, Matrix
from serinus.modelpack.convert.steps.reasons import REASONS
from serinus.modelpack.convert.steps.translation import Translation
from serinus.modelpack.errors import Attempt, ConversionError, first_line
from serinus.modelpack.sources.source import MISSING_STRING

#: The newest that skl2onnx 1.20 writes.
TARGET_OPSET = {"": 21, "ai.onnx.ml": 3}
#: Rows that a converter is tried on.
_TRIED_ROWS = 20


class Leaf:
    """The converter's use for one estimator on ``columns``."""

    def __init__(self, translation: Translation, estimator: Any, columns: Columns) -> None:
        self._translation = translation
        self._estimator = estimator
        self._columns = columns

    def write(self, method: str) -> Any:
        """The tensor that ``method`` returns: a `Matrix` of `transform`, else its name."""
        name = type(self._estimator).__name__
        if name in REASONS:
            raise self._translation.error(self._estimator, REASONS[name])
        from sklearn.base import is_outlier_detector

        scores = method == "decision_function" and not is_outlier_detector(self._estimator)
        outputs = self._outputs(raw_scores=scores)
        index = min(int(method in ("predict_proba", "decision_function")), len(outputs) - 1)
        name, kind, width = outputs[index]
        if method == "transform":
            is_string = kind == "string"
            width = width or int(
                self._translation.run_source(self._estimator, "transform", self._columns.rows).shape[1]
            )
            return Matrix(
                name if is_string or kind == "double" else self._translation.doubles(name), width, is_string
            )
        if kind not in ("double", "string") and not (method == "predict" and kind == "int64"):
            name = self._translation.doubles(name)
        if scores and width == 2 and len(self._estimator.classes_) == 2:
            return self._translation.nodes.take(name, [1])
        return name

    def _outputs(self, *, raw_scores: bool) -> list[tuple[str, str, int]]:
        """Name, type and width (0: unknown) of each of the converter's outputs."""
        key = "leaf", id(self._estimator), self._columns.places, raw_scores
        outputs: list[tuple[str, str, int]] = self._translation.once(
            key, lambda: self._convert(raw_scores=raw_scores)
        )
        return outputs

    def _convert(self, *, raw_scores: bool) -> list[tuple[str, str, int]]:
        is_ours = type(self._estimator) in self._translation.operators
        precisions = ["float32"] if self._translation.single and not is_ours else ["float64", "float32"]
        failures: list[str] = []
        for precision in precisions:
            try:
                model = self._run_skl2onnx(precision, raw_scores=raw_scores)
                if not is_ours:
                    _try(model, self._feeds(precision))
            except ConversionError:
                raise
            except Exception as error:  # noqa: BLE001 - converters raise any type of error; reported below
                failures.append(_reason(error))
                self._record(precision, failures[-1])
                continue
            self._record(precision, "")
            return self._merge(model, precision)
        raise self._refusal(failures)

    def _record(self, precision: str, failure: str) -> None:
        translation = self._translation
        translation.attempts.append(Attempt(translation.step, type(self._estimator).__name__, precision, failure))

    def _refusal(self, failures: list[str]) -> ConversionError:
        from skl2onnx._supported_operators import sklearn_operator_name_map

        kind = type(self._estimator)
        if kind not in sklearn_operator_name_map and kind not in self._translation.operators:
            bases = [base.__name__ for base in kind.__mro__[1:] if base in sklearn_operator_name_map]
            beyond = f"; it is a subclass of {bases[0]}, whose converter may not fit it" if bases else ""
            return self._translation.error(self._estimator, f"it has no converter{beyond}")
        return self._translation.error(self._estimator, failures[0])

    def _inputs(self) -> list[tuple[str, list[tuple[Matrix, int]], bool]]:
        """Name, places and whether they are strings, of each input of the converter."""
        return [
            (f"input{number}", places, is_string)
            for number, (is_string, places) in enumerate(self._columns.runs())
        ]

    def _run_skl2onnx(self, precision: str, *, raw_scores: bool) -> Any:
        import onnx.inliner
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

        from serinus.modelpack.convert.operators import named_to_ensembles

        number = DoubleTensorType if precision == "float64" else FloatTensorType
        ours = self._translation.operators
        inputs = [
            (name, (StringTensorType if is_string else number)([None, len(places)]))
            for name, places, is_string in self._inputs()
        ]
        with warnings.catch_warnings(), named_to_ensembles(ours):
            warnings.simplefilter("ignore")
            raw = convert_sklearn(
                self._estimator,
                name="model",
                initial_types=inputs,
                target_opset=TARGET_OPSET,
                options={id(self._estimator): self._options(raw_scores=raw_scores)},
                custom_conversion_functions={kind: item.convert for kind, item in ours.items()},
                custom_shape_calculators={
                    kind: item.infer_shape for kind, item in ours.items() if item.infer_shape
                },
                custom_parsers={kind: item.parse for kind, item in ours.items() if item.parse},
            )
        if raw.functions:
            raw = onnx.inliner.inline_local_functions(raw)
        keep_precision(raw)
        return raw

    def _options(self, *, raw_scores: bool) -> dict[str, Any]:
        """No dictionaries for probabilities."""
        from skl2onnx._supported_operators import sklearn_operator_name_map
        from skl2onnx.common._registration import get_converter

        alias = sklearn_operator_name_map.get(type(self._estimator))
        allowed = (get_converter(alias).get_allowed_options() if alias else None) or {}
        if type(self._estimator) in self._translation.operators:
            allowed = {key: value for key, value in allowed.items() if key == "zipmap"}
        options: dict[str, Any] = {"zipmap": False} if "zipmap" in allowed else {}
        if raw_scores:
            if "raw_scores" not in allowed:
                raise self._translation.error(self._estimator, "its decision_function is not supported")
            options["raw_scores"] = True
        return options

    def _merge(self, model: Any, precision: str) -> list[tuple[str, str, int]]:
        """The converter's nodes in the graph, under names of their own."""
        translation = self._translation
        named: dict[str, str] = {}
        for name, places, is_string in self._inputs():
            columns = Columns(tuple(places), None)
            whole = translation.strings(columns) if is_string else translation.numbers(columns)
            single = precision == "float32" and not is_string
            named[name] = translation.nodes.cast(whole, np.float32) if single else whole
        outputs = translation.graph.add_graph(model, named)
        kinds = {1: "float", 11: "double", 7: "int64", 8: "string", 9: "bool"}
        described = _types(model)
        return [
            (name, kinds.get(kind, str(kind)), width)
            for name, (kind, width) in zip(outputs, described, strict=True)
        ]

    def _feeds(self, precision: str) -> dict[str, Any]:
        """The converter's inputs for the sample's first rows."""
        rows = self._columns.rows
        rows = rows[:_TRIED_ROWS]
        frame = pd.DataFrame(rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows))
        feeds, start = {}, 0
        for name, places, is_string in self._inputs():
            part = frame.iloc[:, start : start + len(places)]
            start += len(places)
            if is_string:
                feeds[name] = part.where(part.notna(), MISSING_STRING).to_numpy(dtype=object)
            else:
                feeds[name] = part.to_numpy(dtype=np.float64 if precision == "float64" else np.float32)
        return feeds


def _types(model: Any) -> list[tuple[int, int]]:
    """ONNX type and width (0: unknown) of each output. skl2onnx guesses types by the inputs', which is wrong for
    results computed from strings."""
    import onnx

    untyped = onnx.ModelProto.FromString(model.SerializeToString())
    for value in untyped.graph.output:
        value.ClearField("type")
    inferred = {
        value.name: value.type.tensor_type.elem_type
        for value in onnx.shape_inference.infer_shapes(untyped).graph.output
    }
    described = []
    for value in model.graph.output:
        axes = value.type.tensor_type.shape.dim
        width = axes[1].dim_value if len(axes) == 2 else 0
        described.append((inferred.get(value.name) or value.type.tensor_type.elem_type, int(width)))
    return described


def _try(model: Any, feeds: dict[str, Any]) -> None:
    """Run the converter's graph; raises any error of ONNX Runtime's."""
    import onnxruntime

    tried = type(model)()
    tried.CopyFrom(model)
    for node in tried.graph.node:
        if node.domain == NEWER_ML:
            node.domain = "ai.onnx.ml"
    for entry in tried.opset_import:
        if entry.domain == "ai.onnx.ml":
            entry.version = 5
    model = tried
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    session.run(None, feeds)


def _reason(error: Exception) -> str:
    """A converter's error in one sentence, without its advice for its own developers."""
    text = re.sub(r"\.? You may raise an .*", "", first_line(error))
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "ONNX Runtime: ", text)
    if "Only binary classification" in text:
        return "its converter supports two classes alone"
    if "shape calculator" in text:
        return "it has no converter"
    if "got an input" in text and "wrong type" in text:
        return "its converter has no double precision"
    return text.rstrip(". ")
