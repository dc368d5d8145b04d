"""Maps a worker's signal to AWS's response: payload, error kind, log lines, status.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html,
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
"""

import json
from dataclasses import dataclass

from serinus.offline.sandbox.platform_log import iso_ms
from serinus.offline.sandbox.signals import Answered, Exited, Failed, OutOfMemory, Signal, TimedOut
from serinus.offline.sandbox.worker import MAX_RESPONSE_BYTES


@dataclass(frozen=True, slots=True)
class SignalOutcome:
    """One invocation's response, the platform's log line, and whether the worker must end (``fatal``)."""

    payload: bytes
    function_error: str | None
    status: str = "success"
    error_type: str | None = None
    log_line: str | None = None
    fatal: bool = False


def outcome_of(signal: Signal, request_id: str, at: float) -> SignalOutcome:
    """The outcome of an invocation that ``signal`` ended at cloud time ``at``."""
    match signal:
        case Answered(body, size_bytes) if size_bytes <= MAX_RESPONSE_BYTES:
            return SignalOutcome(body, None)
        case Answered(_, size_bytes):
            message = (
                f"Response payload size ({size_bytes} bytes) exceeded maximum allowed payload size "
                f"({MAX_RESPONSE_BYTES} bytes)."
            )
            kind = "Function.ResponseSizeTooLarge"
            return SignalOutcome(_error(kind, message), "Unhandled", "error", kind, message)
        case Failed(body, error_type):
            return SignalOutcome(body, "Handled" if error_type == "Handled" else "Unhandled")
        case Exited():
            return _exit(signal, request_id)
        case OutOfMemory():
            return _exit(Exited(-9), request_id)
        case TimedOut(limit_s):
            words = f"Task timed out after {limit_s:.2f} seconds"
            line = f"{iso_ms(at)} {request_id} {words}\n"
            kind = "Sandbox.Timedout"
            message = f"RequestId: {request_id} Error: {words}"
            return SignalOutcome(_error(kind, message), "Unhandled", "timeout", None, line, fatal=True)
        case _:
            kind = "Runtime.Unknown"
            message = f"RequestId: {request_id} Error: the runtime called the Runtime API out of order"
            return SignalOutcome(_error(kind, message), "Unhandled", "error", kind, message, fatal=True)


def _exit(signal: Exited, request_id: str) -> SignalOutcome:
    kind = "Runtime.ExitError"
    message = f"RequestId: {request_id} Error: {signal.reason}"
    return SignalOutcome(_error(kind, message), "Unhandled", "error", kind, f"{message}\n{kind}", fatal=True)


def init_status(signal: Signal) -> tuple[str, str | None]:
    """Status and error type of an INIT_REPORT line."""
    match signal:
        case TimedOut():
            return "timeout", None
        case Failed(_, error_type):
            return "error", error_type
        case _:
            return "error", "Runtime.ExitError"


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()
