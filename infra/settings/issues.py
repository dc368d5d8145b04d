"""Turns pydantic's errors into lines that a person can act on: line, key, value and allowed values."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from serinus.infra.errors import SettingsIssue
from serinus.infra.settings.allowed import allowed_values
from serinus.infra.settings.positions import KeyPath
from serinus.infra.settings.schema import NAME_ALLOWED, SettingsFile

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_VALUE = 60


def issues_of(error: ValidationError, positions: Mapping[KeyPath, int]) -> list[SettingsIssue]:
    """Every error of a `SettingsFile` as an issue with its line."""
    return [_issue(detail, positions) for detail in error.errors(include_url=False)]


def line_of(path: KeyPath, positions: Mapping[KeyPath, int]) -> int | None:
    """The line of a key, or of the nearest table around it in the file."""
    return next((positions[path[:n]] for n in range(len(path), 0, -1) if path[:n] in positions), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the closest known name, or else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {', '.join(known)}." if known else "none is defined."


def dotted(path: KeyPath) -> str:
    """A key path as TOML writes it, with indices in brackets: env.prod.endpoint.churn.cors_origins[1]."""
    text = ""
    for part in path:
        name = part if isinstance(part, int) or _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
        text += f"[{part}]" if isinstance(part, int) else f".{name}"
    return text.lstrip(".")


def _issue(detail: ErrorDetails, positions: Mapping[KeyPath, int]) -> SettingsIssue:
    wrong_name = detail["loc"][-1] == "[key]"
    path = detail["loc"][:-1] if wrong_name else detail["loc"]
    return SettingsIssue(line_of(path, positions), dotted(path), _message(detail, path, wrong_name))


def _message(detail: ErrorDetails, path: KeyPath, wrong_name: bool) -> str:
    field = str(path[-1])
    if wrong_name:
        return f"is not a valid name; allowed: {NAME_ALLOWED}"
    if detail["type"] == "extra_forbidden":
        model = _model_at(path[:-1])
        return f"is unknown; {did_you_mean(field, model.model_fields if model else ())}"
    if detail["type"] == "missing":
        return f"is missing; allowed: {_allowed(path)}"
    if detail["type"] != "value_error":
        return f"= {_shown(detail['input'])} is not allowed; allowed: {_allowed(path)}"
    if isinstance(detail["input"], dict | tuple):
        return str(detail["ctx"]["error"])
    return f"{_shown(detail['input'])} {detail['ctx']['error']}"


def _shown(value: Any) -> str:
    """The value much as TOML writes it, truncated if it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _allowed(path: KeyPath) -> str:
    """The allowed values of the setting at ``path``, or of the one that holds this element."""
    for length in range(len(path), 0, -1):
        model = _model_at(path[: length - 1])
        if model is not None and str(path[length - 1]) in model.model_fields:
            return allowed_values(model, str(path[length - 1]))
    return "a table"


def _table_of(annotation: Any) -> Any:
    """The type of a table that may be absent."""
    return get_args(annotation)[0] if get_origin(annotation) is UnionType else annotation


def _model_at(path: KeyPath) -> type[BaseModel] | None:
    """The model that validates the table at ``path``; None if it is not a table of settings."""
    current: Any = SettingsFile
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = _table_of(field.annotation) if field else None
        elif get_origin(current) is dict:
            current = get_args(current)[1]
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None
