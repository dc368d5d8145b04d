"""Where a function's log lines go: CloudWatch Logs, and as metrics what they embed (EMF).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
"""

import logging
from typing import TYPE_CHECKING, Any

from offline.sandbox.spec import FunctionSpec
from offline.services.cloudwatch.emf import InvalidEmf, extract
from offline.services.logs import LogWriter

if TYPE_CHECKING:
    from offline.cloud.cloud import Cloud

log = logging.getLogger(__name__)

EMF_MARK = '"_aws"'


class FunctionLogs:
    """Takes the lines of every worker."""

    def __init__(self, cloud: "Cloud", logs: LogWriter) -> None:
        self._cloud = cloud
        self._logs = logs

    def write(self, spec: FunctionSpec, stream: str, lines: list[tuple[float, str]]) -> None:
        self._logs.write(spec.region, spec.log_group, stream, lines)
        for _, line in lines:
            if line.startswith("{") and EMF_MARK in line:
                self._record_embedded(spec.region, line)

    def _record_embedded(self, region: str, line: str) -> None:
        cloudwatch: Any = self._cloud.services.get("cloudwatch")
        if cloudwatch is None:
            return
        try:
            data = extract(line) or []
        except InvalidEmf as error:
            log.warning("no metrics taken from a log line: %s", error)
            return
        for datum in data:
            at = self._cloud.clock.at_real(datum.timestamp)
            for value in datum.values:
                cloudwatch.record(
                    region, datum.namespace, datum.name, datum.dimensions, value, unit=datum.unit, at=at
                )
