"""Agreement with the source model, on the sample and on rows of it with missing and unseen values."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Agreement, Outputs, compare
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.errors import ParityError, SampleError, first_line
from serinus.modelpack.features import UNSEEN_NUMBER, UNSEEN_STRING, to_json_value
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

_ROWS_PER_VARIANT = 20


@dataclass(frozen=True, slots=True)
class Expected:
    """Rows, the sample's first (``sample_rows`` of them), then variants; and the source's outputs for them.
    ``variants`` holds the first row of each: by feature, and whether its value is missing or else unseen."""

    frame: pd.DataFrame
    outputs: Outputs
    sample_rows: int
    variants: dict[tuple[str, bool], int]


def predict_expected(source: Source, sample: Sample, features: tuple[Feature, ...]) -> Expected:
    """The source's outputs for the sample, and for rows of it with values missing and unseen where accepted."""
    cases = _variants(features)
    frames = [_with_value(sample.frame, name, value) for name, value in cases]
    first = np.cumsum([len(sample.frame), *map(len, frames)]).tolist()
    frame = pd.concat([sample.frame, *frames], ignore_index=True) if frames else sample.frame
    frame = frame.astype(dict.fromkeys(sample.strings, object))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            outputs = source.predict(frame)
        except Exception as error:
            raise SampleError(
                f"the model cannot predict the sample's rows: {first_line(error)}. Pass rows like the training "
                "data's, with the same types of values."
            ) from error
        first_rows = {(name, value is np.nan): row for (name, value), row in zip(cases, first, strict=False)}
        return Expected(frame, outputs, len(sample.frame), first_rows)


def measure_agreement(expected: Expected, runner: Runner, tolerance: Tolerance) -> Agreement:
    """How well the graph agrees over all rows."""
    return compare(expected.outputs, runner(expected.frame), tolerance)


def parity_error(
    expected: Expected, runner: Runner, agreement: Agreement, tolerance: Tolerance, cause: str = ""
) -> ParityError:
    """The error for a graph that does not agree, with its worst rows and the likely ``cause``, a sentence."""
    got = runner(expected.frame)
    lines = [
        f"the ONNX graph disagrees with the source model in {agreement.rows_out_of_tolerance} of {agreement.rows} "
        "rows, of the sample and with values missing or unseen: "
        f"{_equal_labels(expected, agreement, tolerance)}largest difference {agreement.max_abs_difference:.3g} "
        f"(atol {tolerance.atol:g}, rtol {tolerance.rtol:g})"
        f"{'' if agreement.cosine is None else f', least cosine {agreement.cosine:.6f}'}. "
        "Worst rows:"
    ]
    for row in agreement.worst_rows:
        values = {name: to_json_value(value) for name, value in expected.frame.iloc[row].items()}
        lines.append(f"  row {row}: {values}")
        for name, want in expected.outputs.items():
            lines.append(
                f"    {name}: expected {want[row : row + 1].tolist()[0]!r}, "
                f"got {got[name][row : row + 1].tolist()[0]!r}"
            )
    allowed = "--atol, --rtol or --labels" if "label" in expected.outputs else "--atol or --rtol"
    lines.append(f"{cause and cause + ' '}Replace the step that causes it, or allow more with {allowed}.")
    return ParityError("\n".join(lines), agreement)


def _equal_labels(expected: Expected, agreement: Agreement, tolerance: Tolerance) -> str:
    if "label" not in expected.outputs:
        return ""
    return f"labels equal in {agreement.labels_equal:.4%} (required: {tolerance.labels:.4%}), "


def _variants(features: tuple[Feature, ...]) -> list[tuple[str, object]]:
    variants: list[tuple[str, object]] = []
    for feature in features:
        if feature.missing == "accepted":
            variants.append((feature.name, np.nan))
        if feature.unseen == "accepted" and feature.categories is not None:
            variants.append((feature.name, UNSEEN_STRING if feature.dtype == "string" else UNSEEN_NUMBER))
    return variants


def _with_value(frame: pd.DataFrame, name: str, value: object) -> pd.DataFrame:
    rows = frame.head(_ROWS_PER_VARIANT).copy()
    kind = object if rows[name].dtype == object else np.float64
    rows[name] = pd.Series([value] * len(rows), dtype=kind)
    return rows
