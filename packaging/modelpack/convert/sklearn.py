"""scikit-learn models as ONNX graphs, preprocessing in double precision and inside the graph."""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from serinus.modelpack.convert.boosted import with_complement
from serinus.modelpack.convert.ensemble import sums_exactly_in_single
from serinus.modelpack.convert.graph_rewrite import Shape, cast_of_labels, finish
from serinus.modelpack.convert.neighbours import is_by_products
from serinus.modelpack.convert.steps.columns import Columns, Matrix
from serinus.modelpack.convert.steps.translation import Translation
from serinus.modelpack.errors import ConversionError, first_line
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.several_labels import is_set_alone
from serinus.modelpack.sources.source import Graph

if TYPE_CHECKING:
    from serinus.modelpack.sources.sklearn import SklearnSource

#: Rows of the sample that accompany the columns through the steps.
_FIRST_ROWS = 40


def convert(source: "SklearnSource", sample: Sample) -> Iterator[Graph]:
    """Graphs of the model: in double precision, but for estimators that ONNX Runtime has in single precision only;
    then with all of skl2onnx's converters in single. Raises `ConversionError` when there is none."""
    failures: list[ConversionError] = []
    ways = [Translation(), Translation(single=True)]
    neighbours = [
        part for part in fitted_parts(source.model) if hasattr(part, "effective_metric_") and hasattr(part, "_y")
    ]
    if neighbours and all(map(is_by_products, neighbours)):
        ways.insert(0, Translation(products=True))
    for translation in ways:
        try:
            model = _write(source, sample, translation)
        except ConversionError as error:
            failures.append(error)
            continue
        yield Graph(model, "float32" if _sums_in_single(model) else _arithmetic(source.model, translation))
    if len(failures) == len(ways):
        raise failures[0]


def _write(source: "SklearnSource", sample: Sample, translation: Translation) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = source.predict(sample.frame.head(2))
    columns = _given(source, sample)
    model, methods = source.model, {"label": "predict", "value": "predict", "probabilities": "predict_proba"}
    methods |= {"scores": "decision_function", "transformed": "transform"}
    outputs, place = [], 0
    for name, values in predicted.items():
        if name not in methods:
            written = _probabilities_of_target(translation, model, columns, place, values.shape[1])
            place += 1 if is_set_alone(model) else values.shape[1]
        else:
            written = getattr(translation, methods[name])(model, columns)
        tensor = translation.numbers(written) if isinstance(written, Columns) else written
        outputs.append((tensor, _onnx_type(name, values)))
    shape = Shape(
        tuple((name, None if values.ndim == 1 else int(values.shape[1])) for name, values in predicted.items()),
        cast_of_labels(source.classes),
    )
    try:
        return finish(translation.graph.model(outputs), sample, shape, translation.terms)
    except Exception as error:
        raise translation.error(model, f"its graph is not valid: {first_line(error)}") from error


def _probabilities_of_target(
    translation: Translation, model: Any, columns: Columns, place: int, classes: int
) -> str:
    """[rows, classes] of one of several labels, whose columns begin at ``place`` of all labels' probabilities."""
    every = translation.predict_proba(model, columns)
    if is_set_alone(model):
        return with_complement(translation.nodes, translation.nodes.take(every, [place]))
    return translation.nodes.take(every, range(place, place + classes))


def _given(source: "SklearnSource", sample: Sample) -> Columns:
    """The sample's columns as the graph's inputs."""
    tensors = {
        is_string: Matrix("strings" if is_string else "numbers", len(names), is_string)
        for is_string, names in ((False, sample.numbers), (True, sample.strings))
    }
    places = []
    for name in sample.names:
        is_string = sample.dtypes[name] == "string"
        names = sample.strings if is_string else sample.numbers
        places.append((tensors[is_string], names.index(name)))
    return Columns(tuple(places), source.model_input(sample.frame.head(_FIRST_ROWS)))


def _onnx_type(name: str, values: Any) -> int:
    from onnx import TensorProto

    if name != "label":
        return int(TensorProto.DOUBLE)
    return int(TensorProto.STRING if values.dtype.kind in "OU" else TensorProto.INT64)


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
    for name in ("estimator_", "estimator", "final_estimator_", "regressor_", "best_estimator_"):
        inner = getattr(model, name, None)
        if inner is not None and hasattr(inner, "get_params"):
            yield from fitted_parts(inner)


def _arithmetic(model: Any, translation: Translation) -> str:
    """The narrowest precision in which one of its estimators computes."""
    from serinus.modelpack.convert.operators import computes_in_single

    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if computes_in_single(last):
        return "float32"
    done = {attempt.precision for attempt in translation.attempts if not attempt.failure}
    return "float32" if "float32" in done else "float64"


def _sums_in_single(model: bytes) -> bool:
    """Whether trees' votes are summed in single precision with a loss, however small."""
    import onnx

    for node in onnx.load_from_string(model).graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        if node.op_type != "TreeEnsemble" or attributes["leaf_weights"].t.data_type != onnx.TensorProto.FLOAT:
            continue
        votes = onnx.numpy_helper.to_array(attributes["leaf_weights"].t).astype(np.float64)
        if not sums_exactly_in_single(votes, len(attributes["tree_roots"].ints)):
            return True
    return False
