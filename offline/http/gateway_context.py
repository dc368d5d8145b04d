"""The cloud, as REST and HTTP gateways use it."""

from dataclasses import dataclass

from serinus.offline.authentication.credentials import CredentialStore
from serinus.offline.core.logs import LogWriter
from serinus.offline.core.ports import CloudContext, FunctionInvoker, MetricSink
from serinus.offline.http.limits import Throttles
from serinus.offline.http.request_log import RequestLog


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """``logs`` receives access and execution logs; ``requests`` keeps the latest requests for the console."""

    cloud: CloudContext
    functions: FunctionInvoker
    metrics: MetricSink
    credentials: CredentialStore
    logs: LogWriter
    throttles: Throttles
    requests: RequestLog
