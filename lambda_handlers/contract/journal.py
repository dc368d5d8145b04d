"""The log of functions that serve no requests: a JSON object a line, for CloudWatch Logs to filter and query."""

import json
import sys
from typing import Any


def write(message: str, **fields: Any) -> None:
    """Log ``message`` with ``fields``, which need not be JSON: what is not is written as text."""
    sys.stdout.write(json.dumps({"message": message, **fields}, default=str) + "\n")
    sys.stdout.flush()
