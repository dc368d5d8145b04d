"""The task's own metrics on labelled rows, of the source and of the bundle side by side, and the gate on the
loss."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lambda_handlers.contract.agreement import Outputs
from modelpack.errors import HoldoutError, SampleError

#: Metrics of which more is better; of all others less is.
_MORE_IS_BETTER = ("accuracy", "auc", "r2")


def compare_metrics(
    truth: Any, source: Outputs, bundle: Outputs, classes: tuple[Any, ...] | None, max_loss: float
) -> dict[str, dict[str, float]]:
    """Metrics by name for `source` and `bundle`; raises `HoldoutError` where the bundle's are worse by more than
    ``max_loss`` (errors in the target's unit: by more than that share of the source's)."""
    found = {"source": _metrics(truth, source, classes), "bundle": _metrics(truth, bundle, classes)}
    for name, before in found["source"].items():
        after = found["bundle"][name]
        loss = before - after if name in _MORE_IS_BETTER else (after - before) / (before or 1.0)
        if loss > max_loss:
            raise HoldoutError(
                f"on the holdout {name} is {after:.6g} for the bundle and {before:.6g} for the source, worse "
                f"by more "
                f"than {max_loss:g}. Package with another --precision, or allow more with --max-loss.",
                name,
            )
    return found


def _metrics(truth: Any, outputs: Outputs, classes: tuple[Any, ...] | None) -> dict[str, float]:
    if "label" in outputs and outputs["label"].ndim == 1:
        labels = np.array([str(value) for value in truth])
        found = {"accuracy": float(np.mean(labels == np.array([str(value) for value in outputs["label"]])))}
        if "probabilities" in outputs and classes is not None:
            found |= _of_probabilities(labels, outputs["probabilities"], [str(label) for label in classes])
        return found
    if "value" in outputs and outputs["value"].ndim == 1:
        wanted = np.asarray(truth, dtype=np.float64)
        error = outputs["value"].astype(np.float64) - wanted
        spread = float(wanted.var())
        found = {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.abs(error).mean())}
        return found | ({"r2": float(1.0 - np.mean(error**2) / spread)} if spread else {})
    raise SampleError("--holdout needs a model that predicts one label or one number a row. Leave it out.")


def _of_probabilities(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any], classes: list[str]
) -> dict[str, float]:
    """Ranking (AUC, of two classes), and calibration: the Brier score and the log loss."""
    hits = (labels[:, None] == np.array(classes)[None, :]).astype(np.float64)
    given = probabilities.astype(np.float64)
    chosen = np.clip((given * hits).sum(axis=1), 1e-12, 1.0)
    found = {"brier": float(((given - hits) ** 2).sum(axis=1).mean()), "log_loss": float(-np.log(chosen).mean())}
    if len(classes) == 2 and 0 < hits[:, 1].sum() < len(hits):
        found["auc"] = _auc(hits[:, 1] > 0, given[:, 1])
    return found


def _auc(positive: npt.NDArray[np.bool_], score: npt.NDArray[np.float64]) -> float:
    """The Mann-Whitney statistic, ties counted half."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    hits = int(positive.sum())
    return float((ranks[positive].sum() - hits * (hits + 1) / 2.0) / (hits * (len(score) - hits)))
