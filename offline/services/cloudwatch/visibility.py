"""When alarms and queries see a metric's values, and ListMetrics a new metric: later than they were sent.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html
"""

import random

from serinus.offline.core.ports import CloudContext
from serinus.offline.services.cloudwatch.store import MetricKey, MetricStore

#: The age up to which a metric counts as new.
NEW_S = 300.0


class Visibility:
    """Draws the delays of one cloud; the same seed draws the same delays again."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context
        self._source = random.Random(context.config.seed)

    def visible_at(self, store: MetricStore, key: MetricKey, sent_at: float) -> float:
        """When a value of ``key`` that was sent at ``sent_at`` is seen; both in cloud epoch seconds."""
        readings = self._context.config.readings
        first_sent_at = store.first_sent(key)
        if first_sent_at is None:
            listed_at = sent_at + readings.list_metrics_delay.sample(self._source)
            first_sent_at = store.introduce(key, sent_at, listed_at)
        delay_s = readings.metric_delay.sample(self._source)
        if readings.new_metric_delay and sent_at - first_sent_at < NEW_S:
            delay_s = max(delay_s, readings.new_metric_delay.sample(self._source))
        return sent_at + delay_s
