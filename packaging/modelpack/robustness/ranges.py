"""How far a graph agrees with the source: what must agree does or does not, and each number's bounds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs, compare
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.robustness import probes as trying
from serinus.modelpack.robustness.probes import Probe
from serinus.modelpack.robustness.source_oracle import Answers, are_finite, ask
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

#: Probabilities, or an outlier's score, closer than this to the next label's: rounding decides which label it is.
_UNDECIDED = 1e-9


@dataclass(frozen=True, slots=True)
class Asked:
    """Probes as rows of ``frame``, and what the source answered; ``finite`` says of each probe whether that was a
    number at all."""

    probes: tuple[Probe, ...]
    frame: pd.DataFrame
    answers: Answers
    finite: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one feature accepts, None where it is all that its type holds; ``why`` there is no more."""

    lowest: float | None
    highest: float | None
    why: str


def ask_probes(source: Source, sample: Sample, features: tuple[Feature, ...]) -> Asked:
    """The source's answers to the probes of ``features``."""
    found = trying.list_probes(features, source.known_words)
    frame = trying.frame_of(found, trying.complete_rows(sample))
    ordered = sorted({(probe.sign != 0, _size(probe)) for probe in found})
    groups = [
        np.array(
            [row for row, probe in enumerate(found) if (probe.sign != 0, _size(probe)) == key], dtype=np.int64
        )
        for key in ordered
    ]
    far = {place for place, (outward, size) in enumerate(ordered) if outward and size >= trying.SURELY_FAR}
    answers = ask(source, frame, groups, far)
    finite = np.zeros(len(found), dtype=bool)
    finite[answers.answered] = are_finite(answers.outputs, len(answers.answered))
    return Asked(found, frame, answers, finite)


def _size(probe: Probe) -> float:
    return abs(float(probe.value)) if probe.sign else 0.0


def agree_by_row(want: Outputs, got: Outputs, tolerance: Tolerance) -> npt.NDArray[np.bool_]:
    """[rows]: whether numbers are within tolerance and labels equal, or the source itself undecided."""
    rows = len(next(iter(want.values()), ()))
    settled = (
        {**got, "label": np.where(_undecided(want, rows), want["label"], got["label"])} if _one(want) else got
    )
    agreement = compare(want, settled, tolerance, worst=rows)
    found = np.ones(rows, dtype=bool)
    found[list(agreement.worst_rows)] = False
    return found


def _one(outputs: Outputs) -> bool:
    return "label" in outputs and outputs["label"].ndim == 1


def _undecided(outputs: Outputs, rows: int) -> npt.NDArray[np.bool_]:
    if "scores" in outputs:
        return np.asarray(np.abs(outputs["scores"].reshape(rows, -1)).max(axis=1) <= _UNDECIDED)
    probabilities = outputs.get("probabilities")
    if probabilities is None or probabilities.ndim != 2 or probabilities.shape[1] < 2:
        return np.zeros(rows, dtype=bool)
    best = np.sort(probabilities, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0] <= _UNDECIDED)


def agreeing(asked: Asked, runner: Runner, tolerance: Tolerance) -> npt.NDArray[np.bool_]:
    """[probes]: whether the source answers and the graph the same."""
    found = np.zeros(len(asked.probes), dtype=bool)
    rows = asked.answers.answered
    if len(rows):
        got = runner.one_by_one(asked.frame.iloc[rows])
        found[rows] = agree_by_row(asked.answers.outputs, got, tolerance)
    return found


def differing(asked: Asked, same: npt.NDArray[np.bool_], features: tuple[Feature, ...]) -> list[int]:
    """Probes that the source answers, that no bound may leave out, and that the graph answers otherwise."""
    reach = {
        feature.name: 10.0 * trying.near(feature) for feature in features if feature.dtype in ("float64", "int64")
    }
    return [
        row
        for row, probe in enumerate(asked.probes)
        if not same[row]
        and row not in asked.answers.refused
        and (not probe.sign or (asked.finite[row] and _is_near(probe, reach[probe.feature])))
    ]


def _is_near(probe: Probe, reach: float) -> bool:
    return probe.kind != "tiny number" and abs(probe.value) <= reach


def find_bounds(asked: Asked, same: npt.NDArray[np.bool_], features: tuple[Feature, ...]) -> dict[str, Bounds]:
    """Bounds by feature: outward from the sample as far as source and graph agree on finite answers."""
    found = {}
    for feature in features:
        ends: dict[int, float | None] = {}
        reasons: list[str] = []
        for sign in (-1, 1):
            ends[sign] = None
            sample_end = feature.maximum if sign > 0 else feature.minimum
            last = sample_end
            for row, probe in _steps(asked, feature.name, sign):
                answers = row not in asked.answers.refused and bool(asked.finite[row])
                if not (answers and same[row]):
                    ends[sign] = last
                    reasons.append("differs" if answers else "source")
                    break
                last = probe.value
        if reasons:
            found[feature.name] = Bounds(ends[-1], ends[1], _why(reasons))
    return found


def _steps(asked: Asked, feature: str, sign: int) -> Iterator[tuple[int, Probe]]:
    return (
        (row, probe) for row, probe in enumerate(asked.probes) if probe.feature == feature and probe.sign == sign
    )


def _why(reasons: list[str]) -> str:
    if "differs" in reasons:
        return "beyond, the graph's rounding shows"
    return "beyond, the source gives no finite answer"
