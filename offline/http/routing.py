"""Finds the resource and method for a path: literal parts before {parameters} before {greedy+} ones."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

R = TypeVar("R")


@dataclass(slots=True)
class _Node(Generic[R]):
    literals: dict[str, "_Node[R]"] = field(default_factory=dict)
    parameter: "tuple[str, _Node[R]] | None" = None
    greedy: "tuple[str, _Node[R]] | None" = None
    methods: dict[str, R] = field(default_factory=dict)

    def route(self, method: str) -> R | None:
        return self.methods.get(method) or self.methods.get("ANY")


class Router(Generic[R]):
    """Resources as a tree; a path's trailing slash is ignored, as in REST APIs, unless it is significant."""

    def __init__(self, *, trailing_slash_counts: bool = False) -> None:
        self._root: _Node[R] = _Node()
        self._trailing_slash_counts = trailing_slash_counts

    def add(self, resource_path: str, method: str, route: R) -> None:
        node = self._root
        for part in self._parts(resource_path):
            node = _child(node, part)
        node.methods[method] = route

    def find(self, method: str, path: str) -> tuple[R, dict[str, str]] | None:
        """The most specific route that has ``method`` (or ANY), with decoded path parameters."""
        return _search(self._root, self._parts(path), 0, method)

    def _parts(self, path: str) -> list[str]:
        if self._trailing_slash_counts:
            trimmed = path.removeprefix("/")
        else:
            trimmed = path.strip("/") if path.startswith("/") else path
        return trimmed.split("/") if trimmed else []


def _child(node: _Node[R], part: str) -> _Node[R]:
    if part.startswith("{") and part.endswith("+}"):
        node.greedy = node.greedy or (part[1:-2], _Node())
        return node.greedy[1]
    if part.startswith("{") and part.endswith("}"):
        node.parameter = node.parameter or (part[1:-1], _Node())
        return node.parameter[1]
    return node.literals.setdefault(part, _Node())


def _search(node: _Node[R], parts: list[str], index: int, method: str) -> tuple[R, dict[str, str]] | None:
    if index == len(parts):
        route = node.route(method)
        return None if route is None else (route, {})
    literal = node.literals.get(parts[index]) or node.literals.get(unquote(parts[index]))
    match = _search(literal, parts, index + 1, method) if literal is not None else None
    if match is None and node.parameter is not None and parts[index]:
        name, child = node.parameter
        match = _search(child, parts, index + 1, method)
        if match is not None:
            match[1][name] = unquote(parts[index])
    if match is None and node.greedy is not None:
        name, child = node.greedy
        route = child.route(method)
        if route is not None:
            match = (route, {name: unquote("/".join(parts[index:]))})
    return match
