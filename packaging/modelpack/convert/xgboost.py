"""XGBoost's trees, read from its own JSON (https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html).

A node leads left where x < split, in single precision; leaves hold their value in place of the split.
"""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from serinus.modelpack.convert.boosted import Boosted, Link
from serinus.modelpack.convert.ensemble import LT, MEMBER, Floats, Tree
from serinus.modelpack.errors import ConversionError

_LINKS: dict[str, Link] = {
    "binary:logistic": "sigmoid",
    "reg:logistic": "sigmoid",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
    "survival:cox": "exp",
    "survival:aft": "exp",
    "binary:hinge": "step",
}
_IDENTITY = (
    "reg:squarederror",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:quantileerror",
    "binary:logitraw",
)


def read_wrapper(model: Any) -> Boosted:
    """A fitted XGBClassifier, XGBRegressor or the like, as it predicts: up to its best iteration, and with its
    value for missing, which its files do not keep."""
    booster = model.get_booster()
    best = booster.attr("best_iteration")
    read = read_booster(booster if best is None else booster[: int(best) + 1])
    if hasattr(model, "classes_"):
        refuse_several_labels(read)
        if read.link == "softmax" and read.targets == 2:  # its `predict` takes it for one of several labels
            raise ConversionError(
                "XGBClassifier with multi:softprob and two classes predicts both labels at once. Train with "
                "objective='binary:logistic'.",
                "multi:softprob",
            )
    missing = getattr(model, "missing", None)
    return read if missing is None or np.isnan(missing) else replace(read, missing=float(missing))


def refuse_several_labels(boosted: Boosted) -> None:
    """Raise `ConversionError` for a classifier of several labels at once."""
    if boosted.link == "sigmoid" and boosted.targets > 1:
        raise ConversionError(
            f"XGBoost models of {boosted.targets} labels at once are not supported. Train one model a label.",
            "multilabel",
        )


def read_booster(booster: Any) -> Boosted:
    """A Booster. Raises `ConversionError` for what trees alone cannot express."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    objective = learner["objective"]["name"]
    link = _link(objective)
    parameters = learner["learner_model_param"]
    targets = max(1, int(parameters["num_class"]), int(parameters.get("num_target", 1)))
    start = _start(parameters["base_score"], link, targets)
    if learner["gradient_booster"]["name"] == "gblinear":
        return _linear(learner["gradient_booster"]["model"]["weights"], targets, start, link)
    trees, info, weights = _grown(learner["gradient_booster"])
    planted = tuple(
        (_tree(tree, weight), int(target)) for tree, target, weight in zip(trees, info, weights, strict=True)
    )
    coded = {int(tree.feature[node]) for tree, _ in planted for node in tree.members}
    whole = np.isin(np.arange(int(parameters["num_feature"])), sorted(coded))
    return Boosted(planted, start, link, single=True, whole=whole)


def _link(objective: str) -> Link:
    if objective in _LINKS:
        return _LINKS[objective]
    if objective in _IDENTITY or objective.startswith("rank:"):
        return "identity"
    raise ConversionError(
        f"XGBoost objective {objective!r} is not supported. Train with one of "
        f"{', '.join([*_LINKS, *_IDENTITY, 'rank:*'])}.",
        objective,
    )


def _grown(gradient_booster: dict[str, Any]) -> tuple[list[Any], list[int], list[float]]:
    """Trees, the target of each, and the weight of each (other than 1 for DART alone)."""
    name = gradient_booster["name"]
    weights = gradient_booster.get("weight_drop")
    model = gradient_booster["gbtree" if name == "dart" else "model"]
    model = model.get("model", model)
    trees = model["trees"]
    return trees, model["tree_info"], weights or [1.0] * len(trees)


def _tree(tree: dict[str, Any], weight: float) -> Tree:
    left = np.array(tree["left_children"], dtype=np.int64)
    right = np.array(tree["right_children"], dtype=np.int64)
    missing_left = np.array(tree["default_left"], dtype=np.bool_)
    values = np.array(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    targets = int(tree["tree_param"]["size_leaf_vector"])
    if targets > 1:  # a leaf of several targets has its number in place of a child
        by_leaf = np.array(tree["leaf_weights"], dtype=np.float32).astype(np.float64).reshape(-1, targets)
        votes = np.where(left[:, None] < 0, by_leaf[np.where(left < 0, right, 0)], 0.0)
        right = np.where(left < 0, -1, right)
    else:
        votes = np.where(left < 0, values, 0.0).reshape(-1, 1)
    members = _members(tree)
    # A category of the set leads right, where the operator's leads to its first branch.
    by_set = np.isin(np.arange(len(left)), list(members))
    return Tree(
        left=np.where(by_set, right, left),
        right=np.where(by_set, left, right),
        feature=np.array(tree["split_indices"], dtype=np.int64),
        threshold=values,
        missing_left=missing_left ^ by_set,
        votes=votes * weight,
        mode=np.where(by_set, MEMBER, LT),
        members=members,
    )


def _linear(stored: list[float], targets: int, start: Floats, link: Link) -> Boosted:
    """Booster gblinear: weights by feature, then a bias, each [targets]. It begins every target's sum at the first
    one's base score."""
    weights = np.array(stored, dtype=np.float32).astype(np.float64).reshape(-1, targets)
    return Boosted((), start[0] + weights[-1], link, single=True, weights=weights[:-1])


def _members(tree: dict[str, Any]) -> dict[int, tuple[float, ...]]:
    """By node that splits on categories, those that lead right."""
    categories = tree.get("categories", [])
    return {
        int(node): tuple(float(category) for category in categories[start : start + size])
        for node, start, size in zip(
            tree.get("categories_nodes", []),
            tree.get("categories_segments", []),
            tree.get("categories_sizes", []),
            strict=True,
        )
    }


def _start(base_score: str, link: Link, targets: int) -> Floats:
    """The sum's start: base scores are stored as predictions, before the link."""
    scores = np.array(
        json.loads(base_score) if base_score.startswith("[") else [float(base_score)], dtype=np.float32
    )
    score = np.broadcast_to(scores.astype(np.float64), (targets,)).copy()
    if link == "sigmoid":
        return np.asarray(np.log(score / (1.0 - score)))
    return np.asarray(np.log(score)) if link == "exp" else score
