"""Checks one value against one rule, and converts it to the tensor's type."""

import math
from collections.abc import Sequence
from typing import Any

from serinus.lambda_handlers.inference.rules import Rule

#: Categories that an error names before it only counts them.
_NAMED_CATEGORIES = 10


class RuleViolation(Exception):
    """The value violates ``rule``, a sentence's predicate."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def coerce(rule: Rule, value: Any) -> Any:
    """``value`` as the graph's tensor holds it (None where it may be missing); raises `RuleViolation`."""
    if value is None:
        if rule.optional:
            return None
        raise RuleViolation("may not be null")
    return _nested(rule, value, rule.shape) if rule.shape else _scalar(rule, value)


def _nested(rule: Rule, value: Any, shape: Sequence[int]) -> Any:
    if not shape:
        if value is None:
            raise RuleViolation("may not hold null")
        return _scalar(rule, value)
    if not isinstance(value, list) or len(value) != shape[0]:
        raise RuleViolation(f"must be nested arrays of shape {list(rule.shape)}")
    return [_nested(rule, item, shape[1:]) for item in value]


def _scalar(rule: Rule, value: Any) -> Any:
    match rule.kind:
        case "number":
            checked: Any = _number(rule, value)
        case "integer":
            checked = _integer(rule, value)
        case "boolean":
            checked = _boolean(value)
        case "string":
            checked = _string(value)
    if rule.allowed is not None and checked not in rule.allowed:
        raise RuleViolation(_allowed_values(rule.allowed))
    return checked


def _number(rule: Rule, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RuleViolation("must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not rule.low <= number <= rule.high:
        raise RuleViolation(f"must be a finite number from {rule.low:.8g} to {rule.high:.8g}")
    return number


def _integer(rule: Rule, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RuleViolation("must be an integer")
    if not rule.low <= value <= rule.high:
        raise RuleViolation(f"must be an integer from {int(rule.low)} to {int(rule.high)}")
    if value != int(value) or not int(rule.low) <= int(value) <= int(rule.high):
        raise RuleViolation("must be an integer")
    return int(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise RuleViolation("must be true or false")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise RuleViolation("must be a string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RuleViolation("must be valid Unicode, without lone surrogates") from error
    return value


def _allowed_values(allowed: Sequence[object]) -> str:
    named = ", ".join(repr(value) for value in allowed[:_NAMED_CATEGORIES])
    more = f" or one of {len(allowed) - _NAMED_CATEGORIES} others" if len(allowed) > _NAMED_CATEGORIES else ""
    return f"must be one of {named}{more}"
