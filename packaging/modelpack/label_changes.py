"""Which labels a smaller graph changes on labelled rows, in which direction, and how near the decision was."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.modelpack.holdout import is_right

#: Directions are as many as pairs of classes; the commonest are named.
_MOST_DIRECTIONS = 6


@dataclass(frozen=True, slots=True)
class Direction:
    """``rows`` whose label ``before`` became ``after``, and the range of the probability of ``after`` in them, or
    of the score; None where the model returns neither."""

    before: str
    after: str
    rows: int
    source: tuple[float, float] | None
    bundle: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """The changed labels of ``rows`` labelled rows: ``became_wrong`` and ``became_right`` of them, the others
    wrong before and after. ``moved`` holds the median and the largest change of their scores."""

    rows: int
    changed: int
    became_wrong: int
    became_right: int
    moved: tuple[float, float] | None
    directions: tuple[Direction, ...]

    def summary(self) -> str:
        """In one sentence."""
        if not self.changed:
            return f"no label of {self.rows} rows changed"
        moved = "" if self.moved is None else f"; their scores moved by {self.moved[0]:.2g} in the median, "
        most = "" if self.moved is None else f"{self.moved[1]:.2g} at most"
        return (
            f"{self.changed} of {self.rows} labels changed: {self.became_wrong} became wrong, "
            f"{self.became_right} right{moved}{most}"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "LabelChanges":
        """Read `to_json`'s data."""

        def pair(values: Any) -> tuple[float, float] | None:
            return None if values is None else (values[0], values[1])

        directions = tuple(
            Direction(item["before"], item["after"], item["rows"], pair(item["source"]), pair(item["bundle"]))
            for item in data["directions"]
        )
        return cls(**data | {"moved": pair(data["moved"]), "directions": directions})


def find_label_changes(
    truth: Any, source: Outputs, bundle: Outputs, classes: tuple[Any, ...] | None
) -> LabelChanges | None:
    """The changes from ``source`` to ``bundle``; None for models without one label a row."""
    if "label" not in source or source["label"].ndim != 1:
        return None
    before, after = source["label"], bundle["label"]
    changed = np.flatnonzero(before != after)
    was_right, is_right_now = is_right(truth, before)[changed], is_right(truth, after)[changed]
    pairs = [(str(a), str(b)) for a, b in zip(before[changed].tolist(), after[changed].tolist(), strict=True)]
    scores = None if not len(changed) else _scores(source, bundle, changed, classes)
    moved = None if scores is None else np.abs(scores[1] - scores[0])
    directions = [_direction(pair, pairs, scores) for pair in dict.fromkeys(pairs)]
    directions.sort(key=lambda direction: (-direction.rows, direction.before, direction.after))
    return LabelChanges(
        rows=len(before),
        changed=len(changed),
        became_wrong=int((was_right & ~is_right_now).sum()),
        became_right=int((~was_right & is_right_now).sum()),
        moved=None if moved is None else (float(np.median(moved)), float(moved.max())),
        directions=tuple(directions[:_MOST_DIRECTIONS]),
    )


def _direction(
    pair: tuple[str, str], pairs: list[tuple[str, str]], scores: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None
) -> Direction:
    own = np.array([other == pair for other in pairs])
    if scores is None:
        return Direction(*pair, int(own.sum()), None, None)
    source, bundle = ((float(values[own].min()), float(values[own].max())) for values in scores)
    return Direction(*pair, int(own.sum()), source, bundle)


def _scores(
    source: Outputs, bundle: Outputs, rows: npt.NDArray[Any], classes: tuple[Any, ...] | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    """[changed] of source and bundle: the probability of the bundle's label, or the score of a model with one."""
    if "probabilities" in source and classes is not None:
        columns = {str(label): column for column, label in enumerate(classes)}
        after = np.array([columns.get(str(label), -1) for label in bundle["label"][rows].tolist()])
        if (after < 0).any():
            return None
        a, b = (outputs["probabilities"][rows, after].astype(np.float64) for outputs in (source, bundle))
        return a, b
    if "scores" in source and source["scores"].reshape(len(source["scores"]), -1).shape[1] == 1:
        a, b = (outputs["scores"].reshape(-1)[rows].astype(np.float64) for outputs in (source, bundle))
        return a, b
    return None
