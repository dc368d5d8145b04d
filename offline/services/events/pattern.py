"""EventBridge's pattern language: checked when a rule is put, matched against each event.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any

from serinus.offline.core.errors import AwsError

Test = Callable[[Any], bool]
ABSENT = object()
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class Pattern:
    """A compiled pattern; raises InvalidEventPatternException if EventBridge rejects it."""

    def __init__(self, text: str) -> None:
        try:
            parsed = json.loads(text)
        except ValueError as error:
            raise invalid(f"Filter is not valid JSON: {error}") from error
        if not isinstance(parsed, dict) or not parsed:
            raise invalid("Filter is not an object, or is empty")
        self._matches = compile_object(parsed)

    def matches(self, event: dict[str, Any]) -> bool:
        return self._matches(event)


def invalid(reason: str) -> AwsError:
    return AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


def compile_object(pattern: dict[str, Any]) -> Test:
    tests: list[Test] = []
    for name, expected in pattern.items():
        if name == "$or" and isinstance(expected, list):
            tests.append(compile_or(expected))
        elif isinstance(expected, dict):
            tests.append(at(name, nested(compile_object(expected))))
        elif isinstance(expected, list):
            tests.append(at(name, compile_values(name, expected)))
        else:
            raise invalid(f'"{name}" must be an object or an array')
    return lambda event: all(test(event) for test in tests)


def compile_or(alternatives: list[Any]) -> Test:
    if len(alternatives) < 2 or not all(
        isinstance(alternative, dict) and alternative for alternative in alternatives
    ):
        raise invalid("$or needs an array of two or more objects")
    tests = [compile_object(alternative) for alternative in alternatives]
    return lambda event: any(test(event) for test in tests)


def at(name: str, test: Test) -> Test:
    return lambda event: test(event.get(name, ABSENT) if isinstance(event, dict) else ABSENT)


def nested(test: Test) -> Test:
    """An object's test, for an object, any object of an array, or an absent value."""

    def matches(value: Any) -> bool:
        if isinstance(value, list):
            return any(test(alternative) for alternative in value)
        return test(value if isinstance(value, dict) else {})

    return matches


def compile_values(name: str, expected: list[Any]) -> Test:
    if not expected:
        raise invalid(f'Empty arrays are not allowed (at "{name}")')
    tests = [
        compile_filter(alternative) if isinstance(alternative, dict) else equals(alternative)
        for alternative in expected
    ]
    return lambda value: any(test(value) for test in tests)


def any_of(test: Test) -> Test:
    """A test of one value, for a value or any element of an array."""
    return lambda value: any(test(alternative) for alternative in (value if isinstance(value, list) else [value]))


def equals(expected: Any) -> Test:
    if is_number(expected):
        return any_of(lambda value: is_number(value) and value == expected)
    return any_of(lambda value: type(value) is type(expected) and value == expected)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compile_filter(filter_: dict[str, Any]) -> Test:
    if len(filter_) != 1:
        raise invalid(f"Only one key allowed in match expression (got {sorted(filter_)})")
    name, argument = next(iter(filter_.items()))
    if name == "exists":
        return exists(argument)
    compiler = FILTERS.get(name)
    if compiler is None:
        raise invalid(f"Unrecognized match type {name}")
    return any_of(compiler(argument))


def exists(expected: Any) -> Test:
    if not isinstance(expected, bool):
        raise invalid("match type exists must be true or false")
    return lambda value: (value is not ABSENT and not isinstance(value, dict)) == expected


def on_text(argument: Any, kind: str, test: Callable[[str, str], bool]) -> Test:
    if isinstance(argument, dict) and set(argument) == {"equals-ignore-case"}:
        folded = str(argument["equals-ignore-case"]).lower()
        return lambda value: isinstance(value, str) and test(value.lower(), folded)
    if not isinstance(argument, str):
        raise invalid(f"{kind} match pattern must be a string")
    return lambda value: isinstance(value, str) and test(value, argument)


def wildcard(argument: Any) -> Test:
    if not isinstance(argument, str):
        raise invalid("wildcard match pattern must be a string")
    expression = re.compile(".*".join(re.escape(part) for part in argument.split("*")), re.DOTALL)
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def numeric(argument: Any) -> Test:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise invalid("numeric match must be an operator and a number, or two of each")
    bounds = list(zip(argument[::2], argument[1::2], strict=True))
    for operator, bound in bounds:
        if operator not in COMPARISONS or not is_number(bound):
            raise invalid(f"numeric match does not accept {operator} {bound}")
    return lambda value: is_number(value) and all(COMPARISONS[how](value, bound) for how, bound in bounds)


def cidr(argument: Any) -> Test:
    try:
        network = ipaddress.ip_network(argument, strict=False)
    except ValueError as error:
        raise invalid(f"malformed CIDR {argument}") from error

    def inside(value: Any) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return inside


def anything_but(argument: Any) -> Test:
    """Present, and not one of the values (or not of the form)."""
    if isinstance(argument, dict):
        if len(argument) != 1 or next(iter(argument)) not in ANYTHING_BUT:
            raise invalid(f"anything-but does not accept {argument}")
        kind, operand = next(iter(argument.items()))
        tests = [
            FILTERS[kind](alternative) for alternative in (operand if isinstance(operand, list) else [operand])
        ]
    else:
        tests = [equals(alternative) for alternative in (argument if isinstance(argument, list) else [argument])]
    return lambda value: value is not ABSENT and not any(test(value) for test in tests)


FILTERS: dict[str, Callable[[Any], Test]] = {
    "anything-but": anything_but,
    "cidr": cidr,
    "equals-ignore-case": lambda text: on_text(text, "equals-ignore-case", lambda a, b: a.lower() == b.lower()),
    "numeric": numeric,
    "prefix": lambda text: on_text(text, "prefix", str.startswith),
    "suffix": lambda text: on_text(text, "suffix", str.endswith),
    "wildcard": wildcard,
}
ANYTHING_BUT = frozenset({"equals-ignore-case", "prefix", "suffix", "wildcard"})
