"""The configuration that every table's model shares."""

from typing import Any

from pydantic import ConfigDict

#: Nothing unknown, nothing converted, nothing changed afterwards; docstrings become the reference.
TABLE = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


#: A KMS key.
KEY_ARN = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"


def allowed(text: str) -> dict[str, Any]:
    """The range of a setting in words, if its type alone does not define it."""
    return {"allowed": text}
