"""The monitor's log: one JSON object a line on standard output."""

import json
import sys
from typing import Any


def write(message: str, **fields: Any) -> None:
    """Log ``message`` with ``fields``; what is not JSON is written as text."""
    sys.stdout.write(json.dumps({"message": message, **fields}, default=str) + "\n")
    sys.stdout.flush()
