"""What a line of a log says: a request's figures, a hook's word, Python's logging, the platform's own."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from serinus.lambda_handlers.contract.release import Verdict

DEBUG, INFO, WARNING, ERROR = "DEBUG", "INFO", "WARNING", "ERROR"
LEVELS = (DEBUG, INFO, WARNING, ERROR)

#: Python's logging as Lambda's runtime client writes it: [LEVEL], time, request id, message, between tabs.
_LOGGED = re.compile(r"\[(?P<level>[A-Z]+)\]\t(?P<time>[^\t]*)\t(?P<request>[^\t]*)\t?(?P<message>.*)", re.DOTALL)
_PLATFORM = re.compile(r"(?:INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|START|END|REPORT|EXTENSION)\b")
_FAILED = re.compile(r"\bStatus: (?:error|timeout)\b|Task timed out|Runtime exited|Runtime\.\w+")
_INVOCATION = re.compile(r"RequestId: (?P<id>[0-9a-f-]{36})")
#: Fields of a hook's line that are shown elsewhere, or say nothing to a reader.
_UNSAID = frozenset({"message", "time", "function"})


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of the log; ``at`` is epoch seconds. Figures are None but for requests; ``message`` is all that is
    said of anything else. ``request_id`` is API Gateway's, ``invocation_id`` Lambda's."""

    at: float
    source: str
    level: str
    message: str = ""
    version: str | None = None
    model_version: str | None = None
    route: str | None = None
    rows: int | None = None
    latency_ms: float | None = None
    model_ms: float | None = None
    init_ms: float | None = None
    status: int | None = None
    outcome: str | None = None
    request_id: str | None = None
    invocation_id: str | None = None
    golden: bool = False

    def to_json(self) -> dict[str, Any]:
        """What is known of it; ``time`` in ISO 8601."""
        known = {name: value for name, value in asdict(self).items() if value not in (None, "", False)}
        return {"time": iso(known.pop("at")), **known}

    def concerns(self, ids: set[str]) -> bool:
        """Whether it is of one of these requests or invocations."""
        return bool({self.request_id, self.invocation_id} & ids) or any(one in self.message for one in ids)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_line(at: float, source: str, text: str) -> LogEntry:
    """The entry that a log event's ``text`` is; nothing is too odd to be shown as it is."""
    text = text.rstrip("\n")
    if text.startswith("{"):
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        if isinstance(said, dict):
            return _request(at, source, said) if "Outcome" in said else _word(at, source, said)
    return _plain(at, source, text)


def _request(at: float, source: str, said: dict[str, Any]) -> LogEntry:
    status = said.get("Status", 200)
    return LogEntry(
        at,
        source,
        ERROR if status >= 500 else WARNING if status >= 400 else INFO,
        version=said.get("FunctionVersion"),
        model_version=said.get("ModelVersion"),
        route=said.get("Route"),
        rows=said.get("Rows"),
        latency_ms=said.get("Latency"),
        model_ms=said.get("ModelTime"),
        init_ms=said.get("Init"),
        status=status,
        outcome=said["Outcome"],
        request_id=said.get("RequestId") or None,
        invocation_id=said.get("InvocationId") or None,
        golden=bool(said.get("Probe")),
    )


def _word(at: float, source: str, said: dict[str, Any]) -> LogEntry:
    """A JSON line that is no request's: a hook's, or a stranger's."""
    failed = said.get("error") or said.get("errorType")
    bad = failed or said.get("passed") is False or said.get("verdict") == Verdict.ROLL_BACK
    rest = [f"{name}={value}" for name, value in said.items() if name not in _UNSAID and value not in (None, "")]
    return LogEntry(
        at,
        source,
        ERROR if failed else WARNING if bad else _level(str(said.get("level", INFO))),
        " ".join([str(said.get("message", "")), *rest]).strip(),
        version=said.get("canary") or said.get("FunctionVersion"),
    )


def _plain(at: float, source: str, text: str) -> LogEntry:
    if logged := _LOGGED.fullmatch(text):
        level = _level(logged["level"])
        return LogEntry(at, source, level, logged["message"], invocation_id=logged["request"] or None)
    invocation = _INVOCATION.search(text)
    level = ERROR if _FAILED.search(text) else DEBUG if _PLATFORM.match(text) else INFO
    return LogEntry(at, source, level, text.strip(), invocation_id=invocation["id"] if invocation else None)


def _level(name: str) -> str:
    """One of `LEVELS` for a level's name in any logging library."""
    found = {"CRITICAL": ERROR, "FATAL": ERROR, "WARN": WARNING, "TRACE": DEBUG}.get(name.upper(), name.upper())
    return found if found in LEVELS else INFO
