"""Filter patterns of subscription filters: the empty one, and equalities in JSON log events.

    { $.level = "error" }    { ($.a.b = 1 || $.tags[0] = x) && $.kind = "y z" }

A number is compared with numbers only and a string with strings only; the page says that items must match exactly.
Patterns of terms and of space-delimited fields, other operators, wildcards and regular expressions are rejected by
name.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled

#: Whether a log event's message matches.
LinePattern = Callable[[str], bool]
#: Whether a message's JSON matches.
Condition = Callable[[Any], bool]

PROPERTY = r"[A-Za-z0-9_-]+"
TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<joint>&&|\|\||[()])"
    rf"|(?P<selector>\$(?:\.{PROPERTY}(?:\[\d+\])*)+)"
    r"|(?P<operator>!=|<=|>=|=|<|>)"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w*.-]))"
    r"|(?P<word>[A-Za-z0-9]+(?![\w*.:/@-]))"
    r")"
)
STEP = re.compile(rf"\.({PROPERTY})|\[(\d+)\]")
#: What AWS accepts and this cloud does not, by what the rest of a pattern begins with.
UNMODELLED = (
    (re.compile(r"%"), "regular expressions"),
    (re.compile(r"\$[^.]|\$\.\*"), "this selector"),
    (re.compile(r"(IS|NOT|EXISTS)\b", re.IGNORECASE), "IS and NOT EXISTS"),
    (re.compile(r"[\w*.:/@-]*\*"), "wildcards"),
)
MISSING = object()


@functools.lru_cache(maxsize=256)
def parse(text: str) -> LinePattern:
    """The pattern of ``text``; raises `AwsError` for a malformed one, `NotModelled` for any other of AWS's."""
    stripped = text.strip()
    if not stripped:
        return lambda _message: True
    if not stripped.startswith("{"):
        raise unmodelled("terms and space-delimited fields", text)
    if not stripped.endswith("}"):
        raise invalid(text)
    condition = _Parser(stripped[1:-1], text).whole()

    def matches(message: str) -> bool:
        if not message.lstrip().startswith("{"):
            return False
        try:
            return condition(json.loads(message))
        except (ValueError, RecursionError):
            return False

    return matches


class _Parser:
    """A recursive descent: parentheses before ``&&`` before ``||``."""

    def __init__(self, body: str, text: str) -> None:
        self._body = body.rstrip()
        self._text = text
        self._at = 0

    def whole(self) -> Condition:
        condition = self._any()
        if self._at < len(self._body):
            raise self._refusal()
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._take("joint", "||"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda document: any(part(document) for part in parts)

    def _all(self) -> Condition:
        parts = [self._term()]
        while self._take("joint", "&&"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda document: all(part(document) for part in parts)

    def _term(self) -> Condition:
        if self._take("joint", "("):
            condition = self._any()
            if not self._take("joint", ")"):
                raise self._refusal()
            return condition
        selector, operator = self._take("selector"), self._take("operator")
        if selector is None or operator is None:
            raise self._refusal()
        if operator != "=":
            raise unmodelled(f"the operator {operator}", self._text)
        return self._equality(selector)

    def _equality(self, selector: str) -> Condition:
        steps = _steps(selector)
        number = self._take("number")
        if number is not None:
            value = float(number)
            return lambda document: _equals_number(_select(document, steps), value)
        quoted = self._take("quoted")
        word = self._take("word") if quoted is None else re.sub(r"\\(.)", r"\1", quoted[1:-1])
        if word is None:
            raise self._refusal()
        if quoted is not None and "*" in word:
            raise unmodelled("wildcards", self._text)
        return lambda document: _select(document, steps) == word

    def _take(self, kind: str, value: str | None = None) -> str | None:
        match = TOKEN.match(self._body, self._at)
        if match is None or match[kind] is None or (value is not None and match[kind] != value):
            return None
        self._at = match.end()
        return match[kind]

    def _refusal(self) -> AwsError:
        rest = self._body[self._at :].lstrip()
        for sign, what in UNMODELLED:
            if sign.match(rest):
                return unmodelled(what, self._text)
        return invalid(self._text)


def _steps(selector: str) -> list[str | int]:
    return [match[1] if match[1] is not None else int(match[2]) for match in STEP.finditer(selector)]


def _select(document: Any, steps: list[str | int]) -> Any:
    for step in steps:
        if isinstance(step, str):
            document = document.get(step, MISSING) if isinstance(document, dict) else MISSING
        else:
            is_there = isinstance(document, list) and step < len(document)
            document = document[step] if is_there else MISSING
    return document


def _equals_number(value: Any, number: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == number


def invalid(text: str) -> AwsError:
    return AwsError("InvalidParameterException", f"Invalid filter pattern: {text}")


def unmodelled(what: str, text: str) -> NotModelled:
    return NotModelled(
        f"logs: {what} in the filter pattern {text}", "Use equalities in JSON, joined by && and ||, or no pattern."
    )
