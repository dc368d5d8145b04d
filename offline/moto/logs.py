"""Keeps moto from delivering log events to its own Lambda, whatever a subscription filter's pattern says.

The Logs service evaluates the patterns, and delivers to this cloud's functions.
"""

from typing import Any

from moto.logs.models import LogStream


def apply() -> None:
    """Have moto store log events without sending them to the destinations of subscription filters."""
    LogStream._send_log_events = _send_nothing


def _send_nothing(_stream: LogStream, **_delivery: Any) -> None:
    """The Logs service delivers."""
