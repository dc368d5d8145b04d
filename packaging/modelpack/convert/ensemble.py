"""Decision trees as one ONNX TreeEnsemble (ai.onnx.ml 5), in double precision.

That operator is a third of the size of its predecessors, which skl2onnx writes, and with double thresholds, votes
and sums it gives what scikit-learn gives, ties included, where theirs flip labels.
https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: How a node compares its feature with its threshold: the operator's own numbers.
LEQ, LT, MEMBER = 0, 1, 6
_SUM = 1
_NO_TRANSFORM = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree by node: children (-1 at leaves, always numbered above their parent), the split `x[feature] <=
    threshold` that leads left, whether NaN goes left, and what each leaf votes, [nodes, targets]. ``mode`` tells
    other comparisons (`LT`, `MEMBER`), by node; ``members`` the values that lead left at the nodes of the
    latter."""

    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats
    missing_left: Bools
    votes: Floats
    mode: Ints | None = None
    members: dict[int, tuple[float, ...]] = field(default_factory=dict)

    @property
    def is_leaf(self) -> Bools:
        return self.left < 0


@dataclass(slots=True)
class Ensemble:
    """Trees laid end to end, as the operator's attributes hold them."""

    targets: int
    roots: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    mode: list[int] = field(default_factory=list)
    members: list[float] = field(default_factory=list)
    missing_left: list[int] = field(default_factory=list)
    true_place: list[int] = field(default_factory=list)
    true_is_leaf: list[int] = field(default_factory=list)
    false_place: list[int] = field(default_factory=list)
    false_is_leaf: list[int] = field(default_factory=list)
    leaf_target: list[int] = field(default_factory=list)
    leaf_weight: list[float] = field(default_factory=list)

    def plant(self, tree: Tree, target: int = 0) -> None:
        """Add a tree whose first vote is for ``target``, the second for the one after it, and so on.

        A leaf of the operator votes for one target only: a tree whose leaves vote for several is planted again for
        each further vote, less the branches that have none.
        """
        votes = np.where(tree.is_leaf[:, None], tree.votes, 0.0)
        rounds = max(1, int((votes != 0.0).sum(axis=1).max(initial=0)))
        order = np.argsort(votes == 0.0, axis=1, kind="stable")
        for turn in range(rounds):
            chosen = order[:, turn]
            weight = np.take_along_axis(votes, chosen[:, None], axis=1)[:, 0]
            ends = tree.is_leaf if turn == 0 else ~_has_votes(tree, weight)
            self._lay(tree, ends | tree.is_leaf, weight, chosen + target)

    def _lay(self, tree: Tree, ends: Bools, weight: Floats, target: Ints) -> None:
        reached = _reached(tree, ends)
        branches = np.flatnonzero(reached & ~ends)
        leaves = np.flatnonzero(reached & ends)
        places = np.zeros(len(ends), dtype=np.int64)
        places[leaves] = len(self.leaf_weight) + np.arange(len(leaves))
        self.roots.append(len(self.feature))
        if len(branches):
            places[branches] = len(self.feature) + np.arange(len(branches))
            left, right = tree.left[branches], tree.right[branches]
        else:  # The operator has no tree that is a leaf: a split with the same leaf on both sides stands for it.
            branches = left = right = np.array([0])
        self.feature += np.maximum(tree.feature[branches], 0).tolist()
        self.threshold += np.where(tree.is_leaf[branches], 0.0, tree.threshold[branches]).tolist()
        self.mode += ([LEQ] * len(branches)) if tree.mode is None else tree.mode[branches].tolist()
        for branch in branches.tolist():
            if branch in tree.members:
                self.members += [*tree.members[branch], np.nan]
        self.missing_left += tree.missing_left[branches].astype(int).tolist()
        self.true_place += places[left].tolist()
        self.true_is_leaf += ends[left].astype(int).tolist()
        self.false_place += places[right].tolist()
        self.false_is_leaf += ends[right].astype(int).tolist()
        self.leaf_target += target[leaves].tolist()
        self.leaf_weight += weight[leaves].tolist()

    def attributes(self) -> dict[str, Any]:
        """The operator's attributes."""
        from onnx import numpy_helper

        modes = np.array(self.mode, dtype=np.uint8)
        members = {"membership_values": numpy_helper.from_array(np.array(self.members), "members")}
        return {
            **(members if self.members else {}),
            "n_targets": self.targets,
            "aggregate_function": _SUM,
            "post_transform": _NO_TRANSFORM,
            "tree_roots": self.roots,
            "nodes_featureids": self.feature,
            "nodes_splits": numpy_helper.from_array(np.array(self.threshold), "splits"),
            "nodes_modes": numpy_helper.from_array(modes, "modes"),
            "nodes_missing_value_tracks_true": self.missing_left,
            "nodes_truenodeids": self.true_place,
            "nodes_trueleafs": self.true_is_leaf,
            "nodes_falsenodeids": self.false_place,
            "nodes_falseleafs": self.false_is_leaf,
            "leaf_targetids": self.leaf_target,
            "leaf_weights": numpy_helper.from_array(np.array(self.leaf_weight), "weights"),
        }


def _has_votes(tree: Tree, weight: Floats) -> Bools:
    """By node: whether any leaf below it has a vote."""
    found: Bools = tree.is_leaf & (weight != 0.0)
    for node in range(len(found) - 1, -1, -1):
        if not tree.is_leaf[node]:
            found[node] = found[tree.left[node]] or found[tree.right[node]]
    return found


def _reached(tree: Tree, ends: Bools) -> Bools:
    """By node: whether it is reached from the root without passing an end."""
    reached = np.zeros(len(ends), dtype=np.bool_)
    reached[0] = True
    for node in np.flatnonzero(~tree.is_leaf):
        if reached[node] and not ends[node]:
            reached[tree.left[node]] = reached[tree.right[node]] = True
    return reached


def read_tree(tree: Any, votes: Floats) -> Tree:
    """scikit-learn's own tree structure (`tree_`), voting ``votes`` [nodes, targets]."""
    nodes = tree.__getstate__()["nodes"]
    return Tree(
        left=nodes["left_child"].astype(np.int64),
        right=nodes["right_child"].astype(np.int64),
        feature=nodes["feature"].astype(np.int64),
        threshold=nodes["threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(np.bool_),
        votes=votes,
    )
