"""Transformers that are linear maps: one product and one sum, in double precision."""

from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.steps.columns import Columns, Matrix, columns_of
from serinus.modelpack.convert.steps.translation import Translation

Floats = npt.NDArray[np.float64]


def product(
    translation: Translation,
    columns: Columns,
    weights: npt.ArrayLike,
    *,
    before: npt.ArrayLike | None = None,
    after: npt.ArrayLike | None = None,
) -> Matrix:
    """``(x - before) @ weights + after``, weights [columns, width]."""
    nodes = translation.nodes
    matrix = np.ascontiguousarray(np.asarray(weights, dtype=np.float64))
    value = translation.numbers(columns)
    if before is not None:
        value = nodes.add("Sub", [value, translation.row(before)])
    value = nodes.add("MatMul", [value, nodes.constant(matrix)])
    if after is not None:
        value = nodes.add("Add", [value, translation.row(after)])
    return Matrix(value, matrix.shape[1])


def discriminant(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """LinearDiscriminantAnalysis as a transformer."""
    scalings = model.scalings_[:, : model._max_components]
    return product(translation, columns, scalings, before=model.xbar_ if model.solver == "svd" else None)


def factors(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """FactorAnalysis: the expected latent variables."""
    weighted = model.components_ / model.noise_variance_
    covariance = np.linalg.inv(np.eye(len(model.components_)) + weighted @ model.components_.T)
    # Two products, as the source has them: their rounding decides rows at a threshold of trees behind them.
    first = product(translation, columns, weighted.T, before=model.mean_)
    return product(translation, columns_of(first, None), covariance)


def independent(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """FastICA."""
    return product(translation, columns, model.components_.T, before=model.mean_ if model.whiten else None)


def projection(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """Random projections and NeighborhoodComponentsAnalysis."""
    components = model.components_
    return product(
        translation, columns, (components.toarray() if hasattr(components, "toarray") else components).T
    )


def sparse_components(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """SparsePCA and its kind: ridge regression on the components, solved by Cholesky's factor as LAPACK does:
    its rounding decides rows at a threshold of trees behind it. Of many components one product."""
    components = model.components_
    gram = components @ components.T + model.ridge_alpha * np.eye(len(components))
    if len(components) > _MOST_SOLVED:
        return product(translation, columns, np.linalg.solve(gram, components).T, before=model.mean_)
    right = product(translation, columns, components.T, before=model.mean_)
    return Matrix(translation.beside(_solve(translation, np.linalg.cholesky(gram), right)), right.width)


#: Components up to which a system of equations is solved one by one.
_MOST_SOLVED = 12


def _solve(translation: Translation, lower: Floats, right: Matrix) -> list[str]:
    """``lower @ lower.T @ x = right`` for each row of ``right``: x by component, [rows, 1] each."""
    nodes = translation.nodes
    count = len(lower)

    def substitute(values: list[str], matrix: Floats, order: range) -> list[str]:
        solved: dict[int, str] = {}
        for index in order:
            left = values[index]
            for other, value in solved.items():
                if matrix[index, other]:
                    part = nodes.add("Mul", [value, translation.row([matrix[index, other]])])
                    left = nodes.add("Sub", [left, part])
            # LAPACK's solvers multiply by reciprocals of the diagonal.
            solved[index] = nodes.add("Mul", [left, translation.row([1.0 / matrix[index, index]])])
        return [solved[index] for index in range(count)]

    columns = [nodes.take(right.name, [index]) for index in range(count)]
    forward = substitute(columns, lower, range(count))
    return substitute(forward, np.ascontiguousarray(lower.T), range(count - 1, -1, -1))


def latent(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """Partial least squares as a transformer."""
    rotations = getattr(model, "x_rotations_", None)
    weights = model.x_weights_ if rotations is None else rotations
    nodes = translation.nodes
    centred = nodes.add("Sub", [translation.numbers(columns), translation.row(model._x_mean)])
    scaled = Matrix(nodes.add("Div", [centred, translation.row(model._x_std)]), len(columns))
    return product(translation, columns_of(scaled, None), weights)


def latent_values(translation: Translation, model: Any, columns: Columns) -> str:
    """Partial least squares' predictions."""
    return product(translation, columns, model.coef_.T, before=model._x_mean, after=model.intercept_).name


def pooled(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """FeatureAgglomeration: the mean of each group of columns."""
    if model.pooling_func is not np.mean:
        raise translation.error(model, "its pooling_func is not numpy.mean")
    labels = np.asarray(model.labels_)
    groups = np.zeros((len(labels), int(labels.max()) + 1))
    groups[np.arange(len(labels)), labels] = 1.0
    return product(translation, columns, groups / groups.sum(axis=0))


def hidden_units(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """BernoulliRBM: the probabilities of its hidden units."""
    units = product(translation, columns, model.components_.T, after=model.intercept_hidden_)
    return Matrix(translation.nodes.add("Sigmoid", [units.name]), units.width)


def fourier(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """RBFSampler, and SkewedChi2Sampler of the logarithm."""
    nodes = translation.nodes
    if hasattr(model, "skewedness"):
        moved = nodes.add("Add", [translation.numbers(columns), translation.row([float(model.skewedness)])])
        tensor = Matrix(nodes.add("Log", [moved]), len(columns))
        columns = Columns(tuple((tensor, index) for index in range(len(columns))), columns.rows)
    angles = product(translation, columns, model.random_weights_, after=model.random_offset_)
    scale = translation.row([np.sqrt(2.0) / np.sqrt(model.n_components)])
    return Matrix(nodes.add("Mul", [nodes.add("Cos", [angles.name]), scale]), angles.width)


def additive_chi_squared(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """AdditiveChi2Sampler: square roots, and cosines and sines of logarithms."""
    nodes = translation.nodes
    interval = model.sample_interval or {1: 0.8, 2: 0.5, 3: 0.4}[model.sample_steps]
    value = translation.numbers(columns)
    is_zero = nodes.add("Equal", [value, translation.row([0.0])])
    safe = nodes.add("Where", [is_zero, translation.row([1.0]), value])
    log = nodes.add("Mul", [nodes.add("Log", [safe]), translation.row([interval])])
    parts = [nodes.add("Sqrt", [nodes.add("Mul", [value, translation.row([interval])])])]
    for step in range(1, model.sample_steps):
        scale = 2.0 * interval / np.cosh(np.pi * step * interval)
        factor = nodes.add("Sqrt", [nodes.add("Mul", [value, translation.row([scale])])])
        angle = nodes.add("Mul", [log, translation.row([float(step)])])
        parts += [nodes.add("Mul", [factor, nodes.add(wave, [angle])]) for wave in ("Cos", "Sin")]
    return Matrix(translation.beside(parts), len(columns) * len(parts))


def count_sketch(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """PolynomialCountSketch: the circular convolution of linear sketches, by the discrete Fourier transform."""
    nodes = translation.nodes
    width, degree = model.n_components, model.degree
    scale = np.sqrt(model.gamma)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(width), np.arange(width)) / width)
    real = imaginary = ""
    for power in range(degree):
        sketch = np.zeros((model.indexHash_.shape[1], width))
        sketch[np.arange(len(sketch)), model.indexHash_[power]] = model.bitHash_[power]
        constant = np.zeros(width)
        if model.coef0 != 0:
            constant, sketch = sketch[-1] * np.sqrt(model.coef0), sketch[:-1]
        parts = [
            product(translation, columns, scale * sketch @ wave, after=constant @ wave).name
            for wave in (turns.real, turns.imag)
        ]
        if not real:
            real, imaginary = parts
            continue
        both = [nodes.add("Mul", [left, right]) for left in (real, imaginary) for right in parts]
        real, imaginary = nodes.add("Sub", [both[0], both[3]]), nodes.add("Add", [both[1], both[2]])
    back = [
        nodes.add("MatMul", [value, nodes.constant(np.ascontiguousarray(wave / width))])
        for value, wave in ((real, turns.real), (imaginary, turns.imag))
    ]
    return Matrix(nodes.add("Add", back), width)
