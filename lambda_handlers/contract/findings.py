"""Names of what the monitor reports: `infra` writes them into alarms and rules, the monitor publishes them."""

#: The number of an endpoint's findings, in `signals.METRIC_NAMESPACE` by `signals.DIMENSION_FUNCTION` alone: one
#: data point an hour.
METRIC_FINDINGS = "Findings"

#: EventBridge: a finding has begun or ended. The detail is the report; among its fields are the endpoint's
#: ``function``, a ``title`` and a ``text`` for people.
EVENT_SOURCE = "serinus.monitor"
EVENT_DETAIL_TYPE = "Model Monitor Finding"
