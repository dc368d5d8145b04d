"""Boosted trees of any library as one TreeEnsemble: the readers' common result, and how it is written.

XGBoost, LightGBM and CatBoost differ in how a node compares, where a missing value goes and how the sum becomes a
prediction; the operator expresses all of that exactly, so none of them needs a converter with its own rounding.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from serinus.modelpack.convert.ensemble import Bools, Ensemble, Floats, Tree, constant_tree
from serinus.modelpack.convert.nodes import NEWER_ML, Nodes

#: From the sum to the prediction. `one_vs_all` applies a sigmoid to each class; `step` is 1 above zero, else 0;
#: `mean_and_variance` is of two sums, the second half the logarithm of the variance.
Link = Literal[
    "identity",
    "sigmoid",
    "softmax",
    "exp",
    "one_vs_all",
    "log1p_exp",
    "signed_square",
    "step",
    "mean_and_variance",
]
#: LightGBM's kZeroThreshold: a number this close to zero is zero.
_ZERO = float(np.float32(1e-35))


@dataclass(frozen=True, slots=True)
class Boosted:
    """``trees`` with the target that each votes for. The sum starts at ``start`` [targets] and is multiplied by
    ``scale`` before ``link``. ``single``: the library rounds its input to single precision. Of two classes the
    second is predicted where the sum is above ``threshold``; None: the class of the largest probability, of equals
    the first. A value equal to ``missing`` counts as missing, as NaN does; in columns ``zero_is_missing``
    [features] so does zero. Columns ``whole`` [features] hold categories, of which the library takes the whole
    part: ``rounding`` says how it rounds negative ones. A linear booster has
    ``weights`` [features, targets] in place of trees; a missing value adds nothing."""

    trees: tuple[tuple[Tree, int], ...]
    start: Floats
    link: Link
    scale: float = 1.0
    single: bool = False
    threshold: float | None = None
    missing: float | None = None
    zero_is_missing: Bools | None = None
    whole: Bools | None = None
    rounding: Literal["down", "to zero"] = "down"
    weights: Floats | None = None

    def of_columns(self, columns: list[int]) -> "Boosted":
        """The same for a table whose columns are ``columns`` of the model's."""
        positions = np.argsort(columns)
        trees = tuple((replace(tree, feature=positions[tree.feature]), target) for tree, target in self.trees)
        zero, whole = (
            None if marks is None else marks[np.array(columns)] for marks in (self.zero_is_missing, self.whole)
        )
        return replace(self, trees=trees, zero_is_missing=zero, whole=whole)

    @property
    def targets(self) -> int:
        return len(self.start)

    @property
    def classes(self) -> int:
        """Number of classes; 0 where it predicts numbers."""
        return {"sigmoid": 2, "softmax": self.targets, "one_vs_all": self.targets}.get(self.link, 0)


def write_value(nodes: Nodes, values: str, boosted: Boosted) -> str:
    """[rows, targets] of doubles from ``values`` [rows, features]."""
    return _linked(nodes, _sum(nodes, values, boosted), boosted.link)


def _linked(nodes: Nodes, raw: str, link: Link) -> str:
    match link:
        case "sigmoid" | "one_vs_all":
            return nodes.add("Sigmoid", [raw])
        case "softmax":
            return nodes.add("Softmax", [raw], axis=1)
        case "exp":
            return nodes.add("Exp", [raw])
        case "log1p_exp":
            return nodes.add("Log", [nodes.add("Add", [nodes.add("Exp", [raw]), nodes.constant(np.array([1.0]))])])
        case "signed_square":
            return nodes.add("Mul", [raw, nodes.add("Abs", [raw])])
        case "step":
            return nodes.cast(nodes.add("Greater", [raw, nodes.constant(np.array([0.0]))]), np.float64)
        case "mean_and_variance":
            doubled = nodes.add("Mul", [nodes.take(raw, [1]), nodes.constant(np.array([2.0]))])
            return nodes.add("Concat", [nodes.take(raw, [0]), nodes.add("Exp", [doubled])], axis=1)
    return raw


def write_classes(nodes: Nodes, values: str, boosted: Boosted) -> tuple[str, str]:
    """From ``values`` [rows, features]: probabilities [rows, classes] in double, and the class index of each row's
    label, [rows] of int64."""
    raw = _sum(nodes, values, boosted)
    probabilities = _probabilities(nodes, raw, boosted)
    if boosted.threshold is None:
        return probabilities, nodes.add("ArgMax", [probabilities], axis=1, keepdims=0)
    above = nodes.add("Greater", [raw, nodes.constant(np.array([boosted.threshold]))])
    flat = nodes.add("Reshape", [above, nodes.constant(np.array([-1], dtype=np.int64))])
    return probabilities, nodes.cast(flat, np.int64)


def _probabilities(nodes: Nodes, raw: str, boosted: Boosted) -> str:
    linked = _linked(nodes, raw, boosted.link)
    return linked if boosted.link in ("softmax", "one_vs_all") else with_complement(nodes, linked)


def with_complement(nodes: Nodes, second: str) -> str:
    """[rows, 2] from the second class' probability [rows, 1]: 1 - p and p, in one node that rounds as they do."""
    signs, start = nodes.constant(np.array([[-1.0, 1.0]])), nodes.constant(np.array([1.0, 0.0]))
    return nodes.add("Gemm", [second, signs, start])


def _sum(nodes: Nodes, values: str, boosted: Boosted) -> str:
    ensemble = Ensemble(targets=boosted.targets)
    for tree, target in boosted.trees or ((constant_tree(0.0), 0),):
        ensemble.plant(tree, target)
    rounded = nodes.cast(values, np.float32) if boosted.single else values
    if boosted.missing is not None:
        is_missing = nodes.add("Equal", [rounded, nodes.constant(np.array([boosted.missing], dtype=np.float32))])
        rounded = nodes.add("Where", [is_missing, nodes.constant(np.array([np.nan], dtype=np.float32)), rounded])
    inputs = _as_compared(nodes, nodes.cast(rounded, np.float64), boosted)
    if boosted.weights is None:
        total = nodes.add("TreeEnsemble", [inputs], domain=NEWER_ML, since=1, **ensemble.attributes())
    else:
        present = nodes.add("Where", [nodes.add("IsNaN", [inputs]), nodes.constant(np.array([0.0])), inputs])
        total = nodes.add("MatMul", [present, nodes.constant(boosted.weights)])
    raw = nodes.add("Add", [total, nodes.constant(boosted.start.reshape(1, -1))]) if boosted.start.any() else total
    if boosted.scale == 1.0:
        return raw
    return nodes.add("Mul", [raw, nodes.constant(np.array([boosted.scale]))])


def _as_compared(nodes: Nodes, values: str, boosted: Boosted) -> str:
    """``values`` [rows, features] of doubles as the trees' nodes compare them."""
    zero = nodes.constant(np.array([0.0]))
    if boosted.zero_is_missing is not None and boosted.zero_is_missing.any():
        size = nodes.add("Abs", [values])
        is_zero = nodes.add("LessOrEqual", [size, nodes.constant(np.array([_ZERO]))])
        chosen = nodes.add("And", [is_zero, nodes.constant(boosted.zero_is_missing.reshape(1, -1))])
        values = nodes.add("Where", [chosen, nodes.constant(np.array([np.nan])), values])
    if boosted.whole is not None and boosted.whole.any():
        whole = nodes.add("Floor", [values])
        if boosted.rounding == "to zero":
            whole = nodes.add("Where", [nodes.add("Less", [values, zero]), nodes.add("Ceil", [values]), whole])
        values = nodes.add("Where", [nodes.constant(boosted.whole.reshape(1, -1)), whole, values])
    return values


def convert_boosted_classifier(read: Any) -> Any:
    """skl2onnx's converter for the scikit-learn wrapper of a library whose models ``read`` reads."""
    from serinus.modelpack.convert.trees import set_classifier_outputs

    def convert(scope: Any, operator: Any, container: Any) -> None:
        nodes = Nodes(scope, container)
        values = nodes.side_by_side(operator.inputs)
        probabilities, index = write_classes(nodes, values, read(operator.raw_operator))
        set_classifier_outputs(nodes, operator, probabilities, index)

    return convert


def convert_boosted_regressor(read: Any) -> Any:
    """The same for regressors."""
    from serinus.modelpack.convert.trees import set_output

    def convert(scope: Any, operator: Any, container: Any) -> None:
        nodes = Nodes(scope, container)
        set_output(
            nodes,
            operator,
            0,
            write_value(nodes, nodes.side_by_side(operator.inputs), read(operator.raw_operator)),
        )

    return convert


def infer_boosted_regressor_shape(operator: Any) -> None:
    """Values [rows, 1]."""
    from serinus.modelpack.convert.trees import number_type

    operator.outputs[0].type = number_type(operator)([None, 1])
