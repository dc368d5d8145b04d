"""CatBoost's trees, read from its own JSON: symmetric ones, where every level has one split (x > border), and
others."""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from serinus.modelpack.convert.boosted import Boosted, Link
from serinus.modelpack.convert.ensemble import Tree
from serinus.modelpack.errors import ConversionError

_LINKS: dict[str, Link] = {
    "Logloss": "sigmoid",
    "CrossEntropy": "sigmoid",
    "MultiClass": "softmax",
    "MultiClassOneVsAll": "one_vs_all",
    "Poisson": "exp",
    "Tweedie": "exp",
    "Focal": "sigmoid",
    "RMSEWithUncertainty": "mean_and_variance",
}
_IDENTITY = (
    "RMSE",
    "MAE",
    "Quantile",
    "MAPE",
    "Huber",
    "Expectile",
    "LogLinQuantile",
    "Lq",
    "MultiRMSE",
    "LogCosh",
    "MultiQuantile",
    "MultiRMSEWithMissingValues",
    "GroupQuantile",
    "Cox",
    "SurvivalAft",
    "YetiRank",
    "YetiRankPairwise",
    "PairLogit",
    "PairLogitPairwise",
    "QueryRMSE",
    "QuerySoftMax",
    "QueryCrossEntropy",
    "StochasticRank",
    "StochasticFilter",
    "LambdaMart",
)


def read_model(model: Any) -> Boosted:
    """A fitted CatBoost model. Raises `ConversionError` for what trees over numbers cannot express."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        dumped = json.loads(path.read_bytes())
    features = dumped["features_info"]
    for kind in ("categorical_features", "text_features", "embedding_features"):
        if features.get(kind):
            raise ConversionError(
                f"CatBoost's own {kind.replace('_', ' ')} cannot be written as ONNX. Encode them before the model "
                "in a scikit-learn pipeline (OrdinalEncoder, TargetEncoder), and train on numbers.",
                kind,
            )
    scale, start = dumped["scale_and_bias"]
    start = np.atleast_1d(np.asarray(start, dtype=np.float64))
    missing_left = [
        feature.get("nan_value_treatment") != "AsTrue" for feature in features.get("float_features", [])
    ]
    columns = [feature["flat_feature_index"] for feature in features.get("float_features", [])]
    trees = tuple(
        planted
        for tree in dumped.get("oblivious_trees", [])
        for planted in _trees(tree, len(start), columns, missing_left, float(scale))
    ) + tuple(
        (_grown(tree, len(start), columns, missing_left, float(scale)), 0) for tree in dumped.get("trees", [])
    )
    link = _link(str(model.get_all_params().get("loss_function", "RMSE")))
    threshold = _threshold(dumped.get("model_info", {})) if link == "sigmoid" else None
    return Boosted(trees, start, link, single=True, threshold=threshold)


def _threshold(info: dict[str, Any]) -> float:
    """The threshold of the sum for the second class: CatBoost compares it with the log-odds of
    `set_probability_threshold`'s value, not with the probability (0: always the second class, 1: never)."""
    probability = float(info.get("binclass_probability_threshold", 0.5))
    if 0.0 < probability < 1.0:
        return -math.log(1.0 / probability - 1.0)
    return -math.inf if probability <= 0.0 else math.inf


def _link(loss: str) -> Link:
    name = loss.split(":")[0]
    if name in _LINKS:
        return _LINKS[name]
    if name in _IDENTITY:
        return "identity"
    if name in ("MultiLogloss", "MultiCrossEntropy"):
        raise ConversionError(
            f"CatBoost models of several labels at once ({name}) are not supported. Train one model a label.", loss
        )
    raise ConversionError(
        f"CatBoost loss {loss!r} is not supported. Train with one of {', '.join([*_LINKS, *_IDENTITY])}.", loss
    )


def _grown(tree: dict[str, Any], targets: int, columns: list[int], missing_left: list[bool], scale: float) -> Tree:
    """A tree that is not symmetric (grow_policy Depthwise or Lossguide), node by node, parents first."""
    left, right, feature, threshold, nan_left, votes = ([] for _ in range(6))  # type: ignore[var-annotated]
    todo: list[tuple[dict[str, Any], int, list[int]]] = [(tree, 0, [0])]
    while todo:
        node, parent, children = todo.pop()
        number = children[parent] = len(left)
        split = node.get("split")
        if split is not None and split["split_type"] != "FloatFeature":
            raise ConversionError(f"CatBoost split {split['split_type']!r} is not supported.", split["split_type"])
        index = 0 if split is None else split["float_feature_index"]
        left.append(-1)
        right.append(-1)
        feature.append(columns[index] if columns else 0)
        threshold.append(0.0 if split is None else np.float32(split["border"]))
        nan_left.append(bool(missing_left) and missing_left[index])
        votes.append(np.zeros(targets) if split else np.atleast_1d(np.asarray(node["value"])) * scale)
        if split is not None:
            todo += [(node["left"], number, left), (node["right"], number, right)]
    return Tree(
        left=np.array(left),
        right=np.array(right),
        feature=np.array(feature),
        threshold=np.array(threshold, dtype=np.float64),
        missing_left=np.array(nan_left, dtype=bool),
        votes=np.array(votes, dtype=np.float64).reshape(-1, targets),
    )


def _trees(
    tree: dict[str, Any], targets: int, columns: list[int], missing_left: list[bool], scale: float
) -> list[tuple[Tree, int]]:
    """A full binary tree, the last split at its root: the first is the lowest bit of a leaf's number."""
    splits = list(reversed(tree["splits"] or []))
    for split in splits:
        if split["split_type"] != "FloatFeature":
            raise ConversionError(f"CatBoost split {split['split_type']!r} is not supported.", split["split_type"])
    depth = len(splits)
    branches = 2**depth - 1
    count = branches + 2**depth
    left = np.full(count, -1)
    left[:branches] = 2 * np.arange(branches) + 1
    level = [splits[int(np.log2(node + 1))] for node in range(branches)]
    values = np.asarray(tree["leaf_values"], dtype=np.float64).reshape(2**depth, targets) * scale
    votes = np.zeros((count, targets))
    votes[branches:] = values
    pad = [0] * (count - branches)
    whole = Tree(
        left=left,
        right=np.where(left < 0, -1, left + 1),
        feature=np.array([columns[split["float_feature_index"]] for split in level] + pad),
        threshold=np.array([np.float32(split["border"]) for split in level] + pad, dtype=np.float64),
        missing_left=np.array([missing_left[split["float_feature_index"]] for split in level] + pad, dtype=bool),
        votes=votes,
    )
    return [(whole, 0)]
