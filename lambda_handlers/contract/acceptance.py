"""A user's acceptance test: requests, and what their answers must be. Checked at packaging and before traffic.

Requirements are on outputs, row by row or between rows, so that one rule judges a graph at packaging and a
deployed version alike. Standard library only; outputs are arrays, or anything indexed like them.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

#: "label" and "range" judge each row; the others compare neighbouring rows.
Kind = Literal["label", "range", "increasing", "decreasing", "same"]


class Requirement(NamedTuple):
    """``name`` says what is required, for people. ``rows`` are indices. ``output`` and ``column`` name the number
    that is judged (column None: the output is one number a row); "label" judges the predicted label, and "same"
    all outputs. ``expected`` is a label; ``least`` and ``most`` bound a number; numbers may miss by ``atol`` and
    by the share ``rtol``."""

    name: str
    kind: Kind
    rows: tuple[int, ...]
    output: str = ""
    column: int | None = None
    expected: Any = None
    least: float | None = None
    most: float | None = None
    atol: float = 0.0
    rtol: float = 0.0


class Acceptance(NamedTuple):
    """``rows`` as a request holds them, and what is required of their answers."""

    rows: tuple[dict[str, Any], ...]
    requirements: tuple[Requirement, ...]

    def to_json(self) -> dict[str, Any]:
        return {"rows": list(self.rows), "requirements": [item._asdict() for item in self.requirements]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Acceptance":
        """Read `to_json`'s data."""
        read = (Requirement(**item | {"rows": tuple(item["rows"])}) for item in data["requirements"])
        return cls(tuple(data["rows"]), tuple(read))


def find_violations(requirements: tuple[Requirement, ...], outputs: Mapping[str, Any]) -> list[str]:
    """What is not as required, a sentence each; ``outputs`` by name, one entry a row."""
    return [sentence for item in requirements for sentence in _violations(item, outputs)]


def _violations(item: Requirement, outputs: Mapping[str, Any]) -> Iterator[str]:
    if item.kind == "label":
        for row in item.rows:
            label = outputs["label"][row]
            if not same_label(label, item.expected):
                yield f"{item.name}: the label is {plain(label)!r}, and {item.expected!r} is required"
        return
    if item.kind == "range":
        for row in item.rows:
            value = _number(item, outputs, row)
            slack = item.atol + item.rtol * abs(value)
            low, high = _or(item.least, -math.inf), _or(item.most, math.inf)
            if not low - slack <= value <= high + slack:
                yield f"{item.name}: it is {value:.6g}, and {_bounds(item)} is required"
        return
    for before, after in zip(item.rows, item.rows[1:], strict=False):
        sentence = (
            _unlike(item, outputs, before, after) if item.kind == "same" else _step(item, outputs, before, after)
        )
        if sentence:
            yield f"{item.name}: {sentence}"
            return  # the first says enough of one row


def _step(item: Requirement, outputs: Mapping[str, Any], before: int, after: int) -> str:
    first, second = _number(item, outputs, before), _number(item, outputs, after)
    rise = second - first if item.kind == "increasing" else first - second
    if rise >= -(item.atol + item.rtol * abs(first)):
        return ""
    moved = "falls" if second < first else "rises" if second > first else "is not a number"
    return f"the prediction {moved} from {first:.6g} to {second:.6g}, and {item.kind} is required"


def _unlike(item: Requirement, outputs: Mapping[str, Any], before: int, after: int) -> str:
    for name, values in outputs.items():
        for first, second in zip(_flat(values[before]), _flat(values[after]), strict=True):
            if isinstance(first, float) and isinstance(second, float):
                same = abs(first - second) <= item.atol + item.rtol * abs(first) or (
                    first != first and second != second
                )
            else:
                same = first == second
            if not same:
                shown = [f"{value:.6g}" if isinstance(value, float) else repr(value) for value in (first, second)]
                return f"{name} changes from {shown[0]} to {shown[1]}, and the same is required"
    return ""


def _number(item: Requirement, outputs: Mapping[str, Any], row: int) -> float:
    value = outputs[item.output][row]
    return float(value if item.column is None else value[item.column])


def _bounds(item: Requirement) -> str:
    if item.least is not None and item.most is not None:
        return f"{item.least:g} to {item.most:g}"
    return f"at least {item.least:g}" if item.least is not None else f"at most {item.most:g}"


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _flat(value: Any) -> list[Any]:
    """The numbers or labels of one row, in order."""
    value = plain(value)
    return [item for part in value for item in _flat(part)] if isinstance(value, list) else [value]


def plain(value: Any) -> Any:
    """An array's element, or row, as Python's own type."""
    return value.tolist() if hasattr(value, "tolist") else value


def same_label(label: Any, expected: Any) -> bool:
    """Whether two labels are the same, however a table writes them: 1, 1.0, True and "1"."""
    return _written(label) == _written(expected)


def _written(label: Any) -> str:
    label = plain(label)
    if isinstance(label, bool | int | float) and float(label).is_integer():
        return str(int(label))
    return str(label)
