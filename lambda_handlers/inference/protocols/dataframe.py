"""JSON tables as MLflow writes them, to rows for validation.

`dataframe_split` and `dataframe_records` are pandas' orientations; `instances` (rows) and `inputs` (columns, or
rows) are TensorFlow Serving's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.problems import Fault, echo, invalid_request
from serinus.lambda_handlers.inference.rules import Rule
from serinus.lambda_handlers.inference.validation_errors import parse

Rows = list[Any]


def read_frame(body: bytes, rules: Sequence[Rule]) -> Rows:
    """Rows, unchecked; raises `Refused` with status 400 or 422."""
    document = parse(body)
    names = [name for name in _READERS if isinstance(document, dict) and name in document]
    if len(names) != 1:
        raise _refuse(f"the body must be an object with one of {', '.join(_READERS)}", value=echo(document))
    name = names[0]
    for other, value in document.items():
        if other == "params" and not value:
            continue
        if other != name:
            rule = "this model accepts no params" if other == "params" else f"the body must hold only `{name}`"
            raise _refuse(rule, echo(other), echo(value))
    return _READERS[name](name, document[name], rules)


def _split(name: str, frame: Any, _rules: Sequence[Rule]) -> Rows:
    """{"columns": [...], "data": [[...]]}; an index is ignored."""
    members = frame if isinstance(frame, dict) else {}
    columns, data = members.get("columns"), members.get("data")
    is_frame = members.keys() <= {"columns", "data", "index"}
    if not is_frame or not isinstance(columns, list) or not _are_names(columns) or not isinstance(data, list):
        raise _refuse("must hold `columns` (names, each once) and `data` (rows)", name, echo(frame))
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise _refuse(f"a row must have {len(columns)} values, one for each column", name, echo(row), number)
    return [dict(zip(columns, row, strict=True)) for row in data]


def _records(name: str, frame: Any, _rules: Sequence[Rule]) -> Rows:
    if not isinstance(frame, list) or not all(isinstance(row, dict) for row in frame):
        raise _refuse("must be an array of objects by feature name", name, echo(frame))
    return frame


def _instances(name: str, frame: Any, rules: Sequence[Rule]) -> Rows:
    """Rows by name or in signature order; with a single feature, a row may be its bare value."""
    if not isinstance(frame, list):
        raise _refuse("must be an array of rows", name, echo(frame))
    if len(rules) == 1:
        return [row if isinstance(row, dict) or _is_row(row, rules[0]) else [row] for row in frame]
    return frame


def _inputs(name: str, frame: Any, rules: Sequence[Rule]) -> Rows:
    """Columns by feature name, all of one length; or rows."""
    if not isinstance(frame, dict):
        return _instances(name, frame, rules)
    if not frame or not all(isinstance(column, list) for column in frame.values()):
        raise _refuse("must be an object of columns, or an array of rows", name, echo(frame))
    if len({len(column) for column in frame.values()}) > 1:
        raise _refuse("must have columns of equal length", name, echo(frame))
    names = list(frame)
    return [dict(zip(names, row, strict=True)) for row in zip(*frame.values(), strict=True)]


_READERS: Mapping[str, Callable[[str, Any, Sequence[Rule]], Rows]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}


def _are_names(columns: list[Any]) -> bool:
    return all(isinstance(column, str) for column in columns) and len(set(columns)) == len(columns)


def _is_row(row: Any, rule: Rule) -> bool:
    """Whether an array is a row of one value, and not that value."""
    return isinstance(row, list) and (not rule.shape or (len(row) == 1 and rule.shape != (1,)))


def _refuse(rule: str, field: str | None = None, value: Any = None, row: int | None = None) -> Refused:
    return Refused(invalid_request((Fault(rule, row, field, value),), 0))
