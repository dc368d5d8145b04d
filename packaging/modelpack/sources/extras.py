"""Frameworks that are an optional extra: asked for when a model of theirs arrives."""

import importlib
from typing import Any

from serinus.modelpack.errors import ExtraMissingError


def require(module: str, extra: str) -> Any:
    """``module``, imported; raises `ExtraMissingError`, which names the extra that brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            f"this model needs {error.name}, which is not installed here. pip install 'serinus[{extra}]'", extra
        ) from error
