"""Access logs: one line a request, in the stage's format, to the stage's log group.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

import hashlib
import re
from collections.abc import Callable

from serinus.offline.core.logs import LogWriter
from serinus.offline.http.context_variables import substitute

LOG_GROUP_ARN = re.compile(r"^arn:aws[\w-]*:logs:(?P<region>[\w-]+):\d{12}:log-group:(?P<group>[^:*]+)(:\*)?$")


def log_group_of(arn: str) -> tuple[str, str] | None:
    """Region and name of the log group in ``arn``; None if it is not one's ARN."""
    match = LOG_GROUP_ARN.match(arn)
    return (match["region"], match["group"]) if match else None


def stream_of(stage_name: str) -> str:
    """The stream of a stage's lines: AWS spreads them over streams with such names; here one is enough."""
    return hashlib.md5(stage_name.encode(), usedforsecurity=False).hexdigest()


class AccessLog:
    """Where and how one stage logs its requests."""

    def __init__(self, region: str, group: str, stream: str, line_format: str) -> None:
        self._region = region
        self._group = group
        self._stream = stream
        self._format = line_format

    @classmethod
    def of(cls, stage_name: str, arn: str | None, line_format: str | None) -> "AccessLog | None":
        """The access log of a stage; None if it has none."""
        log_group = log_group_of(arn or "")
        if log_group is None or not line_format:
            return None
        return cls(*log_group, stream_of(stage_name), line_format)

    def write(self, value_of: Callable[[str], str | None], at: float, logs: LogWriter) -> None:
        """Write one line at cloud time ``at``; ``value_of`` returns the $context variables."""
        line = substitute(self._format, value_of, unset="-")
        logs.write(self._region, self._group, self._stream, [(at, line)])
