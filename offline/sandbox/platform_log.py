"""The platform's own lines in a function's log: START, END, REPORT and the like.

In JSON format each event has a level, and those below the function's system log level are left out: at WARN only
what failed remains. In text format there are no levels.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-logs.html,
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html (JSON format),
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html (levels of events)
"""

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from serinus.offline.sandbox.spec import FunctionSpec


class SystemLevel(IntEnum):
    """Levels of the platform's events, by AWS's names."""

    DEBUG = 10
    INFO = 20
    WARN = 30


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one invocation's REPORT line, in ms and MB; ``status`` is success, error or timeout."""

    request_id: str
    duration_ms: float
    max_memory_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    status: str = "success"
    error_type: str | None = None

    @property
    def billed_ms(self) -> int:
        """Duration with init, rounded up: AWS bills init for managed runtimes since August 2025."""
        return math.ceil(self.duration_ms + (self.init_ms or 0.0))


class PlatformLog:
    """Renders the platform's events in the function's log format; None for an event below its system log level."""

    def __init__(self, spec: FunctionSpec) -> None:
        self.spec = spec
        self._json = spec.log_format == "JSON"
        self._level = SystemLevel[spec.system_log_level]
        digest = hashlib.sha256(spec.runtime.encode()).hexdigest()
        self.runtime_version = f"{spec.runtime.replace('python', 'python:')}.v0"
        self.runtime_arn = f"arn:aws:lambda:{spec.region}::runtime:{digest}"

    def init_start(self, at: float, initialization: str) -> str | None:
        if self._json:
            record = {
                "initializationType": initialization,
                "phase": "init",
                "runtimeVersion": self.runtime_version,
                "runtimeVersionArn": self.runtime_arn,
                "functionName": self.spec.name,
                "functionVersion": self.spec.version,
            }
            return self._event(at, "platform.initStart", record)
        return f"INIT_START Runtime Version: {self.runtime_version}\tRuntime Version ARN: {self.runtime_arn}"

    def init_report(
        self, at: float, duration_ms: float, phase: str, status: str, error_type: str | None
    ) -> str | None:
        if self._json:
            record: dict[str, Any] = {
                "phase": phase,
                "status": status,
                "metrics": {"durationMs": _ms(duration_ms)},
            }
            if error_type:
                record["errorType"] = error_type
            return self._event(at, "platform.initReport", record, _level_of(status, SystemLevel.DEBUG))
        kind = f"\tError Type: {error_type}" if error_type else ""
        return f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}{kind}"

    def restore_start(self, at: float) -> str | None:
        if self._json:
            return self._event(at, "platform.restoreStart", {"runtimeVersion": self.runtime_version})
        return f"RESTORE_START Runtime Version: {self.runtime_version}\tRuntime Version ARN: {self.runtime_arn}"

    def restore_report(self, at: float, duration_ms: float) -> str | None:
        if self._json:
            record = {"status": "success", "metrics": {"durationMs": _ms(duration_ms)}}
            return self._event(at, "platform.restoreReport", record)
        return f"RESTORE_REPORT Restore Duration: {duration_ms:.2f} ms"

    def start(self, at: float, request_id: str) -> str | None:
        if self._json:
            return self._event(at, "platform.start", {"requestId": request_id, "version": self.spec.version})
        return f"START RequestId: {request_id} Version: {self.spec.version}"

    def end(self, request_id: str) -> str | None:
        return None if self._json else f"END RequestId: {request_id}"

    def report(self, at: float, report: Report) -> str | None:
        return self._json_report(at, report) if self._json else self._text_report(report)

    def _text_report(self, report: Report) -> str:
        parts = [
            f"REPORT RequestId: {report.request_id}",
            f"Duration: {report.duration_ms:.2f} ms",
            f"Billed Duration: {report.billed_ms} ms",
            f"Memory Size: {self.spec.memory_mb} MB",
            f"Max Memory Used: {report.max_memory_mb} MB",
        ]
        if report.init_ms is not None:
            parts.append(f"Init Duration: {report.init_ms:.2f} ms")
        if report.restore_ms is not None:
            parts.append(f"Restore Duration: {report.restore_ms:.2f} ms")
            parts.append(f"Billed Restore Duration: {math.ceil(report.restore_ms)} ms")
        if report.status != "success":
            parts.append(f"Status: {report.status}")
        if report.error_type is not None:
            parts.append(f"Error Type: {report.error_type}")
        return "\t".join(parts) + "\t"

    def _json_report(self, at: float, report: Report) -> str | None:
        metrics: dict[str, float] = {
            "durationMs": _ms(report.duration_ms),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": self.spec.memory_mb,
            "maxMemoryUsedMB": report.max_memory_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = _ms(report.init_ms)
        if report.restore_ms is not None:
            metrics["restoreDurationMs"] = _ms(report.restore_ms)
            metrics["billedRestoreDurationMs"] = math.ceil(report.restore_ms)
        record: dict[str, Any] = {"requestId": report.request_id, "metrics": metrics, "status": report.status}
        if report.error_type is not None:
            record["errorType"] = report.error_type
        return self._event(at, "platform.report", record, _level_of(report.status, SystemLevel.INFO))

    def _event(
        self, at: float, kind: str, record: dict[str, Any], level: SystemLevel = SystemLevel.INFO
    ) -> str | None:
        if level < self._level:
            return None
        return json.dumps({"time": iso_ms(at), "type": kind, "record": record}, separators=(",", ":"))


def iso_ms(at: float) -> str:
    """Epoch seconds as AWS's platform prints them: 2026-11-21T02:37:42.123Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _level_of(status: str, succeeded: SystemLevel) -> SystemLevel:
    return succeeded if status == "success" else SystemLevel.WARN


def _ms(value: float) -> float:
    return round(value, 3)
