"""scikit-learn models as ONNX graphs, preprocessing in double precision and inside the graph."""

import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from serinus.modelpack.convert import threshold
from serinus.modelpack.convert.graph_rewrite import Shape, cast_of_labels, finish
from serinus.modelpack.convert.neighbours import is_by_products
from serinus.modelpack.errors import ConversionError, first_line
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import Graph

if TYPE_CHECKING:
    from serinus.modelpack.sources.sklearn import SklearnSource

#: The newest that skl2onnx 1.20 writes.
TARGET_OPSET = {"": 21, "ai.onnx.ml": 3}
#: Patterns of whole words, of one or more of Python's `\w`.
_WORDS = re.compile(r"(?:\(\?u\))?(?:\\b)?((?:\\w)+)(?:\+|\{([0-9]{1,3}),\})(?:\\b)?")


def convert(source: "SklearnSource", sample: Sample) -> Iterator[Graph]:
    """Graphs of the model: in double precision up to the estimators that compute in single, then in single
    throughout, for estimators that ONNX Runtime has in no other. Raises `ConversionError` when there is none."""
    for part in fitted_parts(source.model):
        _reject_unfaithful(part)
    failures: list[Exception] = []
    ways = [("float64", False), ("float32", False)]
    neighbours = [
        part for part in fitted_parts(source.model) if hasattr(part, "effective_metric_") and hasattr(part, "_y")
    ]
    if neighbours and all(map(is_by_products, neighbours)):
        ways.insert(0, ("float64", True))
    for precision, products in ways:
        try:
            raw = _run_skl2onnx(source, sample, precision, products)
            model = finish(raw, sample, precision, _shape(source, sample))
        except Exception as error:  # noqa: BLE001 - converters raise any type of error; reported below
            failures.append(error)
            continue
        yield Graph(model, _arithmetic(source.model, precision))
    if len(failures) == len(ways):
        first = failures[0]
        raise first if isinstance(first, ConversionError) else _conversion_error(source, first) from first


def _reject_unfaithful(part: Any) -> None:
    """Raises `ConversionError` for settings that skl2onnx converts wrongly, where few rows show it."""
    name = type(part).__name__
    if getattr(part, "break_ties", False) and len(getattr(part, "classes_", ())) > 2:
        raise ConversionError(
            f"{name}(break_ties=True) cannot be written as ONNX with its labels. Train with break_ties=False.",
            name,
        )
    if hasattr(part, "vocabulary_") and part.stop_words and part.ngram_range[1] > 1 and part.analyzer == "word":
        raise ConversionError(
            f"{name} with stop_words and ngram_range={part.ngram_range} joins words across removed stop words, "
            "which no ONNX operator does. Train without stop_words, or with ngram_range=(1, 1).",
            name,
        )


def _run_skl2onnx(source: "SklearnSource", sample: Sample, precision: str, products: bool) -> Any:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    from serinus.modelpack.convert.operators import named_to_ensembles, operators

    model = source.model
    number = DoubleTensorType if precision == "float64" else FloatTensorType
    if source.takes_text:
        inputs = [("strings", StringTensorType([None, 1]))]
    elif _takes_columns(model) or sample.strings:
        kinds = {name: StringTensorType if dtype == "string" else number for name, dtype in sample.dtypes.items()}
        inputs = [(name, kind([None, 1])) for name, kind in kinds.items()]
    else:
        inputs = [("numbers", number([None, len(sample.names)]))]
    ours = operators(products=products)
    with warnings.catch_warnings(), named_to_ensembles(ours):
        warnings.simplefilter("ignore")
        return convert_sklearn(
            model,
            name="model",
            initial_types=inputs,
            target_opset=TARGET_OPSET,
            options=_options(model),
            custom_conversion_functions={kind: item.convert for kind, item in ours.items()},
            custom_shape_calculators={kind: item.infer_shape for kind, item in ours.items() if item.infer_shape},
            custom_parsers={kind: item.parse for kind, item in ours.items() if item.parse},
        )


def _options(model: Any) -> dict[int, dict[str, Any]]:
    """No dictionaries for probabilities. Estimators without the option are named too, or a pipeline would set it
    for them."""
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter

    options: dict[int, dict[str, Any]] = {}
    inside = [
        threshold.estimator_inside(part) for part in fitted_parts(model) if type(part) in threshold.classifiers()
    ]
    for part in (model, *inside):
        last = part.steps[-1][1] if hasattr(part, "steps") else part
        alias = sklearn_operator_name_map.get(type(last))
        allowed = get_converter(alias).get_allowed_options() if alias else None
        options[id(last)] = {"zipmap": False} if allowed and "zipmap" in allowed else {}
    patterns = ((part, _word_pattern(part)) for part in fitted_parts(model))
    return options | {id(part): {"tokenexp": pattern} for part, pattern in patterns if pattern}


def _word_pattern(part: Any) -> str | None:
    """A text vectorizer's pattern of whole words, in the syntax of RE2, whose own `\\w` is ASCII; None for other
    patterns."""
    if getattr(part, "analyzer", None) != "word" or part.tokenizer or not part.token_pattern:
        return None
    match = _WORDS.fullmatch(part.token_pattern)
    if match is None:
        return None
    least = len(match[1]) // 2 - 1 + int(match[2] or 1)
    return f"[\\pL\\pN_]{{{least},}}"


def _takes_columns(model: Any) -> bool:
    """Whether a ColumnTransformer, which skl2onnx feeds column by column, stands anywhere in the model."""
    from sklearn.compose import ColumnTransformer

    return any(isinstance(part, ColumnTransformer) for part in fitted_parts(model))


def fitted_parts(model: Any) -> Iterator[Any]:
    """The model and the estimators inside it, as they were fitted."""
    yield model
    for name in (
        "steps",
        "transformers_",
        "transformer_list",
        "estimators_",
        "estimators",
        "calibrated_classifiers_",
    ):
        inner = getattr(model, name, None)
        if not isinstance(inner, list):
            continue
        for item in inner:
            part = item[1] if isinstance(item, tuple) else item
            if hasattr(part, "get_params") or hasattr(part, "estimator"):
                yield from fitted_parts(part)
    for name in ("estimator_", "estimator", "final_estimator_", "regressor_"):
        inner = getattr(model, name, None)
        if inner is not None and hasattr(inner, "get_params"):
            yield from fitted_parts(inner)


def _conversion_error(source: "SklearnSource", error: Exception) -> ConversionError:
    from skl2onnx._supported_operators import sklearn_operator_name_map

    from serinus.modelpack.convert.operators import operators

    known = {kind.__name__ for kind in (*sklearn_operator_name_map, *operators())} | {
        "Pipeline",
        "ColumnTransformer",
        "FeatureUnion",
    }
    names = [type(part).__name__ for part in fitted_parts(source.model)]
    unknown = [name for name in names if name not in known and not name.startswith("_")]
    message = re.sub(r"\.? You may raise an .*", "", first_line(error))
    if unknown:
        return ConversionError(
            f"{unknown[0]} (in {source.estimator}) has no ONNX converter. Replace it by one of "
            "https://onnx.ai/sklearn-onnx/supported.html, or run its step before calling the endpoint.",
            unknown[0],
        )
    if "at most 1 input" in message:
        return ConversionError(
            f"{source.estimator} contains pipelines with a ColumnTransformer of their own. Put the "
            f"ColumnTransformer before it: make_pipeline(columns, {type(source.model).__name__}(estimator)).",
            source.estimator,
        )
    return ConversionError(
        f"{source.estimator} could not be converted to ONNX: {message}. Remove steps one at a time to find "
        "which one fails, and replace it by one of https://onnx.ai/sklearn-onnx/supported.html.",
        source.estimator,
    )


def _shape(source: "SklearnSource", sample: Sample) -> Shape:
    """The finished graph's outputs, as the source's."""
    predicted = source.predict(sample.frame.head(2))
    outputs = tuple(
        (name, None if values.ndim == 1 else int(values.shape[1])) for name, values in predicted.items()
    )
    return Shape(outputs, cast_of_labels(source.classes))


def _arithmetic(model: Any, precision: str) -> str:
    from serinus.modelpack.convert.operators import computes_in_single

    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return "float32" if computes_in_single(last) else precision
