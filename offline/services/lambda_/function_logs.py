"""Where a function's log lines go: CloudWatch Logs, and as metrics what they embed (EMF).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
"""

from typing import TYPE_CHECKING, Any

from offline.sandbox.spec import FunctionSpec
from offline.services.logs import LogWriter

if TYPE_CHECKING:
    from offline.cloud.cloud import Cloud

EMF_MARK = '"_aws"'


class FunctionLogs:
    """Takes the lines of every worker."""

    def __init__(self, cloud: "Cloud", logs: LogWriter) -> None:
        self._cloud = cloud
        self._logs = logs

    def write(self, spec: FunctionSpec, stream: str, lines: list[tuple[float, str]]) -> None:
        self._logs.write(spec.region, spec.log_group, stream, lines)
        cloudwatch: Any = self._cloud.services.get("cloudwatch")
        for _, line in lines:
            if cloudwatch is not None and line.startswith("{") and EMF_MARK in line:
                cloudwatch.embed(spec.region, spec.log_group, line)
