"""Imports frameworks that are optional extras when a model of theirs is loaded."""

import importlib
from typing import Any

from serinus.modelpack.errors import ExtraMissingError


def require(module: str, extra: str) -> Any:
    """``module``, imported; raises `ExtraMissingError`, which names the extra that installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            f"this model requires {error.name}, which is not installed: pip install 'serinus[{extra}]'", extra
        ) from error
