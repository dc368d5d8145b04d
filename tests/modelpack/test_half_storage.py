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
    ],
)
def test_what_decides_a_jump_stays_single(model: object, halves: set[str] | None) -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 64)), columns=[f"f{i}" for i in range(64)])
    source = SklearnSource(model.fit(rows, rows["f0"] > 0))
    graph = next(iter(source.graphs(fit_to_model(rows, names=source.feature_names, count=64))))
    small = store_as(graph.model, np.float16)
    assert (None if small is None else set(stored(small).values())) == halves


def network(operator: str, kind: int = TensorProto.FLOAT, largest: float = 1.0) -> bytes:
    """A product by 64 weights, ``operator``, and an output of type ``kind``."""
    weights = numpy_helper.from_array(np.linspace(0, largest, 64, dtype=np.float32).reshape(8, 8), "w")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node(operator, ["y"], ["z"]),
        helper.make_node("Cast", ["z"], ["out"], to=kind),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 8])],
        [helper.make_tensor_value_info("out", kind, [None, 8])],
        [weights],
    )
    return bytes(helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize("operator", ["Relu", "Floor"])
@pytest.mark.parametrize("is_label", [False, True])
def test_a_label_may_jump(operator: str, is_label: bool) -> None:
    small = store_as(network(operator, TensorProto.INT64 if is_label else TensorProto.FLOAT), np.float16)
    assert (small is None) == (operator == "Floor" and not is_label)


def test_numbers_too_large_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"a stored number, 1e\+06, is too large for float16"):
        store_as(network("Relu", largest=1e6), np.float16)
