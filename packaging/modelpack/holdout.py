"""The task's metrics on labelled rows, of source and bundle side by side, and the gate on the loss. All equal
scikit-learn's of that name, on probabilities in double precision.
https://scikit-learn.org/stable/modules/model_evaluation.html
"""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.modelpack.errors import HoldoutError, SampleError

#: Metrics of which more is better; of all others less is.
_MORE_IS_BETTER = ("accuracy", "auc", "r2")
_WHOLE = re.compile(r"(?<=\d)\.0+$")
_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)
#: Smaller probabilities count as this one in log losses, as in scikit-learn.
LEAST_PROBABILITY = float(np.finfo(np.float64).eps)


def compare_metrics(
    truth: Any, source: Outputs, bundle: Outputs, classes: tuple[Any, ...] | None, max_loss: float
) -> dict[str, dict[str, float]]:
    """Metrics by name for `source` and `bundle`, read by `as_classifier`. Raises `HoldoutError` where the bundle's
    are worse by more than ``max_loss`` (errors in the target's unit: by more than that share of the source's), and
    `SampleError` where the source's are not finite."""
    bundle, _ = as_classifier(bundle, classes, truth)
    source, classes = as_classifier(source, classes, truth)
    metrics = {
        "source": measure_metrics(truth, source, classes),
        "bundle": measure_metrics(truth, bundle, classes),
    }
    for name, before in metrics["source"].items():
        after = metrics["bundle"][name]
        if not np.isfinite(before):
            raise SampleError(
                f"on the holdout {name} of the source model is {before:g}: the target or the predictions "
                "hold values that are missing or not finite. Leave those rows out of the holdout."
            )
        loss = before - after if name in _MORE_IS_BETTER else (after - before) / (before or 1.0)
        if not loss <= max_loss:  # a metric that is not a number is no better
            raise HoldoutError(
                f"on the holdout {name} is {after:.6g} for the bundle and {before:.6g} for the source, worse by "
                f"more than {max_loss:g}. Package with another --precision, or allow more with --max-loss.",
                name,
            )
    return metrics


def measure_metrics(truth: Any, outputs: Outputs, classes: tuple[Any, ...] | None) -> dict[str, float]:
    """The task's metrics by name. Raises `SampleError` where the model predicts neither a label nor a number."""
    if "label" in outputs and outputs["label"].ndim == 1:
        metrics = {"accuracy": accuracy(truth, outputs["label"])}
        if "probabilities" in outputs and classes is not None:
            metrics |= _probability_metrics(truth_matrix(truth, classes), outputs["probabilities"])
        return metrics
    if "value" in outputs and outputs["value"].ndim == 1:
        target = np.asarray(truth, dtype=np.float64)
        error = outputs["value"].astype(np.float64) - target
        spread = float(target.var())
        metrics = {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.abs(error).mean())}
        return metrics | ({"r2": float(1.0 - np.mean(error**2) / spread)} if spread else {})
    raise SampleError(
        "--holdout requires a model that predicts one label or one number a row, or scores of classes that the "
        "target numbers from 0. Leave it out."
    )


def has_metrics(outputs: Outputs) -> bool:
    """Whether the model predicts one label, one number, or a score for each class a row."""
    own = any(name in outputs and outputs[name].ndim == 1 for name in ("label", "value"))
    return own or _class_scores(outputs) is not None


def as_classifier(
    outputs: Outputs, classes: tuple[Any, ...] | None, truth: Any
) -> tuple[Outputs, tuple[Any, ...] | None]:
    """``outputs`` and ``classes``; of a network whose only output is a score for each class, with labels that are
    numbers of its columns: label and probabilities (by softmax, where the scores are none)."""
    scores = _class_scores(outputs)
    if scores is None or not _number_columns(truth, scores.shape[1]):
        return outputs, classes
    values = scores.astype(np.float64)
    if (values < 0.0).any() or not np.allclose(values.sum(axis=1), 1.0, atol=1e-3):
        values = np.exp(values - values.max(axis=1, keepdims=True))
        values /= values.sum(axis=1, keepdims=True)
    return {"label": values.argmax(axis=1), "probabilities": values}, tuple(range(values.shape[1]))


def can_be_scored(outputs: Outputs, classes: tuple[Any, ...] | None, truth: Any) -> bool:
    """Whether ``truth`` are labels of these outputs. A matrix may be an embedding: it holds scores of classes
    where they name the true one more often than always the commonest would."""
    read, _ = as_classifier(outputs, classes, truth)
    if read is outputs:
        return any(name in outputs and outputs[name].ndim == 1 for name in ("label", "value"))
    commonest = float(np.unique(np.asarray(truth, dtype=np.float64), return_counts=True)[1].max()) / len(truth)
    return accuracy(truth, read["label"]) > commonest


def _class_scores(outputs: Outputs) -> npt.NDArray[Any] | None:
    """[rows, classes]: the only output, where it is a matrix of numbers."""
    if len(outputs) != 1:
        return None
    (values,) = outputs.values()
    return values if values.dtype.kind == "f" and values.ndim == 2 and values.shape[1] >= 2 else None


def _number_columns(truth: Any, columns: int) -> bool:
    values = list(truth)
    return all(
        isinstance(value, _NUMBERS) and float(value).is_integer() and 0 <= float(value) < columns
        for value in values
    )


def accuracy(truth: Any, labels: Any) -> float:
    """The share of rows whose label is the true one."""
    return float(np.mean(is_right(truth, labels)))


def is_right(truth: Any, labels: Any) -> npt.NDArray[np.bool_]:
    """[rows]: whether the label is the true one."""
    a, b = _comparable(truth, labels)
    same: npt.NDArray[np.bool_] = a == b
    return same


def truth_matrix(truth: Any, classes: tuple[Any, ...]) -> npt.NDArray[np.float64]:
    """1 where a row's true label is the class, else 0: [rows, classes]."""
    a, b = _comparable(truth, classes)
    same: npt.NDArray[np.bool_] = a[:, None] == b[None, :]
    return same.astype(np.float64)


def _comparable(truth: Any, labels: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Both as numbers where both are, else as text: a table may hold the classes 0 and 1 as 0.0 and 1.0, and the
    class "1" as a number."""
    both = list(truth), list(labels)
    if all(isinstance(value, _NUMBERS) for values in both for value in values):
        return np.array(both[0], dtype=np.float64), np.array(both[1], dtype=np.float64)
    mixed = any(isinstance(value, _NUMBERS) for values in both for value in values)
    a, b = ([_WHOLE.sub("", str(value)) if mixed else str(value) for value in values] for values in both)
    return np.array(a), np.array(b)


def _probability_metrics(hits: npt.NDArray[np.float64], probabilities: npt.NDArray[Any]) -> dict[str, float]:
    """Calibration: the Brier score (for two classes, of the second) and the log loss. Ranking: AUC, for two
    classes. ``hits`` and ``probabilities`` are [rows, classes]."""
    predicted = probabilities.astype(np.float64)
    least = LEAST_PROBABILITY
    of_truth = (np.clip(predicted, least, 1.0 - least) * hits).sum(axis=1)
    two = hits.shape[1] == 2
    apart = (predicted - hits) ** 2
    metrics = {
        "brier": float((apart[:, 1] if two else apart.sum(axis=1)).mean()),
        "log_loss": float(-np.log(np.maximum(of_truth, least)).mean()),
    }
    if two and 0 < hits[:, 1].sum() < len(hits):
        metrics["auc"] = _auc(hits[:, 1] > 0, predicted[:, 1])
    return metrics


def _auc(positive: npt.NDArray[np.bool_], score: npt.NDArray[np.float64]) -> float:
    """The Mann-Whitney statistic, ties counted half."""
    _, group, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[group]
    hits = int(positive.sum())
    return float((ranks[positive].sum() - hits * (hits + 1) / 2.0) / (hits * (len(score) - hits)))
