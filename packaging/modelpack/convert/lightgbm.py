"""LightGBM's trees, read from `Booster.dump_model`; it compares doubles as they are."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from serinus.modelpack.convert.boosted import Boosted, Link
from serinus.modelpack.convert.ensemble import LEQ, MEMBER, Bools, Tree
from serinus.modelpack.errors import ConversionError

_LINKS: dict[str, Link] = {
    "binary": "sigmoid",
    "cross_entropy": "sigmoid",
    "cross_entropy_lambda": "log1p_exp",
    "multiclass": "softmax",
    "multiclassova": "one_vs_all",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}
_IDENTITY = (
    "regression",
    "regression_l1",
    "huber",
    "fair",
    "quantile",
    "mape",
    "lambdarank",
    "rank_xendcg",
    "custom",
)


def read_wrapper(model: Any) -> Boosted:
    """A fitted LGBMClassifier, LGBMRegressor or the like."""
    boosted = read_booster(model.booster_)
    if hasattr(model, "classes_") and callable(model.objective_):
        raise ConversionError(
            "the LGBMClassifier has an objective of its own, for which LightGBM predicts sums without labels and "
            "probabilities. Train with objective='binary' or 'multiclass', or package model.booster_.",
            "objective",
        )
    return boosted


def read_booster(booster: Any) -> Boosted:
    """A Booster, up to its best iteration. Raises `ConversionError` for what trees alone cannot express."""
    dumped = booster.dump_model()
    width = int(booster.num_feature())
    link, steepness = _link(str(dumped.get("objective") or "custom"))
    targets = int(dumped["num_tree_per_iteration"])
    infos = dumped["tree_info"]
    read = [_tree(info["tree_structure"]) for info in infos]
    trees = tuple((tree, index % targets) for index, (tree, _) in enumerate(read))
    zero_is_missing = _marked({feature for _, features in read for feature in features}, width)
    whole = _marked({feature for tree, _ in read for feature in _of_categories(tree)}, width)
    rounds = max(1, len(infos) // targets)
    average = 1.0 / rounds if dumped.get("average_output") else 1.0
    return Boosted(
        trees,
        np.zeros(targets),
        link,
        scale=steepness * average,
        zero_is_missing=zero_is_missing,
        whole=whole,
        rounding="to zero",
    )


def _marked(features: set[int], width: int) -> Bools:
    return np.isin(np.arange(width), sorted(features))


def _of_categories(tree: Tree) -> set[int]:
    return {int(tree.feature[node]) for node in tree.members}


def _link(objective: str) -> tuple[Link, float]:
    """The link, and the steepness of its sigmoid."""
    name, *settings = objective.split()
    steepness = next((float(item.split(":")[1]) for item in settings if item.startswith("sigmoid:")), 1.0)
    if name in _LINKS:
        return _LINKS[name], steepness
    if name in _IDENTITY:
        return "signed_square" if "sqrt" in settings else "identity", 1.0
    known = ", ".join([*_LINKS, *_IDENTITY])
    raise ConversionError(
        f"LightGBM objective {objective!r} is not supported. Train with one of {known}.", objective
    )


@dataclass(slots=True)
class _TreeBuilder:
    """Collects a tree node by node, parents before their children."""

    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    vote: list[float] = field(default_factory=list)
    mode: list[int] = field(default_factory=list)
    members: dict[int, tuple[float, ...]] = field(default_factory=dict)
    #: Features whose zeros count as missing.
    zero_is_missing: set[int] = field(default_factory=set)

    def add(self, feature: int, threshold: float, missing_left: bool, vote: float, mode: int) -> int:
        """A node without children yet; returns its number."""
        self.left.append(-1)
        self.right.append(-1)
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.missing_left.append(missing_left)
        self.vote.append(vote)
        self.mode.append(mode)
        return len(self.left) - 1


def _tree(structure: dict[str, Any]) -> tuple[Tree, set[int]]:
    """The tree, and the features whose zeros it treats as missing."""
    rows = _TreeBuilder()
    todo: list[tuple[dict[str, Any], int, list[int]]] = [(structure, 0, [0])]
    while todo:
        node, parent, children = todo.pop()
        number = children[parent] = _add_node(rows, node)
        if "left_child" in node:
            todo.append((node["left_child"], number, rows.left))
            todo.append((node["right_child"], number, rows.right))
    tree = Tree(
        left=np.array(rows.left),
        right=np.array(rows.right),
        feature=np.array(rows.feature),
        threshold=np.array(rows.threshold),
        missing_left=np.array(rows.missing_left),
        votes=np.array(rows.vote).reshape(-1, 1),
        mode=np.array(rows.mode),
        members=rows.members,
    )
    return tree, rows.zero_is_missing


def _add_node(rows: _TreeBuilder, node: dict[str, Any]) -> int:
    """Add the node; returns its number."""
    if "split_feature" not in node:
        if "leaf_const" in node:
            raise ConversionError("LightGBM linear_tree is not supported. Train without it.", "linear_tree")
        return rows.add(0, 0.0, False, float(node["leaf_value"]), LEQ)
    feature = int(node["split_feature"])
    if node["decision_type"] == "==":
        number = rows.add(feature, 0.0, False, 0.0, MEMBER)
        rows.members[number] = tuple(float(value) for value in str(node["threshold"]).split("||"))
        return number
    threshold = float(node["threshold"])
    if node["missing_type"] == "Zero":
        rows.zero_is_missing.add(feature)
    # Trained without missing values, LightGBM treats one as zero.
    missing_left = threshold >= 0.0 if node["missing_type"] == "None" else bool(node["default_left"])
    return rows.add(feature, threshold, missing_left, 0.0, LEQ)
