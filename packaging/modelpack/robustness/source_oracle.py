"""What the source answers for rows that it may refuse: as few calls as the refusals allow."""

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
class Answers:
    """``outputs`` of the rows ``answered``, ascending; why each other row that was asked has none."""

    answered: npt.NDArray[np.int64]
    outputs: Outputs
    refused: dict[int, str] = field(default_factory=dict)


def ask(source: Source, frame: pd.DataFrame, groups: list[npt.NDArray[np.int64]], whole: set[int]) -> Answers:
    """The source's answers. Rows of a group (their numbers) are asked together; where a group in ``whole`` (its
    place) is refused, all of it counts as refused, others are halved until the row is found."""
    parts: list[tuple[npt.NDArray[np.int64], Outputs]] = []
    refused: dict[int, str] = {}

    def try_rows(rows: npt.NDArray[np.int64]) -> str | None:
        outputs = _predict(source, frame.iloc[rows].reset_index(drop=True))
        if isinstance(outputs, str):
            return outputs
        parts.append((rows, outputs))
        return None

    def try_group(rows: npt.NDArray[np.int64], together: bool) -> None:
        said = try_rows(rows)
        if said is None:
            return
        if together or len(rows) == 1:
            refused.update(dict.fromkeys(rows.tolist(), said))
            return
        try_group(rows[: len(rows) // 2], together)
        try_group(rows[len(rows) // 2 :], together)

    def try_groups(places: list[int]) -> None:
        if len(places) == 1:
            try_group(groups[places[0]], places[0] in whole)
        elif places and try_rows(np.concatenate([groups[place] for place in places])) is not None:
            try_groups(places[: len(places) // 2])
            try_groups(places[len(places) // 2 :])

    try_groups([place for place, rows in enumerate(groups) if len(rows)])
    return _joined(parts, refused)


def _joined(parts: list[tuple[npt.NDArray[np.int64], Outputs]], refused: dict[int, str]) -> Answers:
    if not parts:
        return Answers(np.array([], dtype=np.int64), {}, refused)
    rows = np.concatenate([part for part, _ in parts])
    order = np.argsort(rows, kind="stable")
    outputs = {name: np.concatenate([outputs[name] for _, outputs in parts])[order] for name in parts[0][1]}
    return Answers(rows[order], outputs, refused)


def _predict(source: Source, frame: pd.DataFrame) -> Outputs | str:
    """The outputs, or why there are none."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return source.predict(frame)
        except IsolationError:
            raise
        except Exception as error:  # noqa: BLE001 - any failure is the answer
            return first_line(error)


def are_finite(outputs: Outputs, rows: int) -> npt.NDArray[np.bool_]:
    """[rows]: whether all numbers of a row are finite."""
    found = np.ones(rows, dtype=bool)
    for values in outputs.values():
        if values.dtype.kind == "f":
            found &= np.isfinite(values).reshape(rows, -1).all(axis=1)
    return found


def pick(outputs: Outputs, rows: Any) -> Outputs:
    return {name: values[rows] for name, values in outputs.items()}
