"""The sandbox's input and output: a function version, an invocation, and its outcome.

The Lambda service owns functions, versions and aliases; the sandbox sees only these values.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

InitializationType = Literal["on-demand", "provisioned-concurrency", "snap-start"]


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip on disk: a function's code, or one version of a layer."""

    name: str
    sha256: str
    path: Path


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function version as a worker needs it; ``revision`` changes whenever another field does."""

    region: str
    account_id: str
    name: str
    version: str
    revision: str
    runtime: str
    handler: str
    role: str
    memory_mb: int
    timeout_s: int
    code: Archive
    layers: tuple[Archive, ...] = ()
    environment: dict[str, str] = field(default_factory=dict, hash=False)
    log_group: str = ""
    log_format: Literal["Text", "JSON"] = "Text"
    application_log_level: str | None = None
    system_log_level: str = "INFO"
    snap_start: bool = False
    tracing_active: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.region, self.name, self.version)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for a worker."""

    request_id: str
    arn: str
    payload: bytes
    client_context: str | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class InvocationOutcome:
    """How an invocation ended. ``function_error`` is None, "Handled" or "Unhandled", as in AWS's header.

    ``duration_ms`` is the handler's time without init; ``log_tail`` the last 4 KB of the invocation's log.
    """

    payload: bytes
    function_error: str | None
    duration_ms: float
    log_tail: str
    provisioned: bool = False
