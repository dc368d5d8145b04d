"""Sends a function's log lines to CloudWatch Logs and their embedded metrics (EMF) to CloudWatch.

Lambda writes logs with the function's role. Without its permission nothing is written, and a log line that never
reached CloudWatch Logs embeds no metrics.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
"""

import functools

from serinus.offline.authorization.resources import log_arn
from serinus.offline.core.logs import LogWriter
from serinus.offline.core.ports import FunctionRoles, MetricSink
from serinus.offline.sandbox.spec import FunctionSpec

EMF_MARK = '"_aws"'


class FunctionLogs:
    """Accepts the lines of every worker."""

    def __init__(self, logs: LogWriter, metrics: MetricSink, roles: FunctionRoles) -> None:
        self._logs = logs
        self._metrics = metrics
        self._roles = roles

    def write(self, spec: FunctionSpec, stream: str, lines: list[tuple[float, str]]) -> None:
        may = functools.partial(self._may, spec, stream)
        self._logs.write(spec.region, spec.log_group, stream, lines, may)
        embedding = [line for _, line in lines if line.startswith("{") and EMF_MARK in line]
        if not embedding or not self._logs.takes(spec.region, spec.log_group, stream, may):
            return
        for line in embedding:
            self._metrics.embed(spec.region, spec.log_group, line)

    def _may(self, spec: FunctionSpec, stream: str, action: str) -> bool:
        about = "" if action == "CreateLogGroup" else stream
        arn = log_arn(spec.region, spec.account_id, spec.log_group, about)
        return self._roles.allows(spec.role, f"logs:{action}", arn, spec.region)
