"""A packaged model's answers beside its source's: where they differ, and which rows are at a threshold."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.columns import FIELDS, OTHERS
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.modelpack.robustness.ranges import agree_by_row
from serinus.modelpack.robustness.source_oracle import select_rows

#: Times that the numbers of a row are moved, and by how much of themselves at most.
_DRAWS, _MOVE = 40, 1e-13

Predict = Callable[[pd.DataFrame], Outputs]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference in words, and the ``rows`` that differ; none where the shape does."""

    text: str
    rows: tuple[int, ...] = ()


def compare(
    expected: Outputs, answer: dict[str, Any], tolerance: Tolerance, *, is_sample: bool
) -> Iterator[Difference]:
    """How the endpoint's ``answer`` differs from the source's ``expected`` outputs."""
    where = "other rows" if is_sample else "a hard row"
    shares = expected.get("probabilities")
    returned = outputs_of(answer, expected)
    for name, values in expected.items():
        ours = returned[name]
        if ours.shape != values.shape:
            yield Difference(f"{name} has shape {ours.shape} in {where}, not {values.shape}")
        elif values.dtype.kind in "OUib":
            differ = ours.astype(str) != values.astype(str)
            if shares is not None and differ.ndim == 1 and differ.any():
                # Probabilities that are equal within the tolerance may come in either order.
                ordered = np.sort(shares, axis=1)
                differ &= ordered[:, -1] - ordered[:, -2] > 2 * tolerance.atol
            if differ.any():
                yield Difference(f"{int(differ.sum())} of {name} in {where}", _rows(differ))
        else:
            apart = np.abs(ours.astype(float) - values)
            differ = ~(
                apart <= tolerance.atol + tolerance.rtol * np.maximum(np.abs(values), np.abs(values).mean())
            )
            if differ.any():
                worst = np.unravel_index(int(np.argmax(np.where(differ, apart, 0.0))), apart.shape)
                text = f"{int(differ.sum())} of {name} in {where}: {ours[worst]!r} for {values[worst]!r}"
                yield Difference(text, _rows(differ))


def _rows(differ: Any) -> tuple[int, ...]:
    return tuple(np.flatnonzero(differ.reshape(len(differ), -1).any(axis=1)).tolist())


def outputs_of(answer: dict[str, Any], expected: Outputs) -> Outputs:
    """The outputs of a response, of the names and kinds of ``expected``."""
    outputs = {}
    for name, values in expected.items():
        field = FIELDS.get(name, name)
        returned = answer[field] if field in answer else answer[OTHERS][name]
        outputs[name] = np.asarray(returned, dtype=object if values.dtype.kind in "OUb" else None)
    return outputs


def is_at_threshold(predict: Predict, rows: pd.DataFrame, own: Outputs, tolerance: Tolerance) -> bool:
    """Whether the source ``predict``s ``own`` outputs for each of ``rows`` where their numbers are moved by
    1e-13 of themselves at most. No rows are at none."""
    random = np.random.default_rng(0)
    numbers = [name for name in rows.columns if rows[name].dtype.kind == "f"]
    waiting = set(range(len(rows)))
    for _ in range(_DRAWS if waiting and numbers else 0):
        moved = rows.copy()
        moved[numbers] *= 1.0 + random.uniform(-_MOVE, _MOVE, (len(rows), len(numbers)))
        outputs = predict(moved)
        for row in list(waiting):
            one = {name: values[[row]] for name, values in outputs.items()}
            if agree_by_row(one, select_rows(own, [row]), tolerance)[0]:
                waiting.remove(row)
        if not waiting:
            return True
    return False


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of ``table`` as a request's."""
    return [
        {name: _plain(value) for name, value in zip(table.columns, row, strict=True)}
        for row in table.itertuples(index=False)
    ]


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def score(scorer: Scorer, rows: list[dict[str, Any]]) -> tuple[int, Any]:
    """Status and body of the endpoint's answer to ``rows``."""
    answer = scorer.predict(json.dumps({"rows": rows}).encode(), None)
    return answer.status, json.loads(answer.body)
