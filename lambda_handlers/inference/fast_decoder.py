"""The fast decoder: compiled from the rules, it parses and validates in one pass of C.

It only accepts or rejects. Bodies that it rejects go to `validation_errors`, which accepts the few values that a
typed decoder cannot (3.0 for an integer) and otherwise finds every fault.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec

from serinus.lambda_handlers.inference.rules import FLOAT64_MAX, Rule

_as_tuple = msgspec.structs.astuple
_ESCAPED = re.compile(r'["\\\x00-\x1f]')

#: One row, values in signature order, None where missing.
Row = tuple[Any, ...]


def compile_decoder(rules: Sequence[Rule]) -> Callable[[bytes], list[Row]] | None:
    """A function from body to rows that raises `msgspec.DecodeError`, `UnicodeDecodeError` or
    `RecursionError` for any other body than ``{"rows": [...]}`` with rows that follow ``rules``; None if a rule
    cannot be expressed in types."""
    if not _has_types(rules):
        return None
    body: Any = msgspec.defstruct("Body", [("rows", _rows_type(rules))], forbid_unknown_fields=True, gc=False)
    read = msgspec.json.Decoder(body).decode
    return lambda body: _as_tuples(read(body).rows)


def compile_converter(rules: Sequence[Rule]) -> Callable[[Sequence[Any]], list[Row]] | None:
    """As `compile_decoder`, for rows that are parsed already: values as JSON has them, no NaN. The function raises
    `msgspec.ValidationError`."""
    if not _has_types(rules):
        return None
    rows_type = _rows_type(rules, may_overflow=True)
    return lambda rows: _as_tuples(msgspec.convert(rows, rows_type))


def _has_types(rules: Sequence[Rule]) -> bool:
    """Whether types can express the rules: msgspec takes no values of numbers and booleans, and no names that JSON
    must escape."""
    return not any(
        (rule.allowed is not None and rule.kind in ("number", "boolean")) or _ESCAPED.search(rule.name)
        for rule in rules
    )


def _as_tuples(rows: Sequence[Any]) -> list[Row]:
    return [row if type(row) is tuple else _as_tuple(row) for row in rows]


def _rows_type(rules: Sequence[Rule], *, may_overflow: bool = False) -> Any:
    """Each row is an object or an array."""
    types = [_type(rule, may_overflow=may_overflow) for rule in rules]
    record = msgspec.defstruct(
        "Record",
        [_record_field(number, rule, kind) for number, (rule, kind) in enumerate(zip(rules, types, strict=True))],
        forbid_unknown_fields=True,
        kw_only=True,  # lets an optional field come before a required one
        gc=False,
    )
    return list[record | tuple[tuple(types)]]  # type: ignore[misc]


def _record_field(number: int, rule: Rule, kind: Any) -> tuple[str, Any, Any]:
    """Attributes are numbered, for a feature's name need not be an identifier."""
    if rule.optional:
        return f"f{number}", kind, msgspec.field(name=rule.name, default=None)
    return f"f{number}", kind, msgspec.field(name=rule.name)


def _type(rule: Rule, *, may_overflow: bool = False) -> Any:
    kind: Any = _scalar(rule, may_overflow=may_overflow)
    for length in reversed(rule.shape):
        kind = Annotated[list[kind], msgspec.Meta(min_length=length, max_length=length)]
    return kind | None if rule.optional else kind


def _scalar(rule: Rule, *, may_overflow: bool) -> Any:
    if rule.allowed is not None:
        return Literal[rule.allowed]
    match rule.kind:
        case "boolean":
            return bool
        case "string":
            return str
        case "integer":
            return Annotated[int, msgspec.Meta(ge=int(rule.low), le=int(rule.high))]
        case "number":
            # The decoder itself rejects numbers beyond a double.
            if (rule.low, rule.high) == (-FLOAT64_MAX, FLOAT64_MAX) and not may_overflow:
                return float
            return Annotated[float, msgspec.Meta(ge=rule.low, le=rule.high)]
