"""CloudWatch: metrics, the alarms on them, and dashboards.

Anomaly detection, insight rules, metric streams, log alarms, mute rules and OpenTelemetry are not modelled; their
operations are rejected by name.
"""

import gzip
import logging

from moto.core.request import Request

from serinus.offline.core.ports import AlarmSubscriber
from serinus.offline.core.protocol import AwsResponse
from serinus.offline.services.cloudwatch.alarm_engine import state_of
from serinus.offline.services.cloudwatch.alarms_api import AlarmsApi
from serinus.offline.services.cloudwatch.base import MetricRegion
from serinus.offline.services.cloudwatch.dashboards_api import DashboardsApi
from serinus.offline.services.cloudwatch.emf import InvalidEmf, extract
from serinus.offline.services.cloudwatch.metrics_api import MetricsApi
from serinus.offline.services.cloudwatch.store import MetricKey, Sample

log = logging.getLogger(__name__)


class CloudWatch(MetricsApi, AlarmsApi, DashboardsApi):
    """The service as boto3's "cloudwatch"; requests are signed as "monitoring"."""

    name = "cloudwatch"
    missing_parameter = "MissingParameter"

    async def answer(self, request: Request, region: str, access_key: str) -> AwsResponse | None:
        """Serve one request; SDKs compress larger PutMetricData requests."""
        return await super().answer(uncompressed(request), region, access_key)

    async def start(self) -> None:
        self.engine.start()

    async def stop(self) -> None:
        self.engine.stop()

    def snapshot(self) -> dict[str, MetricRegion]:
        return self.regions

    def restore(self, saved: dict[str, MetricRegion]) -> None:
        self.regions.update(saved)

    def record(
        self,
        region: str,
        namespace: str,
        name: str,
        dimensions: dict[str, str],
        value: float,
        *,
        unit: str = "None",
        at: float | None = None,
        count: float = 1,
        resolution_s: int = 60,
    ) -> None:
        """Record a value observed ``count`` times, at cloud time ``at`` (default: now).

        Cheap and lock-free; safe from any thread. When it is visible is drawn by `visibility`.
        """
        now = self.context.clock.time()
        store = self.region(region).store
        key = MetricKey(namespace, name, tuple(sorted(dimensions.items())))
        store.put(
            Sample(
                self.visibility.visible_at(store, key, now),
                key,
                unit,
                now if at is None else at,
                resolution_s,
                value,
                count,
            )
        )

    def embed(self, region: str, log_group: str, line: str) -> None:
        """Record the metrics that a log line embeds, if any (EMF).

        Its timestamp is its writer's real time and is converted to cloud time. An invalid document yields no
        metrics; it counts as EMFValidationErrors of the log group, as on AWS.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
        """
        try:
            data = extract(line)
        except InvalidEmf as error:
            log.warning("no metrics extracted from a line of %s: %s", log_group, error)
            self.record(region, "AWS/Logs", "EMFValidationErrors", {"LogGroupName": log_group}, 1, unit="Count")
            return
        for datum in data or ():
            at = self.context.clock.at_real(datum.timestamp)
            for value in datum.values:
                self.record(
                    region,
                    datum.namespace,
                    datum.name,
                    datum.dimensions,
                    value,
                    unit=datum.unit,
                    at=at,
                    resolution_s=datum.resolution_s,
                )

    def alarm_state(self, region: str, name: str) -> str:
        """ "OK", "ALARM" or "INSUFFICIENT_DATA"; raises KeyError if the alarm does not exist."""
        state = state_of(self.region(region).alarms, name)
        if not state:
            raise KeyError(f"no alarm {name} in {region}")
        return state

    def subscribe(self, callback: AlarmSubscriber) -> None:
        """Call ``callback(region, alarm_name, old, new, reason)`` on the loop at each state change."""
        self.engine.subscribe(callback)


def uncompressed(request: Request) -> Request:
    """The request with its body decompressed."""
    if request.headers.get("Content-Encoding") != "gzip":
        return request
    headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
    return Request.from_primitives(request.method, request.url, headers, gzip.decompress(request.data))
