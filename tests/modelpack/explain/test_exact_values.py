"""Exact Shapley values of tree ensembles equal the definition's sum over all subsets of features.

The definition is evaluated with ONNX Runtime, which knows nothing of boxes and tables.
"""

import itertools
import math
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

from serinus.lambda_handlers.explain.trees import PatternExplainer, TableExplainer
from serinus.modelpack import sources
from serinus.modelpack.convert.ensemble import MEMBER
from serinus.modelpack.errors import ConversionError
from serinus.modelpack.explain.leaf_boxes import read_leaf_boxes
from serinus.modelpack.explain.tables import explain_trees
from serinus.modelpack.sample import fit_to_model

FEATURES, BACKGROUND, EXPLAINED = 5, 12, 6
_RANDOM = np.random.default_rng(0)
NUMBERS = pd.DataFrame(_RANDOM.normal(size=(160, FEATURES)), columns=list("abcde"))
SCORE = (NUMBERS["a"] + NUMBERS["b"] * NUMBERS["c"] - NUMBERS["d"]).to_numpy()
HOLED = NUMBERS.mask(_RANDOM.random(NUMBERS.shape) < 0.15)
CODED = HOLED.assign(e=pd.Categorical.from_codes(_RANDOM.integers(0, 6, 160), list("uvwxyz")))
BY_CATEGORY = SCORE + 3.0 * CODED["e"].isin(list("uwz")).to_numpy()
TWO, THREE = (SCORE > 0).astype(int), np.digitize(SCORE, [-1.0, 1.0])
_XGB: dict[str, Any] = {"n_estimators": 6, "max_depth": 3, "n_jobs": 1, "enable_categorical": True}
_LGB: dict[str, Any] = {"n_estimators": 6, "num_leaves": 8, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}
_CAT: dict[str, Any] = {"iterations": 6, "depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
CASES: dict[str, tuple[Any, pd.DataFrame, Any]] = {
    "boosting, two classes": (GradientBoostingClassifier(n_estimators=6, random_state=0), NUMBERS, TWO),
    "boosting, three classes": (GradientBoostingClassifier(n_estimators=4, random_state=0), NUMBERS, THREE),
    "boosting, number": (GradientBoostingRegressor(n_estimators=6, random_state=0), NUMBERS, SCORE),
    "histogram, missing": (HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=8), HOLED, TWO),
    "forest, missing": (RandomForestClassifier(6, max_depth=4, random_state=0), HOLED, TWO),
    "forest, three classes": (RandomForestClassifier(4, max_depth=4, random_state=0), NUMBERS, THREE),
    "extra trees": (ExtraTreesRegressor(6, max_depth=4, random_state=0), NUMBERS, SCORE),
    "xgboost, missing": (xgboost.XGBClassifier(**_XGB), HOLED, TWO),
    "xgboost, three classes": (xgboost.XGBClassifier(**_XGB), HOLED, THREE),
    "xgboost, categories": (xgboost.XGBRegressor(**_XGB, max_cat_to_onehot=1), CODED, BY_CATEGORY),
    "lightgbm, categories": (lightgbm.LGBMRegressor(**_LGB, min_data_per_group=5), CODED, BY_CATEGORY),
    "lightgbm, missing": (lightgbm.LGBMClassifier(**_LGB), HOLED, TWO),
    "lightgbm, number": (lightgbm.LGBMRegressor(**_LGB), HOLED, SCORE),
    "catboost, missing": (catboost.CatBoostClassifier(**_CAT), HOLED, TWO),
    "catboost, number": (catboost.CatBoostRegressor(**_CAT), HOLED, SCORE),
}


def _ensemble(model: Any, rows: pd.DataFrame) -> Any:
    """The TreeEnsemble node of the model's graph."""
    source = sources.from_object(model, Path("model"))
    sample = fit_to_model(rows, names=source.feature_names, count=None)
    graph = onnx.load_from_string(next(iter(source.graphs(sample))).model)
    return next(node for node in graph.graph.node if node.op_type == "TreeEnsemble")


def _inputs(rows: pd.DataFrame, dtype: Any) -> np.ndarray:
    coded = {name: rows[name].cat.codes for name in rows if rows[name].dtype == "category"}
    return rows.assign(**coded).to_numpy(dtype=dtype)


def _attribute(node: Any, name: str) -> Any:
    return next(onnx.helper.get_attribute_value(item) for item in node.attribute if item.name == name)


def _session(node: Any, columns: int) -> tuple[Any, Any]:
    """ONNX Runtime on the ensemble alone, and the type of its input."""
    kind = _attribute(node, "nodes_splits").data_type
    inputs = [onnx.helper.make_tensor_value_info(node.input[0], kind, [None, columns])]
    outputs = [onnx.helper.make_tensor_value_info(node.output[0], kind, [None, None])]
    graph = onnx.helper.make_graph([node], "trees", inputs, outputs)
    opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("ai.onnx.ml", 5)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
    return lambda values: session.run(None, {node.input[0]: values.astype(dtype)})[0], dtype


def _by_definition(run: Any, rows: np.ndarray, background: np.ndarray, owners: list[int]) -> np.ndarray:
    """[rows, targets, features]: Shapley's sum over all subsets, averaged over the background."""
    count = max(owners) + 1
    subsets = [frozenset(s) for size in range(count + 1) for s in itertools.combinations(range(count), size)]
    values = []
    for row in rows:
        worth = {
            s: run(np.where([owner in s for owner in owners], row, background)).astype(float).mean(axis=0)
            for s in subsets
        }
        by_feature = []
        for feature in range(count):
            terms = [
                math.factorial(len(s))
                * math.factorial(count - len(s) - 1)
                / math.factorial(count)
                * (worth[s | {feature}] - worth[s])
                for s in subsets
                if feature not in s
            ]
            by_feature.append(np.sum(terms, axis=0))
        values.append(np.array(by_feature).T)
    return np.array(values)


@pytest.mark.parametrize("largest_bytes", [2**24, 2**14], ids=["table", "patterns"])
@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_the_definition(case: str, largest_bytes: int) -> None:
    model, rows, target = CASES[case]
    node = _ensemble(model.fit(rows, target), rows)
    run, dtype = _session(node, FEATURES)
    inputs, owners = _inputs(rows, dtype), list(range(FEATURES))
    explained, background = inputs[:EXPLAINED], inputs[-BACKGROUND:]
    output = run(explained).astype(float)
    explainer = explain_trees(
        read_leaf_boxes(node, owners), background, FEATURES, output.shape[1], largest_bytes=largest_bytes
    )
    values = explainer.explain(explained)
    expected = _by_definition(run, explained, background, owners)
    scale = np.abs(expected).max()
    assert scale > 0.01
    assert np.abs(values - expected).max() <= (1e-6 if dtype == np.float64 else 1e-5) * max(1.0, scale)
    assert np.abs(values.sum(axis=2) + explainer.base - output).max() <= 1e-5 * max(1.0, np.abs(output).max())


def test_a_table_that_is_too_large_becomes_patterns_and_then_an_error() -> None:
    model, rows, target = CASES["boosting, two classes"]
    boxes = read_leaf_boxes(_ensemble(model.fit(rows, target), rows), range(FEATURES))
    background = rows.to_numpy()[:BACKGROUND]
    assert isinstance(explain_trees(boxes, background, FEATURES, 1), TableExplainer)
    assert isinstance(explain_trees(boxes, background, FEATURES, 1, largest_bytes=4000), PatternExplainer)
    with pytest.raises(ConversionError, match="at most 10 are shipped"):
        explain_trees(boxes, background, FEATURES, 1, largest_bytes=10)


def test_columns_of_one_feature_are_explained_as_one() -> None:
    model, rows, target = CASES["forest, missing"]
    node = _ensemble(model.fit(rows, target), rows)
    run, dtype = _session(node, FEATURES)
    owners = [0, 1, 1, 2, 2]
    inputs = _inputs(rows, dtype)
    explained, background = inputs[:EXPLAINED], inputs[-BACKGROUND:]
    values = explain_trees(read_leaf_boxes(node, owners), background, 3, 1).explain(explained)
    expected = _by_definition(run, explained, background, owners)
    assert np.abs(values - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("case", ["xgboost, categories", "lightgbm, categories"])
def test_sets_of_categories_are_part_of_the_cases(case: str) -> None:
    model, rows, target = CASES[case]
    node = _ensemble(model.fit(rows, target), rows)
    assert MEMBER in onnx.numpy_helper.to_array(_attribute(node, "nodes_modes"))
