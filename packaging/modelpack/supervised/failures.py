"""Serializes errors between two Pythons: one raised there is raised here, of the same class."""

import traceback
from dataclasses import asdict
from typing import Any

from serinus.lambda_handlers.contract.agreement import Agreement
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.modelpack import errors
from serinus.modelpack.errors import Attempt, ModelpackError
from serinus.modelpack.request import read_agreement

_AGREEMENT = "agreement"
_ATTEMPTS = "attempts"


class Traceback(Exception):
    """The cause of an error that came from another process: the text of its traceback there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def describe(error: BaseException) -> dict[str, Any]:
    """``error`` as plain data."""
    fields = vars(error) if isinstance(error, ModelpackError) else {}
    return {
        "kind": type(error).__name__,
        "message": str(error),
        "fields": {name: _plain(value) for name, value in fields.items() if not name.startswith("_")},
        "traceback": "".join(traceback.format_exception(error)),
    }


def revive(described: dict[str, Any]) -> ModelpackError | ContractError | None:
    """The error that `describe` serialized, with its traceback as the cause; None where it is not one of ours."""
    kind = (
        ContractError if described["kind"] == ContractError.__name__ else getattr(errors, described["kind"], None)
    )
    if not (isinstance(kind, type) and issubclass(kind, (ModelpackError, ContractError))):
        return None
    error: ModelpackError | ContractError = kind.__new__(kind, described["message"])
    error.args = (described["message"],)
    for field, value in described["fields"].items():
        setattr(error, field, _revived(field, value))
    error.__cause__ = Traceback(described["traceback"])
    return error


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and value and isinstance(value[0], Attempt):
        return [asdict(attempt) for attempt in value]
    return value.to_json() if isinstance(value, Agreement) else value


def _revived(name: str, value: Any) -> Any:
    if name == _AGREEMENT and isinstance(value, dict):
        return read_agreement(value)
    if name == _ATTEMPTS:
        return tuple(Attempt(**attempt) for attempt in value)
    return tuple(value) if isinstance(value, list) else value
