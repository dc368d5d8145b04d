"""What every table of serinus.toml has in common."""

from typing import Any

from pydantic import ConfigDict

#: Nothing unknown, nothing converted, nothing changed afterwards; docstrings become the reference.
TABLE = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


def allowed(text: str) -> dict[str, Any]:
    """The range of a setting in words, where its type alone does not say it."""
    return {"allowed": text}
