"""Kernel machines in double precision: support vectors, kernel ridge, Nystroem, label propagation.

ONNX's own operators for support vectors compute in single precision, which moves rows across decisions.
libsvm's votes and signs: https://github.com/scikit-learn/scikit-learn/blob/main/sklearn/svm/src/libsvm/svm.cpp
"""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns, Matrix
from serinus.modelpack.convert.steps.pairs import count_votes, votes_and_scores
from serinus.modelpack.convert.steps.translation import Translation


def kernel(
    translation: Translation,
    owner: Any,
    value: str,
    rows: Any,
    *,
    name: str,
    gamma: Any,
    coef0: Any,
    degree: Any,
    by_products: bool = True,
) -> str:
    """The kernel of each row of ``value`` with each of ``rows`` [count, columns], [rows, count]."""
    nodes = translation.nodes
    stored = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, dtype=np.float64)
    if name == "rbf":
        return nodes.add(
            "Exp",
            [
                nodes.add(
                    "Mul",
                    [
                        squared_distances(translation, value, stored, by_products=by_products),
                        translation.row([-gamma]),
                    ],
                )
            ],
        )
    if name == "laplacian":
        apart = nodes.add("Abs", [_apart(translation, value, stored)])
        total = nodes.add("ReduceSum", [apart, nodes.constant(np.array([2], dtype=np.int64))], keepdims=0)
        return nodes.add("Exp", [nodes.add("Mul", [total, translation.row([-gamma])])])
    if name == "cosine":
        axis = nodes.constant(np.array([1], dtype=np.int64))
        length = nodes.add("Sqrt", [nodes.add("ReduceSum", [nodes.add("Mul", [value, value]), axis], keepdims=1)])
        is_zero = nodes.add("Equal", [length, translation.row([0.0])])
        value = nodes.add("Div", [value, nodes.add("Where", [is_zero, translation.row([1.0]), length])])
        lengths = np.sqrt((stored**2).sum(axis=1, keepdims=True))
        stored = stored / np.where(lengths == 0.0, 1.0, lengths)
    products = nodes.add("MatMul", [value, nodes.constant(np.ascontiguousarray(stored.T))])
    if name in ("linear", "cosine"):
        return products
    scaled = nodes.add("Add", [nodes.add("Mul", [products, translation.row([gamma])]), translation.row([coef0])])
    if name in ("poly", "polynomial"):
        return _power(translation, scaled, degree)
    if name == "sigmoid":
        return nodes.add("Tanh", [scaled])
    raise translation.error(owner, f"its kernel {name!r} is not supported")


def squared_distances(translation: Translation, value: str, stored: Any, *, by_products: bool = True) -> str:
    """[rows, count]. ``by_products``: by sums of products as scikit-learn's `euclidean_distances`, whose rounding
    is the reference; else by differences as libsvm's, where the stored values are few."""
    nodes = translation.nodes
    if not by_products and stored.size <= _MOST_DIFFERENCES:
        apart = _apart(translation, value, stored)
        squares = nodes.add("Mul", [apart, apart])
        return nodes.add("ReduceSum", [squares, nodes.constant(np.array([2], dtype=np.int64))], keepdims=0)
    axis = nodes.constant(np.array([1], dtype=np.int64))
    own = nodes.add("ReduceSum", [nodes.add("Mul", [value, value]), axis], keepdims=1)
    cross = nodes.add("MatMul", [value, nodes.constant(np.ascontiguousarray(-2.0 * stored.T))])
    total = nodes.add("Add", [nodes.add("Add", [cross, own]), translation.row((stored**2).sum(axis=1))])
    return nodes.add("Max", [total, translation.row([0.0])])


#: Stored values up to which each row is compared with all of them one by one.
_MOST_DIFFERENCES = 2_000


def _apart(translation: Translation, value: str, stored: Any) -> str:
    """[rows, count, columns] of differences."""
    nodes = translation.nodes
    spread = nodes.add("Unsqueeze", [value, nodes.constant(np.array([1], dtype=np.int64))])
    return nodes.add("Sub", [spread, nodes.constant(stored[None, :, :].copy())])


def _power(translation: Translation, value: str, degree: Any) -> str:
    """As libsvm's powi for whole degrees: by products."""
    nodes = translation.nodes
    if float(degree) != int(degree) or degree < 1 or degree > 16:
        return nodes.add("Pow", [value, translation.row([float(degree)])])
    result, square, left = "", value, int(degree)
    while left:
        if left % 2:
            result = square if not result else nodes.add("Mul", [result, square])
        left //= 2
        square = nodes.add("Mul", [square, square]) if left else square
    return result


def _of_support_vectors(translation: Translation, model: Any, columns: Columns) -> str:
    if model.kernel == "precomputed" or callable(model.kernel):
        raise translation.error(model, "its kernel is not one of linear, poly, rbf and sigmoid")
    return kernel(
        translation,
        model,
        translation.numbers(columns),
        model.support_vectors_,
        name=model.kernel,
        gamma=float(model._gamma),
        coef0=float(model.coef0),
        degree=model.degree,
        by_products=False,
    )


def _pairs(translation: Translation, model: Any, columns: Columns) -> str:
    """libsvm's decision of each pair of classes, positive for the first, [rows, pairs]."""
    nodes = translation.nodes
    coefficients = model._dual_coef_
    coefficients = np.asarray(coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients)
    counts = np.asarray(model._n_support)
    starts = np.concatenate([[0], np.cumsum(counts)])
    classes = len(counts)
    weights = []
    for first in range(classes):
        for second in range(first + 1, classes):
            weight = np.zeros(int(starts[-1]))
            of_first, of_second = (slice(starts[index], starts[index + 1]) for index in (first, second))
            weight[of_first] = coefficients[second - 1, of_first]
            weight[of_second] = coefficients[first, of_second]
            weights.append(weight)
    values = _of_support_vectors(translation, model, columns)
    summed = nodes.add("MatMul", [values, nodes.constant(np.array(weights).T.copy())])
    return nodes.add("Add", [summed, translation.row(model._intercept_)])


def _votes(translation: Translation, model: Any, columns: Columns) -> str:
    """[rows, classes]: the pairs that each class wins; a decision of 0 is the second's."""
    nodes = translation.nodes
    first_wins = translation.doubles(
        nodes.add("Greater", [_pairs(translation, model, columns), translation.row([0.0])])
    )
    second_wins = nodes.add("Sub", [translation.row([1.0]), first_wins])
    return count_votes(translation, first_wins, second_wins, len(model.classes_))


def support_decision(translation: Translation, model: Any, columns: Columns) -> str:
    """SVC and NuSVC: positive for the second of two classes; of more, votes and scores by class, or by pair."""
    nodes = translation.nodes
    pairs = _pairs(translation, model, columns)
    if len(model.classes_) == 2:
        return nodes.add("Neg", [pairs])
    if model.decision_function_shape == "ovo":
        return pairs
    # Here a decision of 0 is the first's, unlike in libsvm's own votes.
    second_wins = translation.doubles(nodes.add("Less", [pairs, translation.row([0.0])]))
    return votes_and_scores(translation, second_wins, nodes.add("Neg", [pairs]), len(model.classes_))


def support_label(translation: Translation, model: Any, columns: Columns) -> str:
    """The class with the most votes, of equals the first; with ``break_ties`` that of the largest decision."""
    if model.break_ties and model.decision_function_shape == "ovr" and len(model.classes_) > 2:
        scores = translation.decision_function(model, columns)
    else:
        scores = _votes(translation, model, columns)
    return translation.label_of_largest(model.classes_, scores)


def support_value(translation: Translation, model: Any, columns: Columns) -> str:
    """SVR, NuSVR, and OneClassSVM's decision."""
    nodes = translation.nodes
    coefficients = model._dual_coef_
    coefficients = coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients
    weights = np.asarray(coefficients, dtype=np.float64).reshape(-1, 1)
    summed = nodes.add("MatMul", [_of_support_vectors(translation, model, columns), nodes.constant(weights)])
    return nodes.add("Add", [summed, translation.row(model._intercept_)])


def one_class_label(translation: Translation, model: Any, columns: Columns) -> str:
    """OneClassSVM: 1 inside, -1 outside and on the border."""
    nodes = translation.nodes
    inside = translation.above(translation.decision_function(model, columns), 0.0)
    return nodes.add("Gather", [nodes.constant(np.array([-1, 1], dtype=np.int64)), inside], axis=0)


def kernel_ridge(translation: Translation, model: Any, columns: Columns) -> str:
    """KernelRidge."""
    if callable(model.kernel) or model.kernel == "precomputed":
        raise translation.error(model, "its kernel is not one of linear, poly, rbf, laplacian and sigmoid")
    values = _pairwise(translation, model, columns, model.X_fit_)
    dual = np.asarray(model.dual_coef_, dtype=np.float64).reshape(len(model.X_fit_), -1)
    return translation.nodes.add("MatMul", [values, translation.nodes.constant(dual.copy())])


def nystroem(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """Nystroem's map to its components."""
    if callable(model.kernel) or model.kernel_params:
        raise translation.error(model, "its kernel has parameters of its own")
    values = _pairwise(translation, model, columns, model.components_)
    matrix = np.ascontiguousarray(np.asarray(model.normalization_, dtype=np.float64).T)
    return Matrix(translation.nodes.add("MatMul", [values, translation.nodes.constant(matrix)]), matrix.shape[1])


def kernel_components(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """KernelPCA's projection, centred in the source's order: its rounding decides rows at a threshold of trees."""
    if callable(model.kernel) or model.kernel == "precomputed":
        raise translation.error(model, "its kernel is not one of linear, poly, rbf, sigmoid and cosine")
    nodes = translation.nodes
    values = kernel(
        translation,
        model,
        translation.numbers(columns),
        model.X_fit_,
        name=model.kernel,
        gamma=float(model.gamma_),
        coef0=float(model.coef0),
        degree=model.degree,
    )
    centre = model._centerer
    total = nodes.add("ReduceSum", [values, nodes.constant(np.array([1], dtype=np.int64))], keepdims=1)
    mean = nodes.add("Div", [total, translation.row([float(len(centre.K_fit_rows_))])])
    moved = nodes.add("Sub", [nodes.add("Sub", [values, translation.row(centre.K_fit_rows_)]), mean])
    centred = nodes.add("Add", [moved, translation.row([float(centre.K_fit_all_)])])
    alphas = np.zeros_like(model.eigenvectors_)
    known = np.flatnonzero(model.eigenvalues_)
    alphas[:, known] = model.eigenvectors_[:, known] / np.sqrt(model.eigenvalues_[known])
    return Matrix(nodes.add("MatMul", [centred, nodes.constant(np.ascontiguousarray(alphas))]), alphas.shape[1])


def _pairwise(translation: Translation, model: Any, columns: Columns, rows: Any) -> str:
    """The model's kernel with ``rows``, by scikit-learn's defaults for the kernels of `pairwise_kernels`."""
    gamma = 1.0 / len(columns) if model.gamma is None else model.gamma
    coef0 = 1.0 if model.coef0 is None else model.coef0
    return kernel(
        translation,
        model,
        translation.numbers(columns),
        rows,
        name=model.kernel,
        gamma=float(gamma),
        coef0=float(coef0),
        degree=3 if model.degree is None else model.degree,
    )


def propagated(translation: Translation, model: Any, columns: Columns) -> str:
    """LabelPropagation and LabelSpreading: shares of the rows of training, by their kernel or of the nearest."""
    nodes = translation.nodes
    distributions = nodes.constant(np.asarray(model.label_distributions_, dtype=np.float64))
    if model.kernel == "knn":
        nearest = _nearest_rows(translation, translation.numbers(columns), model)
        of_each = nodes.add("Gather", [distributions, nearest], axis=0)
        axis = nodes.constant(np.array([1], dtype=np.int64))
        return _divided_by_sum(translation, nodes.add("ReduceSum", [of_each, axis], keepdims=0))
    if model.kernel != "rbf":
        raise translation.error(model, f"its kernel {model.kernel!r} is neither 'rbf' nor 'knn'")
    values = kernel(
        translation,
        model,
        translation.numbers(columns),
        model.X_,
        name="rbf",
        gamma=float(model.gamma),
        coef0=0,
        degree=1,
    )
    return _divided_by_sum(translation, nodes.add("MatMul", [values, distributions]))


def _divided_by_sum(translation: Translation, shares: str) -> str:
    nodes = translation.nodes
    total = nodes.add("ReduceSum", [shares, nodes.constant(np.array([1], dtype=np.int64))], keepdims=1)
    return nodes.add("Div", [shares, total])


def _nearest_rows(translation: Translation, value: str, model: Any) -> str:
    """[rows, neighbours]: indices of the nearest rows of training, by Euclidean distance."""
    nodes = translation.nodes
    stored = np.asarray(model.X_, dtype=np.float64)
    by_products = model.nn_fit._fit_method == "brute"
    if not by_products and stored.size > _MOST_DIFFERENCES:
        # A tree of scikit-learn's takes differences; products lose fewer digits near the origin.
        middle = stored.mean(axis=0)
        value, stored = nodes.add("Sub", [value, translation.row(middle)]), stored - middle
    apart = squared_distances(translation, value, stored, by_products=by_products)
    count = nodes.constant(np.array([model.n_neighbors], dtype=np.int64))
    return nodes.add_second("TopK", [apart, count], largest=0, sorted=1)
