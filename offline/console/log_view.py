"""The last lines of a log group, for the page."""

import heapq
from typing import Any

from moto.logs.models import logs_backends

MOST_LINES = 300


def log_groups(account_id: str) -> list[dict[str, str]]:
    """Every log group that exists, in every region."""
    return [
        {"region": region, "name": name}
        for region, backend in list(logs_backends[account_id].items())
        for name in sorted(backend.groups)
    ]


def last_lines(account_id: str, region: str, group: str) -> list[dict[str, Any]]:
    """The newest lines of a group, oldest first, each with its id; empty if the group does not exist."""
    backend: Any = logs_backends[account_id][region]
    log_group = backend.groups.get(group)
    if log_group is None:
        return []
    # Streams grow at their ends: the group's newest lines are among the newest of each stream.
    events = [
        (event.timestamp, event.event_id, stream.log_stream_name, event.message)
        for stream in list(log_group.streams.values())
        for event in stream.events[-MOST_LINES:]
    ]
    return [
        {"id": event_id, "at": at_ms / 1000, "stream": stream, "message": message.rstrip("\n")}
        for at_ms, event_id, stream, message in sorted(heapq.nlargest(MOST_LINES, events))
    ]
