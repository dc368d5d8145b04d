"""The fast way in: a decoder compiled from the rules, which parses and validates in one pass of C.

It says only yes or no. What it refuses goes to `diagnosis`, which accepts the few things that a typed
decoder cannot (3.0 for an integer, mixed rows) and otherwise finds every fault.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec

from lambda_handlers.inference.rules import FLOAT64_MAX, Rule

#: One row, values in signature order, None where missing.
Row = tuple[Any, ...]

_ROWS_OF_ARRAYS = re.compile(rb'\s*\{\s*"rows"\s*:\s*\[\s*\[').match


def compile_decoder(rules: Sequence[Rule]) -> Callable[[bytes], list[Row]] | None:
    """A function from body to rows that raises `msgspec.DecodeError`, `UnicodeDecodeError` or
    `RecursionError` for any other body than ``{"rows": [...]}`` with rows that keep ``rules``; None where a
    rule cannot be said in types."""
    if any(rule.allowed is not None and rule.kind in ("number", "boolean") for rule in rules):
        return None
    types = [_type(rule) for rule in rules]
    records = _body_decoder(_record(rules, types))
    arrays = _body_decoder(tuple[tuple(types)])  # type: ignore[misc]
    as_tuple = msgspec.structs.astuple

    def decode(body: bytes) -> list[Row]:
        if _ROWS_OF_ARRAYS(body):
            return arrays(body).rows  # type: ignore[no-any-return]
        return list(map(as_tuple, records(body).rows))

    return decode


def compile_converter(rules: Sequence[Rule]) -> Callable[[Sequence[Any]], list[Row]] | None:
    """As `compile_decoder`, for rows that are parsed already: values as JSON has them, no NaN. The function raises
    `msgspec.ValidationError`."""
    if any(rule.allowed is not None and rule.kind in ("number", "boolean") for rule in rules):
        return None
    types = [_type(rule, may_overflow=True) for rule in rules]
    records, arrays = list[_record(rules, types)], list[tuple[tuple(types)]]  # type: ignore[misc]
    as_tuple = msgspec.structs.astuple

    def convert(rows: Sequence[Any]) -> list[Row]:
        if rows and not isinstance(rows[0], dict):
            return msgspec.convert(rows, arrays)  # type: ignore[no-any-return]
        return list(map(as_tuple, msgspec.convert(rows, records)))

    return convert


def _record(rules: Sequence[Rule], types: Sequence[Any]) -> Any:
    return msgspec.defstruct(
        "Record",
        [_record_field(number, rule, kind) for number, (rule, kind) in enumerate(zip(rules, types, strict=True))],
        forbid_unknown_fields=True,
        kw_only=True,  # lets an optional field come before a required one
        gc=False,
    )


def _body_decoder(row: Any) -> Callable[[bytes], Any]:
    body = msgspec.defstruct("Body", [("rows", list[row])], forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(body).decode


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
            # JSON has no way to write more than a double holds: the decoder itself refuses it.
            if rule.high == FLOAT64_MAX and not may_overflow:
                return float
            return Annotated[float, msgspec.Meta(ge=rule.low, le=rule.high)]
