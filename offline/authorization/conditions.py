"""Evaluates the conditions of a policy's statement for a call.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from serinus.offline.core.errors import NotModelled

#: A call's values by condition key, in lower case. A key that is missing here is missing on AWS as well.
Context = Mapping[str, Sequence[str]]
ConditionOperator = Callable[[str, str], bool]

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


@functools.lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """``text`` with the wildcards * (any characters) and ? (one)."""
    parts = ((".*" if c == "*" else "." if c == "?" else re.escape(c)) for c in text)
    return re.compile("".join(parts), re.DOTALL)


def like(expected: str, value: str) -> bool:
    return pattern(expected).fullmatch(value) is not None


def with_variables(text: str, context: Context) -> str:
    """Policy variables replaced by the call's values; an unknown variable stays, and so matches nothing."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in ("*", "?", "$"):
            return name
        known = context.get(name.lower())
        return known[0] if known else match[0]

    return _VARIABLE.sub(value, text) if "${" in text else text


def _number(compare: Callable[[float, float], bool]) -> ConditionOperator:
    return lambda expected, value: compare(float(value), float(expected))


def _date(compare: Callable[[float, float], bool]) -> ConditionOperator:
    return lambda expected, value: compare(_epoch_s(value), _epoch_s(expected))


def _epoch_s(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _in_network(expected: str, value: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(expected, strict=False)


def _same(expected: str, value: str) -> bool:
    return expected == value


def _same_in_any_case(expected: str, value: str) -> bool:
    return expected.lower() == value.lower()


#: Compares one value of the condition with one of the call's.
_POSITIVE: dict[str, ConditionOperator] = {
    "stringequals": _same,
    "stringequalsignorecase": _same_in_any_case,
    "stringlike": like,
    "arnequals": like,
    "arnlike": like,
    "bool": _same_in_any_case,
    "binaryequals": _same,
    "ipaddress": _in_network,
    "numericequals": _number(lambda value, expected: value == expected),
    "numericlessthan": _number(lambda value, expected: value < expected),
    "numericlessthanequals": _number(lambda value, expected: value <= expected),
    "numericgreaterthan": _number(lambda value, expected: value > expected),
    "numericgreaterthanequals": _number(lambda value, expected: value >= expected),
    "dateequals": _date(lambda value, expected: value == expected),
    "datelessthan": _date(lambda value, expected: value < expected),
    "datelessthanequals": _date(lambda value, expected: value <= expected),
    "dategreaterthan": _date(lambda value, expected: value > expected),
    "dategreaterthanequals": _date(lambda value, expected: value >= expected),
}
_NEGATIVE = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}


def conditions_hold(block: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all of a statement's conditions hold; raises `NotModelled` for an operator that is not IAM's."""
    return all(
        _holds(operator.lower(), key.lower(), listed(expected), context)
        for operator, keys in block.items()
        for key, expected in keys.items()
    )


def listed(value: Any) -> list[str]:
    """A policy's element, a string or a list of strings, as a list."""
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


def _holds(operator: str, key: str, expected: list[str], context: Context) -> bool:
    values = context.get(key)
    if operator == "null":
        return (values is None) == (expected[0].lower() == "true")
    every = operator.startswith("forallvalues:")
    some = operator.startswith("foranyvalue:")
    name = operator.split(":")[-1]
    optional = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    negative = name in _NEGATIVE
    matches = _POSITIVE.get(_NEGATIVE.get(name, name))
    if matches is None:
        raise NotModelled(f"the condition operator {operator}")
    if not values:
        return optional or every or (negative and not some)
    filled = [with_variables(text, context) for text in expected]
    results = [any(matches(text, value) for text in filled) is not negative for value in values]
    return any(results) if some else all(results)
