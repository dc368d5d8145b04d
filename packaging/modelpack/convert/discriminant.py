"""LinearDiscriminantAnalysis, whose probabilities skl2onnx 1.20 sharpens.

For two classes it applies softmax to the decision and its negative: the logistic function of twice the decision.
"""

from typing import Any

import numpy as np

from serinus.modelpack.convert.boosted import with_complement
from serinus.modelpack.convert.nodes import Nodes
from serinus.modelpack.convert.trees import first_largest, set_classifier_outputs, side_of_zero


def convert(scope: Any, operator: Any, container: Any) -> None:
    """Labels by scikit-learn's decision; probabilities by its logistic function (two classes) or softmax."""
    nodes = Nodes(scope, container)
    model = operator.raw_operator
    values = nodes.cast(nodes.side_by_side(operator.inputs), np.float64)
    product = nodes.add("MatMul", [values, nodes.constant(np.asarray(model.coef_, dtype=np.float64).T.copy())])
    raw = nodes.add(
        "Add", [product, nodes.constant(np.asarray(model.intercept_, dtype=np.float64).reshape(1, -1))]
    )
    if len(model.classes_) == 2:
        index = side_of_zero(nodes, raw, zero_is_second=False)
        set_classifier_outputs(nodes, operator, with_complement(nodes, nodes.add("Sigmoid", [raw])), index)
    else:
        set_classifier_outputs(nodes, operator, nodes.add("Softmax", [raw], axis=1), first_largest(nodes, raw))
