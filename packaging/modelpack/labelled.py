"""Judges a smaller graph by labels: it is as good as the source where no metric is worse by more than is allowed.

Each metric counts by the upper bound of a paired 95 % interval. All must pass, so that no correction for several
is needed: to pass wrongly, the graph must be wrong in the worst of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import LEAST_COSINE, Outputs, compare
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.holdout import as_classifier
from serinus.modelpack.label_changes import find_label_changes
from serinus.modelpack.label_verdict import LabelVerdict
from serinus.modelpack.paired_loss import measure_losses

#: On rows that trained it a model is surer, so that fewer labels change: there a part of the loss is allowed.
SAMPLE_SHARE = 0.5
#: Over the largest difference on measured rows, for rows that are not measured.
_MARGIN = 1.25
#: Over the largest difference on golden rows, for other processors, whose arithmetic in int8 rounds differently.
_GOLDEN_MARGIN = 2.0
#: The golden set holds rows of these closest predictions: a check of the right graph on the right runtime, whose
#: tolerance need not be that of the least alike rows.
_GOLDEN_SHARE = 0.75
#: Enough to choose a golden set from that differs in every feature.
_FEWEST_GOLDEN = 64
#: Edge cases have no labels, and beyond the sample small changes of weights grow: numbers may differ by so many
#: times what they differ by on the sample, and by more in the rest of this share of the cases.
_EDGE_FACTOR, _EDGE_LABELS = 10.0, 0.95


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled rows with the source's outputs. ``allowed`` is the largest loss; ``origin`` holdout or sample."""

    origin: str
    frame: pd.DataFrame
    truth: Any
    source: Outputs
    classes: tuple[Any, ...] | None
    allowed: float

    def judge(
        self, run: Callable[[pd.DataFrame], Outputs], requested: Tolerance, unlabelled: tuple[Outputs, Outputs]
    ) -> LabelVerdict:
        """The verdict on the graph that ``run`` calls. ``unlabelled`` are outputs of source and graph for other
        rows, which the tolerance must cover too."""
        outputs = run(self.frame)
        pairs = [(self.source, outputs), unlabelled]
        bundle, _ = as_classifier(outputs, self.classes, self.truth)
        source, classes = as_classifier(self.source, self.classes, self.truth)
        return LabelVerdict(
            origin=self.origin,
            rows=len(self.frame),
            allowed=self.allowed,
            losses=measure_losses(self.truth, source, bundle, classes),
            changes=find_label_changes(self.truth, source, bundle, classes),
            tolerance=cover(pairs, requested),
        )


def cover(pairs: list[tuple[Outputs, Outputs]], requested: Tolerance, margin: float = _MARGIN) -> Tolerance:
    """The tolerance that pairs of expected and actual outputs keep, with a margin; nowhere narrower than
    ``requested``. Numbers may differ by a share too, which holds beyond the sample, where predictions grow."""
    share, numbers, cosines = requested.labels, [], []
    for expected, actual in pairs:
        agreement = compare(expected, actual, requested)
        share = min(share, agreement.labels_equal)
        cosines.append(1.0 if agreement.cosine is None else agreement.cosine)
        for name, values in expected.items():
            if values.dtype.kind == "f":
                a, b = (item.astype(np.float64).ravel() for item in (values, actual[name]))
                numbers.append((np.abs(a), np.abs(a - b)))
    largest = max((float(np.nanmax(a, initial=0.0)) for a, _ in numbers), default=0.0)
    apart = max((float(np.nanmax(d, initial=0.0)) for _, d in numbers), default=0.0)
    rtol = max(requested.rtol, _round_up(margin * apart / largest) if largest and np.isfinite(apart) else 0.0)
    beyond = [float(np.nanmax(d - rtol / margin * a, initial=0.0)) for a, d in numbers]
    atol = max(requested.atol, _round_up(margin * max(beyond, default=0.0)))
    labels, least = (
        float(np.floor(share * 1e4) / 1e4),
        LEAST_COSINE if requested.cosine is None else requested.cosine,
    )
    turned = 1.0 - _round_up(margin * (1.0 - min(cosines)))
    cosine = requested.cosine if turned >= least else max(turned, -1.0)
    return requested._replace(labels=labels, atol=atol, rtol=rtol, cosine=cosine)


def is_undecided(outputs: Outputs, tolerance: Tolerance) -> npt.NDArray[np.bool_]:
    """[rows]: whether another label is within ``tolerance`` of the predicted one."""
    rows = len(next(iter(outputs.values())))
    if "scores" in outputs and outputs["scores"].reshape(rows, -1).shape[1] == 1:
        return np.asarray(np.abs(outputs["scores"].reshape(rows)) <= tolerance.atol)
    probabilities = outputs.get("probabilities")
    if probabilities is None or probabilities.ndim != 2 or probabilities.shape[1] < 2:
        return np.zeros(rows, dtype=bool)
    first, second = np.sort(probabilities, axis=1)[:, :-3:-1].T
    return np.asarray(first - second <= 2.0 * tolerance.atol + tolerance.rtol * (first + second))


def choose_golden_rows(
    expected: Outputs, actual: Outputs, accepted: Tolerance, requested: Tolerance
) -> tuple[set[int], Tolerance]:
    """The rows that must not be golden, and the tolerance that all others keep: rows whose label differs, or is
    within ``accepted`` of another, and the least alike ones."""
    rows = len(next(iter(expected.values())))
    differing = np.zeros(rows, dtype=bool)
    apart = np.zeros(rows)
    for name, values in expected.items():
        if values.dtype.kind == "f":
            difference = np.abs(values.astype(np.float64) - actual[name].astype(np.float64)).reshape(rows, -1)
            apart = np.maximum(apart, np.nan_to_num(difference, nan=np.inf).max(axis=1, initial=0.0))
        else:
            differing |= (values != actual[name]).reshape(rows, -1).any(axis=1)
    clear = ~(differing | is_undecided(expected, accepted))
    usable = clear if clear.sum() >= _FEWEST_GOLDEN else ~differing
    closest = usable & (apart <= np.quantile(apart[usable], _GOLDEN_SHARE)) if usable.any() else usable
    pairs = [tuple({name: values[closest] for name, values in outputs.items()} for outputs in (expected, actual))]
    tolerance = cover(pairs, requested, _GOLDEN_MARGIN)  # type: ignore[arg-type]
    return set(np.flatnonzero(~closest).tolist()), tolerance


def edge_tolerance(accepted: Tolerance) -> tuple[Tolerance, float]:
    """That of edge cases, and how far apart two labels' scores are within it."""
    atol, rtol = _EDGE_FACTOR * accepted.atol, _EDGE_FACTOR * accepted.rtol
    wider = accepted._replace(labels=min(_EDGE_LABELS, accepted.labels), atol=atol, rtol=rtol)
    return wider, 2.0 * atol + rtol


def _round_up(value: float) -> float:
    """To two digits, so that it can be read."""
    if not value or not np.isfinite(value):
        return value
    unit = 10.0 ** (np.floor(np.log10(value)) - 1.0)
    return float(f"{np.ceil(value / unit) * unit:.2g}")
