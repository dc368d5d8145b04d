"""serinus.lock: the bundle that each environment deploys, by hash and folder.

    [dev.churn]
    version = "3f2a…"                     64 hex digits
    bundle = "bundles/churn/3f2a9c…"      folder, relative to the lock, or its place in S3:
                                          "s3://BUCKET/PREFIX/churn/3f2a9c…"

One commit always deploys the same bytes. `serinus pin` copies a pin from one environment to another. A bundle
that is kept in S3 is read from the folder with the same end.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serinus.lambda_handlers.contract.errors import ContractError

LOCK = "serinus.lock"
SCHEME = "s3://"
NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]|[a-z]")
_VERSION = re.compile(r"[0-9a-f]{64}")
_STORED = re.compile(rf"s3://[a-z0-9][a-z0-9.-]+(/[^/]+)*/({NAME.pattern})/[0-9a-f]{{12}}")
_RESTORE = "Restore it, such as by `git checkout -- serinus.lock`, or delete it and pin the bundles again."


@dataclass(frozen=True, slots=True)
class Pin:
    """The bundle of one model in one environment; ``bundle`` is a folder, or a place in S3."""

    version: str
    bundle: str

    @property
    def is_stored(self) -> bool:
        """Whether the bundle is kept in S3."""
        return self.bundle.startswith(SCHEME)

    @property
    def folder(self) -> str:
        """Where the bundle is read from, relative to the lock."""
        return f"bundles/{'/'.join(self.bundle.split('/')[-2:])}" if self.is_stored else self.bundle


#: environment -> model -> pin
Lock = Mapping[str, Mapping[str, Pin]]


def read_lock(path: Path) -> dict[str, dict[str, Pin]]:
    """The lock at ``path``, empty if there is none; raises `ContractError` if it cannot be read."""
    try:
        # Some editors begin a file with a byte order mark, which is not TOML.
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ContractError(f"{path} cannot be read ({error.strerror}). {_RESTORE}") from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or nested without end
        raise ContractError(f"{path} is not valid TOML ({error}). {_RESTORE}") from error
    lock: dict[str, dict[str, Pin]] = {}
    for environment, models in data.items():
        if not isinstance(models, dict):
            raise ContractError(f"{path}: {environment} must be tables, [{environment}.MODEL]. {_RESTORE}")
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
        raise ContractError(f"{where} must hold exactly `version` and `bundle`. {_RESTORE}")
    version, bundle = pin["version"], pin["bundle"]
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ContractError(f"{where} version is {version!r}; it must be 64 hex digits. {_RESTORE}")
    if not isinstance(bundle, str):
        raise ContractError(f"{where} bundle is {bundle!r}; it must be the path of a folder. {_RESTORE}")
    if bundle.startswith(SCHEME) and not _STORED.fullmatch(bundle):
        raise ContractError(
            f"{where} bundle is {bundle!r}; in S3 it must be s3://BUCKET/PREFIX/MODEL/VERSION. {_RESTORE}"
        )
    return Pin(version=version, bundle=bundle)
