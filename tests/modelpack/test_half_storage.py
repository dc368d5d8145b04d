"""Half precision is for numbers that change outputs a little, not for those that decide where outputs jump."""

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from serinus.modelpack.convert.half_storage import store_as
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource


def stored(model: bytes) -> dict[str, set[str]]:
    """Types of the large stored tensors by name."""
    import onnx

    return {
        tensor.name: numpy_helper.to_array(tensor).dtype.name
        for tensor in onnx.load_from_string(model).graph.initializer
        if np.prod(tensor.dims) >= 64
    }


@pytest.mark.parametrize(
    ("model", "halves"),
    [
        (make_pipeline(KNNImputer(), DecisionTreeClassifier(max_depth=2)), None),
        (KNeighborsClassifier(), None),
        (make_pipeline(StandardScaler(), LogisticRegression()), {"float16"}),
        # No score shows how near a label of theirs is to another.
        (LinearSVC(), None),
        (SVC(), None),
    ],
)
def test_what_decides_a_jump_stays_single(model: object, halves: set[str] | None) -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 64)), columns=[f"f{i}" for i in range(64)])
    source = SklearnSource(model.fit(rows, rows["f0"] > 0))
    graph = next(iter(source.graphs(fit_to_model(rows, names=source.feature_names, count=64))))
    small = store_as(graph.model, np.float16)
    assert (None if small is None else set(stored(small).values())) == halves


def network(*operators: str, has_label: bool = False, largest: float = 1.0) -> bytes:
    """A product by 64 weights, then ``operators``, whose result is an output of numbers; or, beside a label, the
    product is."""
    weights = numpy_helper.from_array(np.linspace(0, largest, 64, dtype=np.float32).reshape(8, 8), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y0"])]
    nodes += [
        helper.make_node(operator, [f"y{number}"], [f"y{number + 1}"]) for number, operator in enumerate(operators)
    ]
    last = f"y{len(operators)}"
    label = helper.make_node("Cast", [last], ["label"], to=TensorProto.INT64)
    outputs = [helper.make_tensor_value_info("y0" if has_label else last, TensorProto.FLOAT, [None, 8])]
    outputs += [helper.make_tensor_value_info("label", TensorProto.INT64, [None, 8])] * has_label
    rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 8])
    graph = helper.make_graph([*nodes, *[label] * has_label], "g", [rows], outputs, [weights])
    return bytes(helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize(
    ("operators", "has_label", "is_half"),
    [
        (["Relu"], False, True),
        (["Floor"], False, False),
        (["Floor"], True, True),
        (["Sign", "Relu", "Floor"], True, False),  # as votes, then the most of them
    ],
)
def test_a_label_beside_scores_may_jump_once(operators: list[str], has_label: bool, is_half: bool) -> None:
    small = store_as(network(*operators, has_label=has_label), np.float16)
    assert (small is not None) == is_half


def test_numbers_too_large_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"a stored number, 1e\+06, is too large for float16"):
        store_as(network("Relu", largest=1e6), np.float16)
