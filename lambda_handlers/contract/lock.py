"""serinus.lock: the bundle that each environment deploys, by hash and folder.

    [dev.churn]
    version = "3f2a…"                     64 hex digits
    bundle = "bundles/churn/3f2a9c…"      folder, relative to the lock

One commit always deploys the same bytes, and promoting from dev to prod is an edit of this file.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serinus.lambda_handlers.contract.errors import ContractError

LOCK = "serinus.lock"
NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]|[a-z]")
_VERSION = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pin:
    """The bundle of one model in one environment."""

    version: str
    bundle: str


#: environment -> model -> pin
Lock = Mapping[str, Mapping[str, Pin]]


def read_lock(path: Path) -> dict[str, dict[str, Pin]]:
    """The lock at ``path``, empty if there is none; raises `ContractError` if it cannot be read."""
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ContractError(
            f"{path} is not valid TOML ({error}). Package the model again, or restore it."
        ) from error
    lock: dict[str, dict[str, Pin]] = {}
    for environment, models in data.items():
        for model, pin in models.items():
            lock.setdefault(environment, {})[model] = _pin(path, environment, model, pin)
    return lock


def render_lock(lock: Lock) -> str:
    """The lock's text, sorted, so that equal locks are equal files."""
    parts = ["# Written by serinus. Pins, per environment and model, the bundle that is deployed.\n"]
    for environment in sorted(lock):
        for model in sorted(lock[environment]):
            pin = lock[environment][model]
            parts.append(f'\n[{environment}.{model}]\nversion = "{pin.version}"\nbundle = "{pin.bundle}"\n')
    return "".join(parts)


def _pin(path: Path, environment: str, model: str, pin: object) -> Pin:
    where = f"{path}: [{environment}.{model}]"
    if not isinstance(pin, dict) or set(pin) != {"version", "bundle"}:
        raise ContractError(f"{where} must hold exactly `version` and `bundle`. Package the model again.")
    if not _VERSION.fullmatch(str(pin["version"])):
        raise ContractError(f"{where} version is {pin['version']!r}; it must be 64 hex digits.")
    return Pin(version=pin["version"], bundle=str(pin["bundle"]))
