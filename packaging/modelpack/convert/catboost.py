"""CatBoost's oblivious trees, read from its own JSON: every level of a tree has one split, x > border."""

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
    "YetiRank",
)


def read_model(model: Any) -> Boosted:
    """A fitted CatBoost model. Raises `ConversionError` for what trees over numbers cannot express."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        dumped = json.loads(path.read_bytes())
    if "oblivious_trees" not in dumped:
        raise ConversionError(
            "CatBoost trees that are not symmetric are not supported. Train with grow_policy='SymmetricTree'.",
            "grow_policy",
        )
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
        for tree in dumped["oblivious_trees"]
        for planted in _trees(tree, len(start), columns, missing_left, float(scale))
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
    raise ConversionError(
        f"CatBoost loss {loss!r} is not supported. Train with one of {', '.join([*_LINKS, *_IDENTITY])}.", loss
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
