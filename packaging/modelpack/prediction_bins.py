"""Chooses the bins in which the endpoint counts the model's predictions, which the judge compares.

Numbers are counted between the deciles of the sample's predictions. A model trained again keeps the edges of the
bundle pinned before it: with its own, drift in the training data would look like a different model.
"""

import json
from collections.abc import Callable, Sequence
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
#: A value that so large a share of predictions have is an atom, from which edges keep a distance, in shares of the
#: range: the same model trained again predicts nearly the same value.
ATOM = 0.02
DISTANCE = 0.01
_DECILES = np.linspace(0.1, 0.9, 9)


def choose_bins(
    signature: Signature,
    outputs: Outputs,
    find_pinned: Callable[[str], Sequence[float] | None],
    progress: Progress,
) -> PredictionBins | None:
    """The bins for predictions like the sample's ``outputs``; ``find_pinned`` returns the edges in which the
    bundle that was pinned before counts an output. None where no single prediction a row can be counted."""
    output = predicted_output(signature)
    if output is None:
        return None
    if output.role == "label":
        return bins_by_class(output.name, signature.classes or ())
    values = _first_column(outputs[output.name])
    own = _edges_of(values)
    if not own:
        return None
    pinned = find_pinned(output.name)
    if pinned is None:
        return bins_between(output.name, own)
    if _largest_share(values, pinned) <= max(LARGEST_SHARE, _largest_share(values, own)):
        return bins_between(output.name, pinned)
    progress.notice(
        f"more than {LARGEST_SHARE:.0%} of the predictions lie in one bin of the pinned bundle, so new bins are "
        "used. The next release does not compare predictions with the live version's."
    )
    return bins_between(output.name, own)


def _edges_of(values: npt.NDArray[np.float64]) -> list[float]:
    """At most nine edges near the deciles, between values rather than on one, and away from atoms. Empty where
    fewer than two values were predicted."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 2:
        return []
    middles = (distinct[:-1] + distinct[1:]) / 2
    deciles = np.quantile(values, _DECILES)
    near = middles[np.clip(np.searchsorted(distinct, deciles, side="right") - 1, 0, len(middles) - 1)]
    atoms, margin = distinct[counts >= ATOM * len(values)], DISTANCE * (distinct[-1] - distinct[0])
    return sorted({float(_away_from(atoms, edge, margin)) for edge in near})


def _away_from(atoms: npt.NDArray[np.float64], edge: float, margin: float) -> float:
    """``edge``, or the nearest place at ``margin`` from an atom that is closer; between two such atoms as it
    is."""
    close = atoms[np.abs(atoms - edge) < margin]
    if len(close) != 1:
        return edge
    return float(close[0] + np.copysign(margin, edge - close[0]))


def pinned_edges(project: Path, environment: str, name: str, output: str) -> list[float] | None:
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


def _edges_in(baseline: Path, output: str) -> list[float] | None:
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
    return numbers[np.isfinite(numbers)]


def _largest_share(values: npt.NDArray[np.float64], edges: Sequence[float]) -> float:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return float(counts.max() / len(values))
