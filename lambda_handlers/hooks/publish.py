"""Publishes a verdict: as a metric, whose alarm stops CodeDeploy; as an event, for subscribers; as a log line."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from serinus.lambda_handlers.contract import journal, release, signals
from serinus.lambda_handlers.contract.release import Verdict
from serinus.lambda_handlers.hooks.deployment import Deployment
from serinus.lambda_handlers.hooks.judgement import Judgement
from serinus.lambda_handlers.hooks.settings import Settings

if TYPE_CHECKING:
    from serinus.lambda_handlers.hooks.metrics import CloudWatch


class Events(Protocol):
    """boto3's EventBridge client, as far as it is used here."""

    def put_events(self, **parameters: Any) -> dict[str, Any]: ...


def publish(
    cloudwatch: "CloudWatch",
    events: Events,
    judgement: Judgement,
    deployment: Deployment,
    settings: Settings,
    now: float,
    *,
    final: bool,
) -> dict[str, Any]:
    """Publish the verdict as of ``now`` (epoch seconds), ``final`` if it decides the release; returns the event's
    detail. The metric comes first: stopping a bad release must not wait for a notification."""
    at = datetime.fromtimestamp(now, UTC)
    of_function = {signals.DIMENSION_FUNCTION: settings.function}
    of_version = of_function | {signals.DIMENSION_VERSION: deployment.canary}
    data = [_datum(judgement.verdict, dimensions, at) for dimensions in (of_version, of_function)]
    cloudwatch.put_metric_data(Namespace=signals.METRIC_NAMESPACE, MetricData=data)
    detail = record(judgement, deployment, settings, now, final=final)
    entry = {
        "Source": release.EVENT_SOURCE,
        "DetailType": release.EVENT_DETAIL_TYPE,
        "Detail": json.dumps(detail),
        "Time": at,
    }
    response = events.put_events(Entries=[entry])
    if response["FailedEntryCount"]:
        journal.write("the verdict's event was refused", entries=response["Entries"])
    return detail


def publish_presence(cloudwatch: "CloudWatch", function: str, now: float) -> None:
    """Publish that the judge runs as of ``now`` (epoch seconds), with no verdict on any version: its silence while
    traffic returns to an earlier version would fire an alarm, and stop the return."""
    datum = _datum(
        Verdict.NOT_ENOUGH_EVIDENCE, {signals.DIMENSION_FUNCTION: function}, datetime.fromtimestamp(now, UTC)
    )
    cloudwatch.put_metric_data(Namespace=signals.METRIC_NAMESPACE, MetricData=[datum])


def _datum(verdict: Verdict, dimensions: Mapping[str, str], at: datetime) -> dict[str, Any]:
    return {
        "MetricName": release.METRIC_VERDICT,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Timestamp": at,
        "Value": release.VERDICT_VALUES[verdict],
    }


def record(
    judgement: Judgement, deployment: Deployment, settings: Settings, now: float, *, final: bool
) -> dict[str, Any]:
    """Log the verdict as of ``now`` (epoch seconds); returns its detail."""
    detail = {
        "function": settings.function,
        "alias": settings.alias,
        "deployment": deployment.id,
        "stable": deployment.stable,
        "canary": deployment.canary,
        "weight_percent": round(deployment.weight * 100, 6),
        "time": datetime.fromtimestamp(now, UTC).isoformat(),
        "final": final,
        **judgement.to_json(),
    }
    # With what it was judged by, since a later deploy changes the function's own settings.
    journal.write("verdict", **detail, settings=asdict(settings))
    return detail
