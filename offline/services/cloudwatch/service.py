"""CloudWatch: metrics, the alarms on them, and dashboards.

Anomaly detection, insight rules, metric streams, log alarms, mute rules and OpenTelemetry have no operation
here and are refused by name.
"""

from offline.services.cloudwatch.alarm_engine import Subscriber, state_of
from offline.services.cloudwatch.alarms_api import AlarmsApi
from offline.services.cloudwatch.dashboards_api import DashboardsApi
from offline.services.cloudwatch.emf import MetricDatum
from offline.services.cloudwatch.metrics_api import MetricsApi
from offline.services.cloudwatch.store import MetricKey, Sample


class CloudWatch(MetricsApi, AlarmsApi, DashboardsApi):
    """The service as boto3's "cloudwatch"; requests are signed as "monitoring"."""

    name = "cloudwatch"

    async def start(self) -> None:
        self.engine.start()

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
        """Take in a value that came ``count`` times, at cloud time ``at`` (default: now).

        Cheap and lock-free; safe from any thread. It is seen `metric_delay_s` after this call.
        """
        now = self.cloud.clock.time()
        self.region(region).store.put(
            Sample(
                now + self.cloud.config.metric_delay_s,
                MetricKey(namespace, name, tuple(sorted(dimensions.items()))),
                unit,
                now if at is None else at,
                resolution_s,
                value,
                count,
            )
        )

    def record_embedded(self, region: str, data: list[MetricDatum]) -> None:
        """Take in what `emf.extract` found in a log line; its real timestamps become cloud time."""
        for datum in data:
            at = self.cloud.clock.at_real(datum.timestamp)
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
        """ "OK", "ALARM" or "INSUFFICIENT_DATA"; raises KeyError for an alarm that does not exist."""
        state = state_of(self.region(region).alarms, name)
        if not state:
            raise KeyError(f"no alarm {name} in {region}")
        return state

    def subscribe(self, callback: Subscriber) -> None:
        """Have ``callback(region, alarm_name, old, new, reason)`` called, on the loop, at each change of state."""
        self.engine.subscribe(callback)
