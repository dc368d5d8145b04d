"""Deployed endpoints as their stacks' outputs describe them."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from cli.errors import CliError
from cli.target import Target
from lambda_handlers.contract.bundle import read_golden
from lambda_handlers.contract.lock import LOCK, read_lock


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A deployed endpoint: ``url`` without a trailing slash, ``key`` None where none is needed."""

    name: str
    stack: str
    url: str
    key: str | None
    function: str
    function_version: str
    model_version: str
    example: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"content-type": "application/json", **({"x-api-key": self.key} if self.key else {})}
