"""The record of one request through a deployed API, as far as REST and HTTP APIs are alike.

Access logs, metrics, mapping templates and events all read from here.
"""

import base64
import functools
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from serinus.offline.core.clock import monotonic
from serinus.offline.http.request import GatewayRequest

if TYPE_CHECKING:
    from serinus.offline.http.signature import Caller

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@functools.lru_cache(maxsize=64)
def _common_log_time(epoch_s: int) -> str:
    at = datetime.fromtimestamp(epoch_s, UTC)
    return f"{at.day:02}/{MONTHS[at.month - 1]}/{at.year}:{at.hour:02}:{at.minute:02}:{at.second:02} +0000"


class ServedStage(Protocol):
    """A stage of either kind of API, compiled for serving."""

    @property
    def region(self) -> str: ...

    @property
    def account_id(self) -> str: ...

    @property
    def api_id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def domain_name(self) -> str:
        """The API's own, under execute-api."""


@dataclass(slots=True)
class Passage:
    """``cloud_time`` is the request's time in epoch seconds; latencies are in real milliseconds."""

    request: GatewayRequest
    cloud_time: float
    trace_id: str
    stage: ServedStage = field(kw_only=True)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_request_id: str = field(default_factory=lambda: base64.b64encode(os.urandom(11)).decode())
    started: float = field(default_factory=monotonic)
    path_parameters: dict[str, str] = field(default_factory=dict)
    caller: "Caller | None" = None
    integration_latency_ms: float | None = None
    integration_status: int | None = None
    integration_error: str | None = None
    integration_request_id: str | None = None
    #: The function's version that ran.
    integration_version: str | None = None
    status: int = 0
    response_length: int = 0
    latency_ms: float = 0.0

    @property
    def request_time(self) -> str:
        """Cloud time in Common Log Format, as ``21/Nov/2026:02:03:04 +0000``."""
        return _common_log_time(int(self.cloud_time))

    @property
    def domain_name(self) -> str:
        """The domain that the client named: a custom one, or the API's own."""
        return self.request.domain_name or self.stage.domain_name


def new_trace_id(cloud_time: float) -> str:
    """An X-Ray root, as AWS creates for a request without one."""
    return f"Root=1-{int(cloud_time):08x}-{os.urandom(12).hex()}"
