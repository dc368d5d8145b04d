"""How far a graph agrees with the source: the probes that must agree and do not, and each number's bounds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs, compare
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.robustness.probes import (
    SURELY_FAR,
    Probe,
    build_frame,
    complete_rows,
    list_probes,
    near_magnitude,
)
from serinus.modelpack.robustness.source_oracle import SourceAnswers, are_finite, query_source
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

#: Probabilities, or an outlier's score, closer than this to the next label's: rounding decides which label it is.
UNDECIDED = 1e-9


@dataclass(frozen=True, slots=True)
class ProbeAnswers:
    """Probes as rows of ``frame``, and the source's answers; ``finite`` [probes] says which answers are finite."""

    probes: tuple[Probe, ...]
    frame: pd.DataFrame
    source: SourceAnswers
    finite: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range that one feature accepts, None where its type alone limits it; ``why`` it ends there."""

    lowest: float | None
    highest: float | None
    why: str


def probe_source(source: Source, sample: Sample, features: tuple[Feature, ...]) -> ProbeAnswers:
    """The source's answers to the probes of ``features``."""
    probes = list_probes(features, source.known_words)
    frame = build_frame(probes, complete_rows(sample))
    ordered = sorted({(probe.sign != 0, _size(probe)) for probe in probes})
    groups = [
        np.array(
            [row for row, probe in enumerate(probes) if (probe.sign != 0, _size(probe)) == key], dtype=np.int64
        )
        for key in ordered
    ]
    far = {index for index, (outward, size) in enumerate(ordered) if outward and size >= SURELY_FAR}
    answers = query_source(source, frame, groups, far)
    finite = np.zeros(len(probes), dtype=bool)
    finite[answers.answered] = are_finite(answers.outputs, len(answers.answered))
    return ProbeAnswers(probes, frame, answers, finite)


def _size(probe: Probe) -> float:
    return abs(float(probe.value)) if probe.sign else 0.0


def agree_by_row(
    expected: Outputs, actual: Outputs, tolerance: Tolerance, undecided: float = UNDECIDED
) -> npt.NDArray[np.bool_]:
    """[rows]: whether numbers are within tolerance and labels equal, or the source itself ``undecided``: its
    scores for two labels no farther apart."""
    rows = len(next(iter(expected.values()), ()))
    settled = actual
    if "label" in expected and expected["label"].ndim == 1:
        label = np.where(_is_undecided(expected, rows, undecided), expected["label"], actual["label"])
        settled = {**actual, "label": label}
    agreement = compare(expected, settled, tolerance, worst=rows)
    agrees = np.ones(rows, dtype=bool)
    agrees[list(agreement.worst_rows)] = False
    return agrees


def _is_undecided(outputs: Outputs, rows: int, margin: float) -> npt.NDArray[np.bool_]:
    if "scores" in outputs:
        return np.asarray(np.abs(outputs["scores"].reshape(rows, -1)).max(axis=1) <= margin)
    probabilities = outputs.get("probabilities")
    if probabilities is None or probabilities.ndim != 2 or probabilities.shape[1] < 2:
        return np.zeros(rows, dtype=bool)
    best = np.sort(probabilities, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0] <= margin)


def agree_by_probe(
    answers: ProbeAnswers, runner: Runner, tolerance: Tolerance, undecided: float = UNDECIDED
) -> npt.NDArray[np.bool_]:
    """[probes]: whether the source predicts and the graph agrees."""
    agrees = np.zeros(len(answers.probes), dtype=bool)
    rows = answers.source.answered
    if len(rows):
        actual = runner.run_by_row(answers.frame.iloc[rows])
        agrees[rows] = agree_by_row(answers.source.outputs, actual, tolerance, undecided)
    return agrees


def failing_probes(
    answers: ProbeAnswers, agrees: npt.NDArray[np.bool_], features: tuple[Feature, ...]
) -> list[int]:
    """Indices of the probes that the source predicts, that no bound may exclude, and that the graph predicts
    differently."""
    reach = {
        feature.name: 10.0 * near_magnitude(feature)
        for feature in features
        if feature.dtype in ("float64", "int64")
    }
    return [
        row
        for row, probe in enumerate(answers.probes)
        if not agrees[row]
        and row not in answers.source.refused
        and (not probe.sign or (answers.finite[row] and _is_near(probe, reach[probe.feature])))
    ]


def _is_near(probe: Probe, reach: float) -> bool:
    return probe.kind != "tiny number" and abs(probe.value) <= reach


def find_bounds(
    answers: ProbeAnswers, agrees: npt.NDArray[np.bool_], features: tuple[Feature, ...]
) -> dict[str, Bounds]:
    """Bounds by feature: outward from the sample as far as source and graph agree on finite predictions."""
    bounds = {}
    for feature in features:
        ends: dict[int, float | None] = {}
        reasons: list[str] = []
        for sign in (-1, 1):
            ends[sign] = None
            sample_end = feature.maximum if sign > 0 else feature.minimum
            last = sample_end
            for row, probe in _steps(answers, feature.name, sign):
                predicts = row not in answers.source.refused and bool(answers.finite[row])
                if not (predicts and agrees[row]):
                    ends[sign] = last
                    reasons.append("differs" if predicts else "source")
                    break
                last = probe.value
        if reasons:
            bounds[feature.name] = Bounds(ends[-1], ends[1], _why(reasons))
    return bounds


def end_of_answers(answers: ProbeAnswers, feature: str, sign: int) -> float | None:
    """The first probe outward that the source does not predict finitely; None where it predicts them all."""
    return next(
        (
            float(probe.value)
            for row, probe in _steps(answers, feature, sign)
            if row in answers.source.refused or not answers.finite[row]
        ),
        None,
    )


def _steps(answers: ProbeAnswers, feature: str, sign: int) -> Iterator[tuple[int, Probe]]:
    return (
        (row, probe) for row, probe in enumerate(answers.probes) if probe.feature == feature and probe.sign == sign
    )


def _why(reasons: list[str]) -> str:
    if "differs" in reasons:
        return "beyond, the graph's rounding shows"
    return "beyond, the source gives no finite answer"
