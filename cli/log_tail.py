"""Events of log groups, each once, as they arrive.

Events arrive in CloudWatch Logs late and out of order, so each poll goes back a while and skips the events that
were read before, by their IDs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from serinus.cli.log_lines import LogEntry, read_line


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log group, and the name of its lines' source."""

    name: str
    group: str


def find_log_group(logs: Any, name: str) -> str:
    """The group ``name`` or, where logs outlive their stack, the newest of the groups below it; ``name`` itself if
    there is neither."""
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    below = f"{name}/"
    groups = [
        group
        for page in pages
        for group in page["logGroups"]
        if group["logGroupName"] == name or group["logGroupName"].startswith(below)
    ]
    newest: str = max(groups, key=lambda group: group["creationTime"])["logGroupName"] if groups else name
    return newest


class LogTail:
    """Reads one log group from ``since`` (epoch seconds) on; an event that arrives up to ``lag_s`` late is not
    missed."""

    def __init__(self, logs: Any, source: LogSource, *, since: float, lag_s: float) -> None:
        self._logs = logs
        self._source = source
        self._since_ms = int(since * 1000)
        self._lag_ms = int(lag_s * 1000)
        self._newest_ms = self._since_ms
        self._seen: dict[str, int] = {}

    def read(self) -> list[LogEntry]:
        """Entries that were not read before, oldest first; none while the group does not exist."""
        begin_ms = max(self._since_ms, self._newest_ms - self._lag_ms)
        fresh = [event for event in self._events(begin_ms) if event["eventId"] not in self._seen]
        for event in fresh:
            self._seen[event["eventId"]] = event["timestamp"]
            self._newest_ms = max(self._newest_ms, event["timestamp"])
        again_ms = self._newest_ms - self._lag_ms
        self._seen = {key: at_ms for key, at_ms in self._seen.items() if at_ms >= again_ms}
        fresh.sort(key=lambda event: event["timestamp"])
        return [read_line(event["timestamp"] / 1000, self._source.name, event["message"]) for event in fresh]

    def _events(self, begin_ms: int) -> list[dict[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._source.group, startTime=begin_ms
        )
        try:
            return [event for page in pages for event in page["events"]]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return []


class LogFilter:
    """Selects entries of the given levels and, with ``request``, of that request alone.

    A request has an ID from API Gateway and one from Lambda. Its line names both, so lines with Lambda's ID are
    found by either. ``nameless`` counts requests of the lines that were read which several requests share: they
    are found by neither.
    """

    def __init__(self, levels: frozenset[str], request: str | None) -> None:
        self._levels = levels
        self._ids = {request} if request else set()
        self.nameless = 0

    def select(self, entries: Sequence[LogEntry]) -> list[LogEntry]:
        """The selected ones of ``entries``, which were read together."""
        if self._ids:
            self.nameless += sum(entry.requests or 0 for entry in entries)
            for entry in entries:
                if entry.concerns(self._ids):
                    self._ids |= {id_ for id_ in (entry.request_id, entry.invocation_id) if id_}
            entries = [entry for entry in entries if entry.concerns(self._ids)]
        return [entry for entry in entries if entry.level in self._levels]
