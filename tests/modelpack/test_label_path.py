"""From the classes' places to labels: looked up where they have to be, and in as few nodes as that takes."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

from serinus.modelpack.convert.graph_builder import DirectGraph
from serinus.modelpack.convert.sklearn import convert
from serinus.modelpack.convert.trees import side_of_zero
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import Sample, fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource

LOOKUPS = ("Gather", "ArrayFeatureExtractor", "LabelEncoder")
MODELS = {
    "boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0),
    "exponential": lambda: GradientBoostingClassifier(n_estimators=5, loss="exponential", random_state=0),
    "histogram": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(5, max_depth=4, random_state=0),
    "discriminant": LinearDiscriminantAnalysis,
}
TWO_CLASSES_ONLY = ("exponential", 3)
CLASSES: dict[str, list[Any]] = {
    "from 1": [1, 2, 3],
    "with a gap": [0, 1, 3],
    "negative": [-1, 1],
    "strings": ["0", "1", "2"],
    "booleans": [False, True],
}


def _packed(model: Any, labels: Any) -> tuple[SklearnSource, Sample, bytes]:
    """The source, its sample and its graph; ``labels`` by the place of each row's class."""
    random = np.random.default_rng(0)
    x = np.round(random.normal(size=(200, 4)), 2)
    places = np.digitize(
        x[:, 0] + x[:, 1] * x[:, 2], np.quantile(x[:, 0], np.arange(1, len(labels)) / len(labels))
    )
    source = SklearnSource(model.fit(x, np.array(labels)[places]))
    sample = fit_to_model(pd.DataFrame(x, columns=list("abcd")), names=None, count=4)
    return source, sample, next(convert(source, sample)).model


def _counts(model: bytes) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(model).graph.node)


def _answers_the_same(source: SklearnSource, sample: Sample, model: bytes) -> None:
    ours, theirs = Runner(model, sample)(sample.frame), source.predict(sample.frame)
    assert ours["label"].tolist() == theirs["label"].tolist()
    assert ours["label"].dtype == theirs["label"].dtype
    assert ours["label"].shape == theirs["label"].shape == (200,)
    np.testing.assert_allclose(ours["probabilities"], theirs["probabilities"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "classes"),
    [(name, count) for name in MODELS for count in (2, 3) if (name, count) != TWO_CLASSES_ONLY],
)
def test_integers_from_zero_on_are_not_looked_up(name: str, classes: int) -> None:
    source, sample, model = _packed(MODELS[name](), list(range(classes)))
    counts = _counts(model)
    assert not any(counts[lookup] for lookup in (*LOOKUPS, "Reshape", "Identity"))
    assert counts["ArgMax"] == 1
    _answers_the_same(source, sample, model)


@pytest.mark.parametrize("labels", CLASSES.values(), ids=list(CLASSES))
@pytest.mark.parametrize("name", ["boosting", "forest"])
def test_other_classes_are_looked_up(name: str, labels: list[Any]) -> None:
    source, sample, model = _packed(MODELS[name](), labels)
    counts = _counts(model)
    assert counts["Gather"] == 1
    assert not counts["Reshape"]
    _answers_the_same(source, sample, model)


def test_binary_boosting_compares_and_sums_in_one_node() -> None:
    _, _, model = _packed(MODELS["boosting"](), [0, 1])
    unlabelled = {"TreeEnsemble": 1, "Sigmoid": 1, "Gemm": 1}
    assert {op: n for op, n in _counts(model).items() if op != "Cast"} == {**unlabelled, "Mul": 1, "ArgMax": 1}


def test_each_of_several_labels_is_looked_up_by_its_own_classes() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 4))
    y = np.stack([x[:, 0] > 0, 2 + (x[:, 1] > 0)], axis=1).astype(int)
    source = SklearnSource(RandomForestClassifier(5, random_state=0).fit(x, y))
    sample = fit_to_model(pd.DataFrame(x, columns=list("abcd")), names=None, count=4)
    model = next(convert(source, sample)).model
    counts = _counts(model)
    assert (counts["ArgMax"], counts["Gather"], counts["Reshape"]) == (2, 3, 0)
    ours = Runner(model, sample)(sample.frame)["label"]
    assert ours.tolist() == source.predict(sample.frame)["label"].tolist()


@pytest.mark.parametrize("zero_is_second", [False, True])
def test_side_of_zero_is_exact_where_the_sigmoid_is_not(zero_is_second: bool) -> None:
    graph = DirectGraph()
    place = side_of_zero(graph.nodes, "numbers", zero_is_second=zero_is_second)
    session = onnxruntime.InferenceSession(
        _of_known_domains(graph.model([(place, onnx.TensorProto.INT64)])), providers=["CPUExecutionProvider"]
    )
    raw = [-np.inf, -1.0, -1e-17, -5e-324, -0.0, 0.0, 5e-324, 1e-17, 1.0, np.inf]
    (found,) = session.run(None, {"numbers": np.array(raw)[:, None]})
    assert found.tolist() == [int(value >= 0.0 if zero_is_second else value > 0.0) for value in raw]


def _of_known_domains(model: Any) -> bytes:
    """The model without the domain that stands for newer operators, of which it has none."""
    kept = [opset for opset in model.opset_import if opset.domain == ""]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return bytes(model.SerializeToString())
