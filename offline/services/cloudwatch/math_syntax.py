"""Parses metric math expressions into trees.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z][A-Za-z0-9_]*)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],])
    )""",
    re.VERBOSE,
)

#: Operators from loosest to tightest; unary minus binds tighter still, and ^ tightest.
LEVELS = (("OR", "||"), ("AND", "&&"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))
SAME_AS = {"||": "OR", "&&": "AND"}


class MathError(ValueError):
    """An expression that CloudWatch would reject; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class MathText:
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """An id of the request, or a keyword of some function (REPEAT, ASC)."""

    value: str


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple["MathNode", ...]


@dataclass(frozen=True, slots=True)
class Negative:
    operand: "MathNode"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "MathNode"
    right: "MathNode"


@dataclass(frozen=True, slots=True)
class MathFunction:
    name: str
    arguments: tuple["MathNode", ...]


MathNode = Number | MathText | Name | Array | Negative | Binary | MathFunction


def parse(expression: str) -> MathNode:
    """The tree of ``expression``; raises `MathError` if it does not parse."""
    parser = _MathParser(list(_tokens(expression)))
    tree = parser.level(0)
    if parser.rest:
        raise MathError(f"unexpected {parser.rest[0]!r} in {expression!r}")
    return tree


def names(node: MathNode) -> set[str]:
    """Every id (and keyword) in the tree."""
    match node:
        case Name(value):
            return {value}
        case Array(items) | MathFunction(_, items):
            return {name for item in items for name in names(item)}
        case Negative(operand):
            return names(operand)
        case Binary(_, left, right):
            return names(left) | names(right)
    return set()


def functions(node: MathNode) -> set[str]:
    """Every function that the tree calls."""
    match node:
        case MathFunction(name, arguments):
            return {name} | {inner for argument in arguments for inner in functions(argument)}
        case Array(items):
            return {inner for item in items for inner in functions(item)}
        case Negative(operand):
            return functions(operand)
        case Binary(_, left, right):
            return functions(left) | functions(right)
    return set()


def _tokens(expression: str) -> Iterator[str]:
    offset, text = 0, expression.rstrip()
    while offset < len(text):
        match = TOKEN.match(text, offset)
        if match is None:
            raise MathError(f"cannot parse {text[offset:].strip()[:20]!r} in {expression!r}")
        yield match[0].strip()
        offset = match.end()


class _MathParser:
    def __init__(self, tokens: list[str]) -> None:
        self.rest = tokens

    def level(self, depth: int) -> MathNode:
        if depth == len(LEVELS):
            return self._unary()
        left = self.level(depth + 1)
        while self.rest and self.rest[0] in LEVELS[depth]:
            operator = self.rest.pop(0)
            left = Binary(SAME_AS.get(operator, operator), left, self.level(depth + 1))
        return left

    def _unary(self) -> MathNode:
        if self._take("-"):
            return Negative(self._unary())
        base = self._primary()
        return Binary("^", base, self._unary()) if self._take("^") else base

    def _primary(self) -> MathNode:
        if not self.rest:
            raise MathError("the expression ends where a value is expected")
        token = self.rest.pop(0)
        if token == "(":
            inner = self.level(0)
            self._expect(")")
            return inner
        if token == "[":
            return Array(self._list("]"))
        if token[0] in "\"'":
            return MathText(token[1:-1])
        if token[0].isdigit() or token[0] == ".":
            return Number(float(token))
        if not token[0].isalpha():
            raise MathError(f"unexpected {token!r}")
        return MathFunction(token, self._list(")")) if self._take("(") else Name(token)

    def _list(self, closing: str) -> tuple[MathNode, ...]:
        if self._take(closing):
            return ()
        items = [self.level(0)]
        while self._take(","):
            items.append(self.level(0))
        self._expect(closing)
        return tuple(items)

    def _take(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            self.rest.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            actual = repr(self.rest[0]) if self.rest else "the end"
            raise MathError(f"expected {token!r} but found {actual}")
