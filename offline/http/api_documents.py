"""Shared by the control planes of REST and HTTP APIs: documents in AWS's shapes, ids and errors."""

import re
import secrets
import string
from typing import Any

from serinus.offline.core.errors import AwsError

Document = dict[str, Any]

#: The allowed characters of a stage variable.
VARIABLE_VALUE = re.compile(r"^[A-Za-z0-9\-._~:/?#&=,]*$")

LOWER_ALPHANUMERIC = string.ascii_lowercase + string.digits


def new_id(length: int) -> str:
    """A random identifier like AWS's: lower-case letters and digits."""
    return "".join(secrets.choice(LOWER_ALPHANUMERIC) for _ in range(length))


def bad_request(message: str) -> AwsError:
    return AwsError("BadRequestException", message)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message)
