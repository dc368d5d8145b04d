"""The monitor: invoked every hour by a schedule, it looks at all endpoints of the environment.

The time is the event's, never this machine's clock, so that a look can be repeated. A look that another run has
finished meanwhile is given up. An endpoint whose look fails does not keep the others from theirs; the function
then fails, which an alarm sees.
"""

import json
import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

import boto3

from serinus.lambda_handlers.contract import journal, signals
from serinus.lambda_handlers.contract.findings import EVENT_DETAIL_TYPE, EVENT_SOURCE, METRIC_FINDINGS
from serinus.lambda_handlers.contract.monitored import ENV_BUCKET, ENV_MONITORED
from serinus.lambda_handlers.contract.release import ENV_ALIAS
from serinus.lambda_handlers.monitoring.clocks import ClockSettings
from serinus.lambda_handlers.monitoring.endpoint_look import CloudWatch, EndpointReport, MonitorSettings, look_at
from serinus.lambda_handlers.monitoring.endpoint_state import EndpointState
from serinus.lambda_handlers.monitoring.store import HOUR_S, Store, WrittenMeanwhile

#: EventBridge refuses larger entries: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
_LARGEST_DETAIL_BYTES = 240_000


class Events(Protocol):
    """boto3's EventBridge client, as far as it is used here."""

    def put_events(self, **parameters: Any) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class MonitorContext:
    """The bucket, AWS clients and environment variables."""

    store: Store
    cloudwatch: CloudWatch
    events: Events
    environ: Mapping[str, str]


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Look at the hour before the event's ``time``, and at those before it that were not looked at; returns each
    endpoint's title. Raises RuntimeError where an endpoint's look failed, after all others."""
    return monitor(event, _monitor_context())


@lru_cache(maxsize=1)
def _monitor_context() -> MonitorContext:
    store = Store(boto3.client("s3"), os.environ[ENV_BUCKET])
    return MonitorContext(store, boto3.client("cloudwatch"), boto3.client("events"), os.environ)


def monitor(event: Mapping[str, Any], context: MonitorContext) -> dict[str, Any]:
    """As `handler`, with the clients and variables of ``context``."""
    moment = datetime.fromisoformat(event["time"])
    hour = int(moment.timestamp()) // HOUR_S - 1
    titles, failed = {}, []
    for settings in read_settings(context.environ):
        try:
            report = _look(settings, hour, context)
            titles[settings.function] = report.data["title"] if report else "looked at already"
        except Exception:  # noqa: BLE001 - an endpoint's look must not cost the others theirs
            journal.write("a look failed", function=settings.function, error=traceback.format_exc())
            failed.append(settings.function)
    if failed:
        raise RuntimeError(f"the looks at {', '.join(failed)} failed: the log has each error")
    return titles


def read_settings(environ: Mapping[str, str]) -> list[MonitorSettings]:
    """The monitored endpoints."""
    return [
        MonitorSettings(
            function,
            environ[ENV_ALIAS],
            ClockSettings(**{name: given[name] for name in ("season", "rows") if name in given}),
            frozenset(given.get("ignore", ())),
        )
        for function, given in sorted(json.loads(environ[ENV_MONITORED]).items())
    ]


def _look(settings: MonitorSettings, hour: int, context: MonitorContext) -> EndpointReport | None:
    """None where the hour was looked at before."""
    stored = context.store.get_state(settings.function)
    state = EndpointState() if stored is None else EndpointState.from_json(stored.data)
    if state.hour is not None and state.hour >= hour:
        return None
    report = look_at(context.store, context.cloudwatch, settings, state, hour)
    if report.began or report.ended:
        _publish(report, context.events)
    moment = datetime.fromisoformat(report.data["until"])
    context.store.put_report(settings.function, moment, report.data)
    try:
        context.store.put_state(settings.function, state.to_json(), stored)
    except WrittenMeanwhile:
        journal.write("another run looked at this hour", function=settings.function, hour=hour)
        return None
    _write_metric(settings.function, len(report.data["findings"]))
    journal.write("look", function=settings.function, title=report.data["title"], text=report.data["text"])
    return report


def _publish(report: EndpointReport, events: Events) -> None:
    """Publish what began and ended, with the report; without its columns where it is too large."""
    detail = {**report.data, "began": list(report.began), "ended": list(report.ended)}
    if len(json.dumps(detail).encode()) > _LARGEST_DETAIL_BYTES:
        detail["baselines"] = [
            {key: value for key, value in item.items() if key not in ("columns", "looks")}
            for item in detail["baselines"]
        ]
    answer = events.put_events(
        Entries=[{"Source": EVENT_SOURCE, "DetailType": EVENT_DETAIL_TYPE, "Detail": json.dumps(detail)}]
    )
    if answer.get("FailedEntryCount"):
        raise RuntimeError(f"EventBridge did not accept the finding: {answer['Entries']}")


def _write_metric(function: str, count: int) -> None:
    """The number of findings as of now, in CloudWatch's embedded metric format."""
    metric = {
        "Namespace": signals.METRIC_NAMESPACE,
        "Dimensions": [[signals.DIMENSION_FUNCTION]],
        "Metrics": [{"Name": METRIC_FINDINGS, "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [metric]},
        signals.DIMENSION_FUNCTION: function,
        METRIC_FINDINGS: count,
    }
    print(json.dumps(line), flush=True)
