"""scikit-learn's classifiers with a decision threshold: labels by it, probabilities of the estimator inside.

skl2onnx's converter of TunedThresholdClassifierCV returns the labels of the estimator inside, which has no
threshold.
"""

from typing import Any

import numpy as np

from serinus.modelpack.convert.nodes import Nodes
from serinus.modelpack.convert.trees import set_classifier_outputs
from serinus.modelpack.errors import ConversionError


def classifiers() -> tuple[type, ...]:
    """Those of the installed scikit-learn, which has them since 1.5."""
    from sklearn import model_selection

    names = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")
    return tuple(getattr(model_selection, name) for name in names if hasattr(model_selection, name))


def estimator_inside(model: Any) -> Any:
    """The fitted estimator inside a threshold classifier, also inside a FrozenEstimator."""
    inside = getattr(model, "estimator_", model.estimator)
    return inside.estimator if type(inside).__name__ == "FrozenEstimator" else inside


def parse(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """The estimator inside as an operator of its own, and one for its probabilities."""
    from skl2onnx._parse import _parse_sklearn
    from skl2onnx.common.data_types import Int64TensorType, guess_tensor_type

    inside = estimator_inside(model)
    methods = ("auto", "predict_proba")
    if getattr(model, "response_method", "auto") not in methods or not hasattr(inside, "predict_proba"):
        name = type(model).__name__
        raise ConversionError(
            f"{name} puts its threshold on {type(inside).__name__}'s decision_function, which is not supported. "
            "Use an estimator with predict_proba and response_method='predict_proba'.",
            name,
        )
    probabilities = _parse_sklearn(scope, inside, inputs, custom_parsers=custom_parsers)[1]
    operator = scope.declare_local_operator(None, model)
    operator.inputs = [probabilities]
    operator.outputs.append(scope.declare_local_variable("label", Int64TensorType()))
    operator.outputs.append(scope.declare_local_variable("probabilities", guess_tensor_type(probabilities.type)))
    return list(operator.outputs)


def convert(scope: Any, operator: Any, container: Any) -> None:
    """The positive class from the threshold on, as in scikit-learn."""
    nodes = Nodes(scope, container)
    model = operator.raw_operator
    probabilities = operator.inputs[0].full_name
    positive = _positive_index(model)
    positive_probability = nodes.cast(nodes.take(probabilities, [positive]), np.float64)
    reached = nodes.add("GreaterOrEqual", [positive_probability, nodes.constant(np.array([_threshold(model)]))])
    flat = nodes.add("Reshape", [reached, nodes.constant(np.array([-1], dtype=np.int64))])
    classes = nodes.constant(np.array([1 - positive, positive], dtype=np.int64))
    index = nodes.add("Gather", [classes, nodes.cast(flat, np.int64)], axis=0)
    set_classifier_outputs(nodes, operator, probabilities, index)


def _threshold(model: Any) -> float:
    if hasattr(model, "best_threshold_"):
        return float(model.best_threshold_)
    return 0.5 if model.threshold == "auto" else float(model.threshold)


def _positive_index(model: Any) -> int:
    """The index of the class whose probability is compared."""
    scorer = getattr(model, "_curve_scorer", None)
    label = model.pos_label if scorer is None else scorer._get_pos_label()
    return 1 if label is None else int(np.flatnonzero(np.asarray(model.classes_) == label)[0])
