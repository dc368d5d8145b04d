"""The precise decoder: every fault of a body, by row, field, value and rule.

Runs only for bodies that the fast decoder rejected, so it may take its time. If names repeat in one object, the
last one wins, as in the fast decoder.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import msgspec

from serinus.lambda_handlers.inference.coerce import RuleViolation, coerce
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.fast_decoder import Row
from serinus.lambda_handlers.inference.limits import LISTED_ERRORS
from serinus.lambda_handlers.inference.problems import Fault, echo, invalid_request, malformed_body, too_many_rows
from serinus.lambda_handlers.inference.rules import Rule

#: Longer integers are beyond every number type; Python does not parse much longer ones.
_LONGEST_INTEGER = 400

#: Deeper bodies are rejected here, at one depth for all: parsers fail at a depth that depends on their caller's.
MOST_NESTED = 200
_TOO_DEEP = f"Arrays or objects are nested deeper than {MOST_NESTED} levels; rows never are."
_BRACKETS = re.compile(rb"[\[\]{}]")
_BRACKETS_AND_STRINGS = re.compile(rb'[\[\]{}]|"(?:[^"\\]|\\.)*"')


class Faults:
    """Collects faults; keeps the first, counts the rest."""

    def __init__(self) -> None:
        self.listed: list[Fault] = []
        self.omitted = 0

    def add(self, fault: Fault) -> None:
        if len(self.listed) < LISTED_ERRORS:
            self.listed.append(fault)
        else:
            self.omitted += 1

    def raise_if_any(self) -> None:
        """Raises `Refused` (422) with the collected faults, if there are any."""
        if self.listed:
            raise Refused(invalid_request(tuple(self.listed), self.omitted))


def diagnose(body: bytes, rules: Sequence[Rule], max_rows: int) -> list[Row]:
    """The rows of ``body`` in signature order; raises `Refused` with status 400 (not JSON), 413 (too many
    rows) or 422 (JSON that does not fit)."""
    faults = Faults()
    _refuse_deep(body)
    rows = _rows(_parse(body), faults)
    faults.raise_if_any()
    return check_rows(rows, rules, max_rows)


def check_rows(rows: Sequence[Any], rules: Sequence[Rule], max_rows: int) -> list[Row]:
    """Parsed ``rows`` in signature order; raises `Refused` with status 413 or 422."""
    faults = Faults()
    if not rows:
        faults.add(Fault("a request must hold at least one row"))
        faults.raise_if_any()
    if len(rows) > max_rows:
        raise Refused(too_many_rows(len(rows), max_rows))
    checker = _RowChecker(rules, faults)
    values = [checker.check(number, row) for number, row in enumerate(rows)]
    faults.raise_if_any()
    return values


def parse(body: bytes) -> Any:
    """Any JSON document, all of whose strings are valid Unicode; raises `Refused` with status 400 or 422."""
    _refuse_deep(body)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = _parse(body)
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        fault = Fault("strings must be valid Unicode, without lone surrogates")
        raise Refused(invalid_request((fault,), 0)) from error
    except RecursionError as error:
        raise Refused(malformed_body(_TOO_DEEP)) from error
    return document


def _refuse_deep(body: bytes) -> None:
    """Raise `Refused` with status 400 for a body nested deeper than `MOST_NESTED`."""
    # Brackets in strings mislead the quick count; a body that seems deep is counted again without strings.
    if _is_deep(_BRACKETS, body) and _is_deep(_BRACKETS_AND_STRINGS, body):
        raise Refused(malformed_body(_TOO_DEEP))


def _is_deep(tokens: "re.Pattern[bytes]", body: bytes) -> bool:
    depth = 0
    for token in tokens.finditer(body):
        if token[0] in b"[{":
            depth += 1
            if depth > MOST_NESTED:
                return True
        elif token[0] in b"]}":
            depth -= 1
    return False


def _parse(body: bytes) -> Any:
    if not body or body.isspace():
        raise Refused(malformed_body("The body is empty; GET /model shows what this model takes."))
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise Refused(malformed_body(f"Byte {error.start} is not valid UTF-8.")) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refused(malformed_body(f"{error.msg} at {where}.")) from error
    except RecursionError as error:
        raise Refused(malformed_body(_TOO_DEEP)) from error


def _refuse_constant(literal: str) -> NoReturn:
    raise Refused(malformed_body(f"{literal} is not JSON; send null where a value is missing."))


def _integer(text: str) -> int | float:
    if len(text) <= _LONGEST_INTEGER:
        return int(text)
    return -math.inf if text.startswith("-") else math.inf


def _rows(document: Any, faults: Faults) -> list[Any]:
    if not isinstance(document, dict):
        faults.add(Fault('the body must be an object: {"rows": [...]}', value=echo(document)))
        return []
    for name in document:
        if name != "rows":
            faults.add(Fault("the body must hold only `rows`", field=echo(name), value=echo(document[name])))
    if "rows" not in document:
        faults.add(Fault("the body must hold `rows`", field="rows"))
        return []
    rows = document["rows"]
    if not isinstance(rows, list) or not rows:
        faults.add(Fault("`rows` must be an array of at least one row", field="rows", value=echo(rows)))
        return []
    return rows


class _RowChecker:
    def __init__(self, rules: Sequence[Rule], faults: Faults) -> None:
        self._rules = rules
        self._names = {rule.name for rule in rules}
        self._faults = faults

    def check(self, number: int, row: Any) -> Row:
        """The row's values in signature order; errors are added to the faults."""
        match row:
            case dict():
                self._refuse_extra(number, row)
                return tuple(self._by_name(number, row))
            case list() | tuple() if len(row) == len(self._rules):
                return tuple(self._value(number, rule, row[i]) for i, rule in enumerate(self._rules))
            case list() | tuple():
                rule = f"a row must have {len(self._rules)} values, in signature order"
            case _:
                rule = "a row must be an object by feature name, or an array in signature order"
        self._faults.add(Fault(rule, row=number, value=echo(row)))
        return ()

    def _by_name(self, number: int, row: dict[str, Any]) -> Iterator[Any]:
        for rule in self._rules:
            if rule.name in row:
                yield self._value(number, rule, row[rule.name])
            else:
                if not rule.optional:
                    self._faults.add(Fault("is required", row=number, field=rule.name))
                yield None

    def _refuse_extra(self, number: int, row: dict[str, Any]) -> None:
        for name in row:
            if name not in self._names:
                fault = Fault(
                    "is not a feature of this model", row=number, field=echo(name), value=echo(row[name])
                )
                self._faults.add(fault)

    def _value(self, number: int, rule: Rule, value: Any) -> Any:
        try:
            return coerce(rule, value)
        except RuleViolation as violation:
            self._faults.add(Fault(violation.rule, row=number, field=rule.name, value=echo(value)))
            return None
