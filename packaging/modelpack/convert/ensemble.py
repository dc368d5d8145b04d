"""Decision trees as one ONNX TreeEnsemble (ai.onnx.ml 5), in double precision, or in single where nothing is lost.

That operator is a third of the size of its predecessors, which skl2onnx writes; with exact thresholds, votes and
sums it equals scikit-learn, ties included, where theirs flip labels. Equal leaves are written once.
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
#: Whole numbers up to here, and their sums, are exact in single precision.
_EXACT_IN_SINGLE = 2.0**24
#: Most halvings of one in a vote that is called exact, and the share of the votes' range that rounding may take.
_MOST_BITS = 10
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree by node: children (-1 at leaves, always numbered above their parent), the split `x[feature] <=
    threshold` that leads left, whether NaN goes left, and the leaves' votes [nodes, targets]. ``mode`` holds other
    comparisons (`LT`, `MEMBER`), by node; ``members`` the values that lead left at nodes of the latter."""

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
    true_child: list[int] = field(default_factory=list)
    true_is_leaf: list[int] = field(default_factory=list)
    false_child: list[int] = field(default_factory=list)
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
            voted = order[:, turn]
            weight = np.take_along_axis(votes, voted[:, None], axis=1)[:, 0]
            ends = tree.is_leaf if turn == 0 else ~_has_votes(tree, weight)
            self._append(tree, ends | tree.is_leaf, weight, voted + target)

    def _append(self, tree: Tree, ends: Bools, weight: Floats, target: Ints) -> None:
        ends, weight, target = _without_vain_splits(tree, ends, weight, target)
        if ends[0] and weight[0] == 0.0 and self.roots:  # a tree of zeros; one of an ensemble must stay
            return
        reached = _reached(tree, ends)
        branches = np.flatnonzero(reached & ~ends)
        leaves = np.flatnonzero(reached & ends)
        numbers = np.zeros(len(ends), dtype=np.int64)
        numbers[leaves] = len(self.leaf_weight) + np.arange(len(leaves))
        self.roots.append(len(self.feature))
        if len(branches):
            numbers[branches] = len(self.feature) + np.arange(len(branches))
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
        self.true_child += numbers[left].tolist()
        self.true_is_leaf += ends[left].astype(int).tolist()
        self.false_child += numbers[right].tolist()
        self.false_is_leaf += ends[right].astype(int).tolist()
        self.leaf_target += target[leaves].tolist()
        self.leaf_weight += weight[leaves].tolist()

    def sums_exactly_in_single(self) -> bool:
        """Whether every sum of votes is the same in single precision: votes are whole numbers, as of pure leaves,
        or a few halvings of them."""
        return sums_exactly_in_single(np.array(self.leaf_weight), len(self.roots))

    def sums_well_in_single(self) -> bool:
        """Whether single precision's rounding of the mean vote is negligible beside the range of votes."""
        votes = np.array(self.leaf_weight)
        lost = len(self.roots) * float(np.abs(votes).max(initial=0.0)) / _EXACT_IN_SINGLE
        return lost <= _NEGLIGIBLE * float(np.ptp(votes)) if len(votes) else True

    def attributes(self, *, single: bool = False, unrounded: bool = False) -> dict[str, Any]:
        """The operator's attributes; ``single`` for input that was rounded to single precision, where a threshold
        rounded down to it decides every comparison as it did (`x <= threshold`); ``unrounded`` for input in double
        that the source rounds to single precision before it compares."""
        from onnx import numpy_helper

        dtype = np.float32 if single else np.float64
        splits = np.array(self.threshold)
        if single or unrounded:
            splits = _rounded_down(splits) if single else _before_rounding(splits)
        leaves, rank = self._distinct_leaves()
        members = {"membership_values": numpy_helper.from_array(np.array(self.members, dtype), "members")}
        missing = {"nodes_missing_value_tracks_true": self.missing_left}
        return {
            **(members if self.members else {}),
            **(missing if any(self.missing_left) else {}),
            "n_targets": self.targets,
            "aggregate_function": _SUM,
            "post_transform": _NO_TRANSFORM,
            "tree_roots": self.roots,
            "nodes_featureids": self.feature,
            "nodes_splits": numpy_helper.from_array(splits, "splits"),
            "nodes_modes": numpy_helper.from_array(np.array(self.mode, dtype=np.uint8), "modes"),
            "nodes_truenodeids": _renumbered(self.true_child, self.true_is_leaf, rank),
            "nodes_trueleafs": self.true_is_leaf,
            "nodes_falsenodeids": _renumbered(self.false_child, self.false_is_leaf, rank),
            "nodes_falseleafs": self.false_is_leaf,
            "leaf_targetids": [self.leaf_target[leaf] for leaf in leaves],
            "leaf_weights": numpy_helper.from_array(np.array(self.leaf_weight, dtype)[leaves], "weights"),
        }

    def _distinct_leaves(self) -> tuple[Ints, Ints]:
        """One leaf of each vote and target, the most frequent first, as small numbers take fewer bytes; and by
        leaf its number among them."""
        pairs = np.stack([np.array(self.leaf_target, dtype=np.float64), np.array(self.leaf_weight)], axis=1)
        _, first, same, counts = np.unique(
            pairs, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        order = np.argsort(-counts, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return first[order], rank[same.ravel()]


def sums_exactly_in_single(votes: Floats, trees: int) -> bool:
    """Whether every sum of one of ``votes`` a tree is the same in single precision."""
    sizes = np.abs(votes)
    units = sizes * 2.0**_MOST_BITS
    whole = bool((units == np.round(units)).all())
    bits = 0 if whole and bool((sizes == np.round(sizes)).all()) else _MOST_BITS
    return whole and trees * float(sizes.max(initial=0.0)) * 2.0**bits < _EXACT_IN_SINGLE


def _renumbered(children: list[int], is_leaf: list[int], rank: Ints) -> list[int]:
    """Children, with the leaves among them by their new number."""
    numbers = np.array(children, dtype=np.int64)
    leaves = np.array(is_leaf, dtype=np.bool_)
    numbers[leaves] = rank[numbers[leaves]]
    return list(numbers.tolist())


def _rounded_down(values: Floats) -> npt.NDArray[np.float32]:
    """The largest numbers of single precision that are not above ``values``."""
    with np.errstate(over="ignore"):
        near = values.astype(np.float32)
        return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near)


def _before_rounding(values: Floats) -> Floats:
    """The largest doubles whose nearest number of single precision is not above ``values``: halfway to the next
    number, or just below it where halfway is rounded up (to the even one)."""
    below = _rounded_down(values)
    with np.errstate(over="ignore"):
        ends = np.stack([below, np.nextafter(below, np.float32(np.inf))]).astype(np.float64)
    ends = np.where(np.isinf(ends), np.copysign(2.0**128, ends), ends)
    halfway = ends.mean(axis=0)
    is_even = below.view(np.uint32) % 2 == 0
    limits = np.where(is_even, halfway, np.nextafter(halfway, -np.inf))
    return np.where(below == np.inf, np.inf, limits)


def _has_votes(tree: Tree, weight: Floats) -> Bools:
    """By node: whether any leaf below it has a vote."""
    has_votes: Bools = tree.is_leaf & (weight != 0.0)
    for node in range(len(has_votes) - 1, -1, -1):
        if not tree.is_leaf[node]:
            has_votes[node] = has_votes[tree.left[node]] or has_votes[tree.right[node]]
    return has_votes


def _without_vain_splits(tree: Tree, ends: Bools, weight: Floats, target: Ints) -> tuple[Bools, Floats, Ints]:
    """The tree's ends, and their votes, without splits that lead to the same vote on both sides: CatBoost's trees
    have the same split at all nodes of a depth, and isolation forests the same depth in many leaves."""
    ends, weight, target = ends.copy(), weight.copy(), np.where(ends & (weight == 0.0), 0, target)
    branches = np.flatnonzero(~ends & ~tree.is_leaf)
    while len(branches):
        left, right = tree.left[branches], tree.right[branches]
        same = ends[left] & ends[right] & (weight[left] == weight[right]) & (target[left] == target[right])
        if not same.any():
            break
        vain = branches[same]
        weight[vain], target[vain], ends[vain] = weight[left[same]], target[left[same]], True
        branches = branches[~same]
    return ends, weight, target


def _reached(tree: Tree, ends: Bools) -> Bools:
    """By node: whether it is reached from the root without passing an end."""
    reached = np.zeros(len(ends), dtype=np.bool_)
    reached[0] = True
    for node in np.flatnonzero(~tree.is_leaf):
        if reached[node] and not ends[node]:
            reached[tree.left[node]] = reached[tree.right[node]] = True
    return reached


def constant_tree(vote: float) -> Tree:
    """One leaf."""
    nothing, no = np.array([-1]), np.array([False])
    return Tree(nothing, nothing, np.array([0]), np.array([0.0]), no, np.array([[vote]]))


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
