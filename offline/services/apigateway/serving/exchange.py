"""One request on its way through the gateway, and what became known of it so far.

Access logs, metrics, mapping templates and events all read from here. A `Passage` is what requests of REST and of
HTTP APIs have in common; an `Exchange` is a REST API's.
"""

import base64
import functools
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from serinus.offline.core.clock import monotonic
from serinus.offline.http.errors import GatewayError
from serinus.offline.http.request import GatewayRequest

if TYPE_CHECKING:
    from serinus.offline.http.signature import Caller
    from serinus.offline.services.apigateway.serving.compiled import CompiledStage, Route
    from serinus.offline.services.apigateway.store import Client

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@functools.lru_cache(maxsize=64)
def _common_log_time(epoch_s: int) -> str:
    at = datetime.fromtimestamp(epoch_s, UTC)
    return f"{at.day:02}/{MONTHS[at.month - 1]}/{at.year}:{at.hour:02}:{at.minute:02}:{at.second:02} +0000"


@dataclass(slots=True)
class Passage:
    """``cloud_time`` is when the request came, in epoch seconds; latencies are in real milliseconds."""

    request: GatewayRequest
    cloud_time: float
    trace_id: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_request_id: str = field(default_factory=lambda: base64.b64encode(os.urandom(11)).decode())
    started: float = field(default_factory=monotonic)
    path_parameters: dict[str, str] = field(default_factory=dict)
    caller: "Caller | None" = None
    integration_latency_ms: float | None = None
    integration_status: int | None = None
    integration_error: str | None = None
    integration_request_id: str | None = None
    #: The version of the function that answered.
    integration_version: str | None = None
    status: int = 0
    response_length: int = 0
    latency_ms: float = 0.0

    @property
    def request_time(self) -> str:
        """Cloud time in Common Log Format, as ``21/Nov/2026:02:03:04 +0000``."""
        return _common_log_time(int(self.cloud_time))


@dataclass(slots=True, kw_only=True)
class Exchange(Passage):
    """A request to a stage of a REST API."""

    stage: "CompiledStage"
    route: "Route | None" = None
    client: "Client | None" = None
    authorizer: dict[str, str] | None = None
    error: GatewayError | None = None

    @property
    def full_path(self) -> str:
        """AWS's ``requestContext.path``: with the stage, or behind a custom domain with the base path."""
        if self.request.domain_name is not None:
            return self.mapped_path
        return f"/{self.stage.name}{self.request.path}"

    @property
    def mapped_path(self) -> str:
        """The request's path, with the base path that a custom domain's mapping took."""
        return self.request.base_path + self.request.path

    @property
    def domain_name(self) -> str:
        return self.request.domain_name or self.stage.domain_name


def new_trace_id(cloud_time: float) -> str:
    """An X-Ray root as AWS makes one for a request that brings none."""
    return f"Root=1-{int(cloud_time):08x}-{os.urandom(12).hex()}"
