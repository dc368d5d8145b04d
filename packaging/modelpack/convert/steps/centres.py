"""Clusters and centroids: distances to stored rows."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns, Matrix
from serinus.modelpack.convert.steps.kernels import squared_distances
from serinus.modelpack.convert.steps.translation import Translation


def distances(translation: Translation, value: str, stored: Any) -> str:
    """Euclidean, [rows, count]."""
    squares = squared_distances(translation, value, np.asarray(stored, dtype=np.float64))
    return translation.nodes.add("Sqrt", [squares])


def to_clusters(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """KMeans and its kind as transformers."""
    centres = model.cluster_centers_
    return Matrix(distances(translation, translation.numbers(columns), centres), len(centres))


def to_subclusters(translation: Translation, model: Any, columns: Columns) -> Matrix:
    """Birch as a transformer."""
    centres = model.subcluster_centers_
    return Matrix(distances(translation, translation.numbers(columns), centres), len(centres))


def subcluster_label(translation: Translation, model: Any, columns: Columns) -> str:
    """Birch: the label of the nearest subcluster."""
    return _nearest(translation, columns, model.subcluster_centers_, np.asarray(model.subcluster_labels_))


def cluster_label(translation: Translation, model: Any, columns: Columns) -> str:
    """MeanShift and AffinityPropagation: the nearest centre."""
    centres = model.cluster_centers_
    if len(centres) == 0:
        raise translation.error(model, "it has no cluster")
    return _nearest(translation, columns, centres, np.arange(len(centres)))


def _nearest(translation: Translation, columns: Columns, stored: Any, labels: Any) -> str:
    nodes = translation.nodes
    squares = squared_distances(translation, translation.numbers(columns), np.asarray(stored, dtype=np.float64))
    index = nodes.add("ArgMin", [squares], axis=1, keepdims=0)
    return nodes.add("Gather", [nodes.constant(labels.astype(np.int64)), index], axis=0)


def bisected_label(translation: Translation, model: Any, columns: Columns) -> str:
    """BisectingKMeans: down its tree, to the nearer of two centres each time."""
    nodes = translation.nodes
    value = translation.numbers(columns)
    shift = getattr(model, "_X_mean", 0.0)

    def label(node: Any) -> str:
        if node.left is None:
            return nodes.constant(np.array([node.label], dtype=np.int64))
        centres = np.vstack([node.left.center, node.right.center]) + shift
        squares = squared_distances(translation, value, centres)
        side = nodes.cast(nodes.add("ArgMin", [squares], axis=1, keepdims=0), np.bool_)
        return nodes.add("Where", [side, label(node.right), label(node.left)])

    return label(model._bisecting_tree)


def centroid_label(translation: Translation, model: Any, columns: Columns) -> str:
    """NearestCentroid: the nearest, or with other priors that of the largest score."""
    nodes = translation.nodes
    priors = getattr(model, "class_prior_", None)
    if priors is not None and not np.isclose(priors, 1 / len(model.classes_)).all():
        scores = centroid_scores(translation, model, columns)
        return translation.label_of_largest(model.classes_, scores)
    size = _squares(
        translation, model, translation.numbers(columns), np.asarray(model.centroids_, dtype=np.float64)
    )
    return translation.label_at(model.classes_, nodes.add("ArgMin", [size], axis=1, keepdims=0))


def centroid_proba(translation: Translation, model: Any, columns: Columns) -> str:
    """The softmax of the scores."""
    return translation.nodes.add("Softmax", [centroid_scores(translation, model, columns)], axis=1)


def centroid_scores(translation: Translation, model: Any, columns: Columns) -> str:
    """[rows, classes]: less the squared distance in units of the deviation within classes, and the prior."""
    nodes = translation.nodes
    deviation = np.asarray(model.within_class_std_dev_, dtype=np.float64)
    deviation = np.where(deviation == 0.0, 1.0, deviation)
    value = nodes.add("Div", [translation.numbers(columns), translation.row(deviation)])
    size = _squares(translation, model, value, np.asarray(model.centroids_, dtype=np.float64) / deviation)
    return nodes.add("Sub", [translation.row(2.0 * np.log(model.class_prior_)), size])


def _squares(translation: Translation, model: Any, value: str, centroids: Any) -> str:
    """Squared distances by the model's metric, [rows, classes]."""
    nodes = translation.nodes
    if model.metric == "euclidean":
        return squared_distances(translation, value, centroids)
    if model.metric != "manhattan":
        raise translation.error(model, f"its metric {model.metric!r} is not supported")
    spread = nodes.add("Unsqueeze", [value, nodes.constant(np.array([1], dtype=np.int64))])
    apart = nodes.add("Abs", [nodes.add("Sub", [spread, nodes.constant(centroids[None])])])
    total = nodes.add("ReduceSum", [apart, nodes.constant(np.array([2], dtype=np.int64))], keepdims=0)
    return nodes.add("Mul", [total, total])
