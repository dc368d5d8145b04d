"""The source's predictions for rows that it may refuse, in as few calls as the refusals allow."""

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.modelpack.errors import IsolationError, first_line
from serinus.modelpack.sources import Source


@dataclass(slots=True)
class SourceAnswers:
    """``outputs`` of the rows ``answered``, ascending; the reason why each other row has none."""

    answered: npt.NDArray[np.int64]
    outputs: Outputs
    refused: dict[int, str] = field(default_factory=dict)


def query_source(
    source: Source, frame: pd.DataFrame, groups: list[npt.NDArray[np.int64]], whole: set[int]
) -> SourceAnswers:
    """The source's predictions. The rows of a group (row numbers) are predicted together. When the source refuses
    a group whose index is in ``whole``, all its rows count as refused; other groups are halved until the row that
    it refuses is isolated."""
    parts: list[tuple[npt.NDArray[np.int64], Outputs]] = []
    refused: dict[int, str] = {}

    def try_rows(rows: npt.NDArray[np.int64]) -> str | None:
        outputs = _predict(source, frame.iloc[rows].reset_index(drop=True))
        if isinstance(outputs, str):
            return outputs
        parts.append((rows, outputs))
        return None

    def try_group(rows: npt.NDArray[np.int64], together: bool) -> None:
        reason = try_rows(rows)
        if reason is None:
            return
        if together or len(rows) == 1:
            refused.update(dict.fromkeys(rows.tolist(), reason))
            return
        try_group(rows[: len(rows) // 2], together)
        try_group(rows[len(rows) // 2 :], together)

    def try_groups(indices: list[int]) -> None:
        if len(indices) == 1:
            try_group(groups[indices[0]], indices[0] in whole)
        elif indices and try_rows(np.concatenate([groups[index] for index in indices])) is not None:
            try_groups(indices[: len(indices) // 2])
            try_groups(indices[len(indices) // 2 :])

    try_groups([index for index, rows in enumerate(groups) if len(rows)])
    return _join(parts, refused)


def _join(parts: list[tuple[npt.NDArray[np.int64], Outputs]], refused: dict[int, str]) -> SourceAnswers:
    if not parts:
        return SourceAnswers(np.array([], dtype=np.int64), {}, refused)
    rows = np.concatenate([part for part, _ in parts])
    order = np.argsort(rows, kind="stable")
    outputs = {name: np.concatenate([outputs[name] for _, outputs in parts])[order] for name in parts[0][1]}
    return SourceAnswers(rows[order], outputs, refused)


def _predict(source: Source, frame: pd.DataFrame) -> Outputs | str:
    """The outputs, or why there are none."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return source.predict(frame)
        except IsolationError:
            raise
        except Exception as error:  # noqa: BLE001 - any failure is the source's refusal
            return first_line(error)


def are_finite(outputs: Outputs, rows: int) -> npt.NDArray[np.bool_]:
    """[rows]: whether all numbers of a row are finite."""
    finite = np.ones(rows, dtype=bool)
    for values in outputs.values():
        if values.dtype.kind == "f":
            finite &= np.isfinite(values).reshape(rows, -1).all(axis=1)
    return finite


def select_rows(outputs: Outputs, rows: Any) -> Outputs:
    """The outputs of ``rows`` alone."""
    return {name: values[rows] for name, values in outputs.items()}
