"""CSV (RFC 4180) to rows for validation.

The first line is a header if all its cells are names of features, or if the content type contains
`header=present`; else each line holds the values in signature order. CSV has no types: a cell is read as its
feature's type, or stays text, which validation rejects. An empty cell is a missing value; so is NaN for a number.
An array feature's cell is a JSON array.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.limits import LISTED_ERRORS
from serinus.lambda_handlers.inference.problems import Fault, echo, invalid_request, malformed_body, too_many_rows
from serinus.lambda_handlers.inference.rules import Rule

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


def read_table(body: bytes, content_type: str, rules: Sequence[Rule], max_rows: int) -> list[list[Any]]:
    """Rows in signature order, unchecked, None where missing; raises `Refused` with status 400, 413 or 422."""
    lines = _lines(body)
    ordered = list(rules)
    if lines and _has_header(lines[0], content_type, rules):
        ordered = _columns(lines.pop(0), rules)
    if len(lines) > max_rows:
        raise Refused(too_many_rows(len(lines), max_rows))
    for number, line in enumerate(lines):
        if len(line) != len(ordered):
            fault = Fault(f"a line must have {len(ordered)} cells", row=number, value=f"{len(line)} cells")
            raise Refused(invalid_request((fault,), 0))
    return _in_signature_order(
        [[_value(*pair) for pair in zip(ordered, line, strict=True)] for line in lines], ordered, rules
    )


def _lines(body: bytes) -> list[list[str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(malformed_body(f"Byte {error.start} is not valid UTF-8.")) from error
    try:
        return [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise Refused(malformed_body(f"The body is not CSV: {error}.")) from error


def _has_header(line: Sequence[str], content_type: str, rules: Sequence[Rule]) -> bool:
    parameters = content_type.lower().replace(" ", "").split(";")[1:]
    if "header=present" in parameters or "header=absent" in parameters:
        return "header=present" in parameters
    return {rule.name for rule in rules}.issuperset(line)


def _columns(header: Sequence[str], rules: Sequence[Rule]) -> list[Rule]:
    by_name = {rule.name: rule for rule in rules}
    faults = [Fault("is not a feature of this model", field=echo(name)) for name in header if name not in by_name]
    faults += [Fault("appears twice", field=echo(name)) for name in sorted(set(header)) if header.count(name) > 1]
    missing = [rule.name for rule in rules if rule.name not in header and not rule.optional]
    faults += [Fault("is required", field=name) for name in missing]
    if faults:
        raise Refused(invalid_request(tuple(faults[:LISTED_ERRORS]), max(0, len(faults) - LISTED_ERRORS)))
    return [by_name[name] for name in header]


def _in_signature_order(lines: list[list[Any]], ordered: Sequence[Rule], rules: Sequence[Rule]) -> list[list[Any]]:
    if list(ordered) == list(rules):
        return lines
    indices = {rule.name: index for index, rule in enumerate(ordered)}
    columns = [indices.get(rule.name) for rule in rules]
    return [[None if column is None else line[column] for column in columns] for line in lines]


def _value(rule: Rule, cell: str) -> Any:
    if not cell and (rule.optional or rule.kind != "string"):
        return None
    if rule.shape:
        return _array(cell)
    match rule.kind:
        case "number":
            if cell.lower() == "nan":
                return None
            return float(cell) if _NUMBER.fullmatch(cell) else cell
        case "integer":
            if _INTEGER.fullmatch(cell):
                return int(cell)
            return float(cell) if _NUMBER.fullmatch(cell) else cell
        case "boolean":
            return _BOOLEANS.get(cell.lower(), cell)
    return cell


def _array(cell: str) -> Any:
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return cell
