"""The values that a mapping template reads, calls and assigns: strings, maps and $input."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.http.event_headers import merged
from serinus.offline.services.apigateway.serving.context_variables import CONTEXT, context_value
from serinus.offline.services.apigateway.serving.exchange import RestExchange

Scope = dict[str, Any]


STRING_METHODS: dict[str, Callable[..., Any]] = {
    "contains": lambda text, part: part in text,
    "endsWith": lambda text, part: text.endswith(part),
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: text.lower() == str(other).lower(),
    "isEmpty": lambda text: not text,
    "length": len,
    "matches": lambda text, pattern: re.fullmatch(pattern, text) is not None,
    "replaceAll": lambda text, pattern, new: re.sub(pattern, new, text),
    "startsWith": lambda text, part: text.startswith(part),
    "toLowerCase": lambda text: text.lower(),
    "toUpperCase": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
}
MAP_METHODS: dict[str, Callable[..., Any]] = {
    "containsKey": lambda values, name: values.get(name) is not None,
    "get": lambda values, name: values.get(name),
}
INPUT_METHODS = frozenset({"params", "json", "path"})


def check_method(name: str) -> None:
    """Raise `NotModelled` for a method that none of our values has."""
    if name not in STRING_METHODS and name not in MAP_METHODS and name not in INPUT_METHODS:
        raise NotModelled(f"apigateway: the method {name}() in a mapping template")


def look_up(value: Any, name: str) -> Any:
    """A property; None if it is unset, or for None."""
    if value is None or isinstance(value, str | int | float | bool):
        return None
    return value.get(name)


def call_method(value: Any, name: str, arguments: list[Any]) -> Any:
    """Call a method of a string, a map or $input; None has no methods, like an unset reference in Velocity."""
    if value is None:
        return None
    if isinstance(value, TemplateInput):
        return value.call(name, arguments)
    methods = STRING_METHODS if isinstance(value, str) else MAP_METHODS
    if name not in methods:
        raise NotModelled(f"apigateway: {name}() of a {type(value).__name__} in a mapping template")
    return methods[name](value, *arguments)


def assign(scope: Scope, path: list[str], value: Any) -> None:
    """Set a variable, or a property such as context.responseOverride.header.Name."""
    *holders, name = path
    holder: Any = scope
    for part in holders:
        member = holder.get(part)
        if member is None:
            member = holder[part] = {}
        holder = member.overrides if isinstance(member, TemplateContext) else member
    holder[name] = value


@dataclass(slots=True)
class TemplateContext:
    """$context: the request's variables, and a template's overrides of the response."""

    exchange: RestExchange
    overrides: dict[str, Any]
    prefix: str = ""

    def get(self, name: str) -> Any:
        if not self.prefix and name in self.overrides:
            return self.overrides[name]
        full = f"{self.prefix}{name}"
        if full in CONTEXT:
            return context_value(self.exchange, full)
        if any(known.startswith(f"{full}.") for known in CONTEXT):
            return TemplateContext(self.exchange, {}, f"{full}.")
        return None


@dataclass(slots=True)
class TemplateInput:
    """$input: parameters and body of the request."""

    exchange: RestExchange

    def get(self, name: str) -> Any:
        return self.exchange.request.body.decode("utf-8", errors="replace") if name == "body" else None

    def call(self, name: str, arguments: list[Any]) -> Any:
        if name == "params":
            return self._parameter(arguments[0]) if arguments else self._parameters()
        if name in ("json", "path"):
            member = self._at(arguments[0])
            return json.dumps(member) if name == "json" else member
        raise NotModelled(f"apigateway: $input.{name}() in a mapping template")

    def _parameters(self) -> dict[str, dict[str, str]]:
        request = self.exchange.request
        return {
            "path": self.exchange.path_parameters,
            "querystring": merged(request.query)[0],
            "header": dict(request.headers),
        }

    def _parameter(self, name: str) -> str:
        parameters = self._parameters()
        for source in ("path", "querystring", "header"):
            if name in parameters[source]:
                return parameters[source][name]
        return ""

    def _at(self, path: str) -> Any:
        if not re.fullmatch(r"\$(\.[A-Za-z0-9_-]+)*", path):
            raise NotModelled(f"apigateway: the JSONPath {path} in a mapping template")
        try:
            value = json.loads(self.exchange.request.body or b"{}")
        except ValueError:
            value = {}
        for part in path.split(".")[1:]:
            value = value.get(part) if isinstance(value, dict) else None
        return value
