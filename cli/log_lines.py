"""Parses log lines: requests, hooks, Python's logging, and Lambda's own."""

import json
import re
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.contract.release import Verdict

DEBUG, INFO, WARNING, ERROR = "DEBUG", "INFO", "WARNING", "ERROR"
LEVELS = (DEBUG, INFO, WARNING, ERROR)

#: Python's logging as Lambda's runtime client writes it: [LEVEL], time, request id, message, between tabs.
_LOGGED = re.compile(r"\[(?P<level>[A-Z]+)\]\t(?P<time>[^\t]*)\t(?P<request>[^\t]*)\t?(?P<message>.*)", re.DOTALL)
_PLATFORM = re.compile(r"(?:INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|START|END|REPORT|EXTENSION)\b")
_FAILED = re.compile(r"\bStatus: (?:error|timeout)\b|Task timed out|Runtime exited|Runtime\.\w+")
_INVOCATION = re.compile(r"RequestId: (?P<id>[0-9a-f-]{36})")
#: Fields of a hook's line, and of Python's logging in JSON format, that are printed elsewhere, or are of no use to
#: a reader.
_HIDDEN_FIELDS = frozenset({"message", "time", "function"})
_HIDDEN_OF_LOGGING = _HIDDEN_FIELDS | {"timestamp", "level", "requestId", "stackTrace", "location"}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of the log; ``at`` is epoch seconds. Figures are None except for requests; ``message`` is the text
    of all other lines. A line of several ``requests`` has the sum of their rows and the medians of their times;
    ``slowest_ms`` is their largest latency. ``request_id`` is API Gateway's, ``invocation_id`` Lambda's."""

    at: float
    source: str
    level: str
    message: str = ""
    version: str | None = None
    model_version: str | None = None
    route: str | None = None
    requests: int | None = None
    rows: int | None = None
    latency_ms: float | None = None
    slowest_ms: float | None = None
    model_ms: float | None = None
    init_ms: float | None = None
    status: int | None = None
    outcome: str | None = None
    request_id: str | None = None
    invocation_id: str | None = None
    golden: bool = False

    def to_json(self) -> dict[str, Any]:
        """Its fields that have a value; ``time`` in ISO 8601."""
        fields = {name: value for name, value in asdict(self).items() if value not in (None, "", False)}
        return {"time": iso(fields.pop("at")), **fields}

    def concerns(self, ids: set[str]) -> bool:
        """Whether it is of one of these requests or invocations."""
        return bool({self.request_id, self.invocation_id} & ids) or any(id_ in self.message for id_ in ids)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_line(at: float, source: str, text: str) -> LogEntry:
    """The entry of a log event; text in an unknown format becomes the message."""
    text = text.rstrip("\n")
    if text.startswith("{"):
        try:
            fields = json.loads(text)
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            return _read_fields(at, source, fields)
    return _plain(at, source, text)


def _read_fields(at: float, source: str, fields: dict[str, Any]) -> LogEntry:
    if "Outcome" in fields:
        return _request(at, source, fields)
    if signals.FIELD_REQUESTS in fields and isinstance(fields.get(signals.METRIC_LATENCY), list):
        return _requests(at, source, fields)
    if "Profile" in fields:
        return _profile(at, source, fields)
    if str(fields.get("type", "")).startswith("platform.") and isinstance(fields.get("record"), dict):
        return _platform(at, source, fields["type"], fields["record"])
    if "requestId" in fields and "level" in fields and not fields.keys() & {"status", "verdict", "passed"}:
        return _logged(at, source, fields)
    return _structured(at, source, fields)


def _request(at: float, source: str, fields: dict[str, Any]) -> LogEntry:
    status = fields.get("Status", 200)
    return LogEntry(
        at,
        source,
        ERROR if status >= 500 else WARNING if status >= 400 else INFO,
        version=fields.get("FunctionVersion"),
        model_version=fields.get("ModelVersion"),
        route=fields.get("Route"),
        rows=fields.get("Rows"),
        latency_ms=fields.get("Latency"),
        model_ms=fields.get("ModelTime"),
        init_ms=fields.get("Init"),
        status=status,
        outcome=fields["Outcome"],
        request_id=fields.get("RequestId") or None,
        invocation_id=fields.get("InvocationId") or None,
        golden=bool(fields.get("Probe")),
    )


def _requests(at: float, source: str, fields: dict[str, Any]) -> LogEntry:
    """The line of several answered requests."""
    latencies: list[float] = fields[signals.METRIC_LATENCY]
    model_times: list[float] | None = fields.get(signals.METRIC_MODEL_TIME)
    return LogEntry(
        at,
        source,
        INFO,
        version=fields.get(signals.DIMENSION_VERSION),
        model_version=fields.get("ModelVersion"),
        route=fields.get("Route"),
        requests=fields[signals.FIELD_REQUESTS],
        rows=sum(fields.get(signals.METRIC_ROWS, ())),
        latency_ms=round(statistics.median(latencies), 3),
        slowest_ms=max(latencies),
        model_ms=round(statistics.median(model_times), 3) if model_times else None,
        outcome="answered",
    )


def _profile(at: float, source: str, fields: dict[str, Any]) -> LogEntry:
    """The line of what a monitored function counted; the counts themselves are the monitor's."""
    message = (
        f"counted {fields.get('Rows')} rows for the monitor: {fields.get('Requests')} requests, "
        f"{fields.get('Refused')} refused, environment {fields.get('Environment')}"
    )
    return LogEntry(
        at,
        source,
        DEBUG,
        message,
        version=fields.get(signals.DIMENSION_VERSION),
        model_version=fields.get("ModelVersion"),
    )


def _platform(at: float, source: str, kind: str, record: dict[str, Any]) -> LogEntry:
    """Lambda's own line in JSON format: the fields of its record, figures among them.
    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html"""
    metrics = record.get("metrics")
    flat = {**record, **(metrics if isinstance(metrics, dict) else {})}
    shown = " ".join(
        f"{name}={value}" for name, value in flat.items() if isinstance(value, str | int | float) and value != ""
    )
    failed = record.get("status", "success") != "success"
    return LogEntry(
        at, source, ERROR if failed else DEBUG, f"{kind} {shown}".strip(), invocation_id=record.get("requestId")
    )


def _logged(at: float, source: str, fields: dict[str, Any]) -> LogEntry:
    """Python's logging as Lambda's runtime client writes it in JSON format, or the error with which a function
    ended."""
    more = [f"{name}={value}" for name, value in fields.items() if name not in _HIDDEN_OF_LOGGING]
    trace = fields.get("stackTrace")
    text = " ".join([str(fields.get("message", "")), *more]).strip()
    if isinstance(trace, list) and trace:
        text += "\n" + "".join(str(part) for part in trace).rstrip()
    return LogEntry(at, source, _stated_level(fields), text, invocation_id=fields["requestId"] or None)


def _structured(at: float, source: str, fields: dict[str, Any]) -> LogEntry:
    """A JSON line that is not the function's of a request: a hook's, an API's of a call, or one of unknown
    origin."""
    failed = fields.get("error") or fields.get("errorType")
    warn = failed or fields.get("passed") is False or fields.get("verdict") == Verdict.ROLL_BACK
    rest = [
        f"{name}={value}"
        for name, value in fields.items()
        if name not in _HIDDEN_FIELDS and value not in (None, "", "-")
    ]
    return LogEntry(
        at,
        source,
        ERROR if failed else WARNING if warn else _stated_level(fields),
        " ".join([str(fields.get("message", "")), *rest]).strip(),
        version=fields.get("canary") or fields.get("FunctionVersion"),
    )


def _stated_level(fields: dict[str, Any]) -> str:
    """The level that a line states, or that of the HTTP status of an API's line."""
    status = str(fields.get("status", ""))
    if status.isdecimal():
        return ERROR if int(status) >= 500 else WARNING if int(status) >= 400 else INFO
    return _level(str(fields.get("level", INFO)))


def _plain(at: float, source: str, text: str) -> LogEntry:
    if logged := _LOGGED.fullmatch(text):
        level = _level(logged["level"])
        return LogEntry(at, source, level, logged["message"], invocation_id=logged["request"] or None)
    invocation = _INVOCATION.search(text)
    level = ERROR if _FAILED.search(text) else DEBUG if _PLATFORM.match(text) else INFO
    return LogEntry(at, source, level, text.strip(), invocation_id=invocation["id"] if invocation else None)


def _level(name: str) -> str:
    """One of `LEVELS` for a level's name in any logging library."""
    level = {"CRITICAL": ERROR, "FATAL": ERROR, "WARN": WARNING, "TRACE": DEBUG}.get(name.upper(), name.upper())
    return level if level in LEVELS else INFO
