"""Parses a composite alarm's rule: ALARM("a") AND (OK(b) OR NOT INSUFFICIENT_DATA("c")), TRUE, FALSE.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""\s*(?:
        (?P<word>AND|OR|NOT|TRUE|FALSE)(?![\w-])
      | (?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^()"\s]+))\s*\)
      | (?P<bracket>[()])
    )""",
    re.VERBOSE | re.IGNORECASE,
)

MAX_CHARACTERS = 10_240
MAX_ALARMS = 100

StateOf = Callable[[str], str]


class InvalidRule(ValueError):
    """A rule that does not parse; the message gives the position."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """A parsed rule: the alarms it names, and a function of their states that evaluates it."""

    alarms: tuple[str, ...]
    holds: Callable[[StateOf], bool]


def parse_rule(text: str) -> AlarmRule:
    """The rule in ``text``; alarms are named as written, by name or ARN. Raises `InvalidRule`."""
    if not 1 <= len(text) <= MAX_CHARACTERS:
        raise InvalidRule(f"it has {len(text)} characters; it must have 1 to {MAX_CHARACTERS}")
    parser = _AlarmRuleParser(list(_tokens(text)))
    holds = parser.either()
    if parser.rest:
        raise InvalidRule(f"unexpected {parser.rest[0][1]!r}")
    alarms = tuple(dict.fromkeys(parser.alarms))
    if len(alarms) > MAX_ALARMS:
        raise InvalidRule(f"it names {len(alarms)} alarms; at most {MAX_ALARMS} are allowed")
    return AlarmRule(alarms, holds)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text): a word, a bracket, or a state with its alarm."""
    offset = 0
    text = text.rstrip()
    while offset < len(text):
        match = TOKEN.match(text, offset)
        if match is None:
            raise InvalidRule(f"cannot parse {text[offset:].strip()[:40]!r} at character {offset}")
        if match["state"]:
            alarm = match["bare"] if match["bare"] is not None else re.sub(r"\\(.)", r"\1", match["quoted"])
            yield match["state"].upper(), alarm
        else:
            token = (match["word"] or match["bracket"]).upper()
            yield token, token
        offset = match.end()


class _AlarmRuleParser:
    """Recursive descent; NOT binds tighter than AND, AND tighter than OR."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.rest = tokens
        self.alarms: list[str] = []

    def either(self) -> Callable[[StateOf], bool]:
        sides = [self.both()]
        while self._take("OR"):
            sides.append(self.both())
        return sides[0] if len(sides) == 1 else lambda state_of: any(side(state_of) for side in sides)

    def both(self) -> Callable[[StateOf], bool]:
        sides = [self.parse_term()]
        while self._take("AND"):
            sides.append(self.parse_term())
        return sides[0] if len(sides) == 1 else lambda state_of: all(side(state_of) for side in sides)

    def parse_term(self) -> Callable[[StateOf], bool]:
        if self._take("NOT"):
            inner = self.parse_term()
            return lambda state_of: not inner(state_of)
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise InvalidRule("a closing bracket is missing")
            return inner
        return self._term()

    def _term(self) -> Callable[[StateOf], bool]:
        if not self.rest:
            raise InvalidRule("it ends where a condition is expected")
        kind, text = self.rest.pop(0)
        if kind in ("TRUE", "FALSE"):
            return lambda _state_of: kind == "TRUE"
        if kind not in ("ALARM", "OK", "INSUFFICIENT_DATA"):
            raise InvalidRule(f"unexpected {text!r}")
        self.alarms.append(text)
        return lambda state_of: state_of(text) == kind

    def _take(self, kind: str) -> bool:
        if self.rest and self.rest[0][0] == kind:
            self.rest.pop(0)
            return True
        return False
