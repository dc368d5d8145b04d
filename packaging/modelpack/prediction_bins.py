"""Chooses the bins in which the endpoint counts the model's predictions, which the judge compares.

Numbers are counted between the deciles of the sample's predictions. A model trained again keeps the edges of the
bundle pinned before it: with its own, drift in the training data would look like a different model.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.bundle import BASELINE
from serinus.lambda_handlers.contract.lock import LOCK, read_lock
from serinus.lambda_handlers.contract.prediction_bins import (
    KEY,
    PredictionBins,
    bins_between,
    bins_by_class,
    predicted_output,
)
from serinus.lambda_handlers.contract.signature import Signature
from serinus.modelpack.progress import Progress

#: Edges of the pinned bundle that leave more of the sample's predictions in one bin are replaced.
LARGEST_SHARE = 0.5
_DECILES = np.linspace(0.1, 0.9, 9)


def choose_bins(
    signature: Signature, outputs: Outputs, pinned: Sequence[float] | None, progress: Progress
) -> PredictionBins | None:
    """The bins for predictions like the sample's ``outputs``; ``pinned``: edges of the bundle before. None where
    no single prediction a row can be counted."""
    output = predicted_output(signature)
    if output is None:
        return None
    if signature.classes is not None and output == next(o.name for o in signature.outputs if o.role == "label"):
        return bins_by_class(output, signature.classes)
    values = _first_column(outputs[output])
    if not values.size:
        return None
    own = [float(edge) for edge in np.quantile(values, _DECILES)]
    if pinned is None:
        return bins_between(output, own)
    if _largest_share(values, pinned) <= max(LARGEST_SHARE, _largest_share(values, own)):
        return bins_between(output, pinned)
    progress.notice(
        f"more than {LARGEST_SHARE:.0%} of the predictions lie in one bin of the pinned bundle, so new bins are "
        "used. The next release does not compare predictions with the live version's."
    )
    return bins_between(output, own)


def pinned_edges(project: Path, environment: str, name: str, output: str | None) -> list[float] | None:
    """The edges in which the bundle pinned for ``environment``, or else for any other, counts ``output``; None if
    there is none, or its folder is not here."""
    lock = read_lock(project / LOCK)
    for pins in (lock.get(environment, {}), *lock.values()):
        if name not in pins:
            continue
        edges = _edges_in(project / pins[name].bundle / BASELINE, output)
        if edges is not None:
            return edges
    return None


def _edges_in(baseline: Path, output: str | None) -> list[float] | None:
    try:
        bins = json.loads(baseline.read_bytes()).get(KEY)
    except (OSError, ValueError, AttributeError):
        return None
    return (
        list(bins["edges"])
        if isinstance(bins, dict) and bins.get("output") == output and "edges" in bins
        else None
    )


def _first_column(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """What the endpoint counts: the first target of each row, where it is a number."""
    numbers = values.reshape(len(values), -1)[:, 0].astype(np.float64)
    return numbers[~np.isnan(numbers)]


def _largest_share(values: npt.NDArray[np.float64], edges: Sequence[float]) -> float:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return float(counts.max() / len(values))
