"""How late CloudWatch shows metrics: sent values, embedded metrics and Lambda's own; and ListMetrics.

Each sample is a metric of its own, with one value while it is new and one after that. A metric counts as new for
five minutes, as in the offline cloud (`serinus.offline.services.cloudwatch.visibility`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from serinus.cli.account_check.observation import clock_text, durations_text, seconds_text
from serinus.cli.account_check.session import ENDPOINT, CheckSession
from serinus.cli.endpoints import find_endpoint
from serinus.cli.errors import CliError
from serinus.cli.request_auth import auth_for
from serinus.infra.names import ALIAS, DEFAULT_ENVIRONMENT
from serinus.lambda_handlers.contract import signals

NAMESPACE = "SerinusAccountCheck"
LAMBDA = "AWS/Lambda"
SENT_SAMPLES, REQUEST_SAMPLES, LISTED_SAMPLES = 15, 5, 3
#: Cloud seconds between two samples: one minute's alarm or flush must not catch them all.
APART_S = 4.0
NEW_S = 300.0
LONGEST_DELAY_S = 20 * 60.0
_READY_TIMEOUT_S = 300.0
#: Differences below it come from how often a check looks.
RESOLUTION_S = 3.0


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of CloudWatch."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    def query(self, identifier: str, statistic: str = "SampleCount") -> dict[str, Any]:
        """A query of GetMetricData by the minute."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}


@dataclass(slots=True)
class Sample:
    """The ``nth`` value of ``series``, sent at ``sent_at``."""

    series: Series
    nth: int
    sent_at: float


@dataclass
class DelayMeasurement:
    """Sends values and looks when they can be read; `watch` is called at each look until it returns True."""

    session: CheckSession
    since: float
    statistic: str = "SampleCount"
    pending: list[Sample] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)

    def watch(self) -> bool:
        if self.pending:
            counts = count_values(
                self.session, [sample.series for sample in self.pending], self.since, self.statistic
            )
            now = self.session.now()
            seen = [sample for sample in self.pending if counts[sample.series] >= sample.nth]
            self.delays_s += [now - sample.sent_at for sample in seen]
            self.pending = [sample for sample in self.pending if sample not in seen]
        return not self.pending


def count_values(
    session: CheckSession, series: Sequence[Series], since: float, statistic: str = "SampleCount"
) -> dict[Series, float]:
    """How many values of each can be read, from ``since`` (epoch seconds) on."""
    distinct = list(dict.fromkeys(series))
    queries = [entry.query(f"m{number}", statistic) for number, entry in enumerate(distinct)]
    pages = (
        session.client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(MetricDataQueries=queries, StartTime=since - 60, EndTime=session.now() + 120)
    )
    counts = dict.fromkeys(distinct, 0.0)
    for page in pages:
        for result in page["MetricDataResults"]:
            counts[distinct[int(result["Id"][1:])]] += sum(result["Values"])
    return counts


def send_value(session: CheckSession, series: Series, value: float = 1.0) -> float:
    """Send one value; returns when."""
    dimensions = [{"Name": name, "Value": text} for name, text in series.dimensions]
    session.client("cloudwatch").put_metric_data(
        Namespace=series.namespace,
        MetricData=[{"MetricName": series.name, "Dimensions": dimensions, "Value": value}],
    )
    return session.now()


class Requests:
    """Requests to the endpoint, through its API."""

    def __init__(self, session: CheckSession, project: Any) -> None:
        endpoint = find_endpoint(project, DEFAULT_ENVIRONMENT, ENDPOINT, session.target)
        self._url = f"{endpoint.url}/predict"
        self._auth = auth_for(endpoint, session.target)
        use_proxy = session.target.cloud is None
        self._http = httpx.Client(trust_env=use_proxy, timeout=40)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def send(self) -> int:
        """The status of one request's response."""
        body = b'{"rows": [{"a": 0.5, "b": -0.25, "c": 1.0}]}'
        response = self._http.post(self._url, content=body, headers=self._auth.headers(self._url, body))
        return response.status_code


def measure_metric_delays(
    session: CheckSession, send_request: Callable[[], int], meanwhile: Callable[[], None]
) -> None:
    """Observe metric-delay, new-metric-delay and, in the background, list-metrics-delay. ``meanwhile`` is done
    while the metrics age. The endpoint must have no other requests."""
    since = session.now()
    _watch_listing(session)
    sent = [Series(NAMESPACE, f"Delay{number}", (("Run", session.run),)) for number in range(SENT_SAMPLES)]
    of_requests = _request_series(session)
    new, _ = _measure(session, since, sent, of_requests, send_request, nth=1)
    meanwhile()
    age_s = session.now() - since
    session.waiting.pass_time(NEW_S + SENT_SAMPLES * APART_S - age_s)
    established, kinds = _measure(session, since, sent, of_requests, send_request, nth=2)
    at = f"{len(established)} values from {clock_text(since)} on"
    if not new or not established:
        reason = f"no metric was seen within {LONGEST_DELAY_S / 60:.0f} minutes"
        session.observe("metric-delay", None, reason)
        session.observe("new-metric-delay", None, reason)
        return
    session.observe(
        "metric-delay",
        seconds_text(established, RESOLUTION_S),
        at,
        *(f"{kind}: {durations_text(delays)}" for kind, delays in kinds.items() if delays),
    )
    session.observe(
        "new-metric-delay",
        seconds_text(new, RESOLUTION_S),
        f"first values of {len(new)} metrics: {durations_text(new)}",
    )


def _request_series(session: CheckSession) -> dict[str, Series]:
    version = session.client("lambda").get_alias(FunctionName=session.stack, Name=ALIAS)["FunctionVersion"]
    function = (signals.DIMENSION_FUNCTION, session.stack)
    return {
        "embedded metrics": Series(
            signals.METRIC_NAMESPACE, signals.METRIC_LATENCY, (function, (signals.DIMENSION_VERSION, version))
        ),
        "Lambda's metrics": alias_series(session, ALIAS, "Invocations"),
    }


def alias_series(session: CheckSession, alias: str, metric: str, version: str | None = None) -> Series:
    """Lambda's metric of an alias; of the calls of one ``version`` if given."""
    dimensions = [("FunctionName", session.stack), ("Resource", f"{session.stack}:{alias}")]
    if version is not None:
        dimensions.append(("ExecutedVersion", version))
    return Series(LAMBDA, metric, tuple(dimensions))


def _measure(
    session: CheckSession,
    since: float,
    sent: Sequence[Series],
    of_requests: dict[str, Series],
    send_request: Callable[[], int],
    *,
    nth: int,
) -> tuple[list[float], dict[str, list[float]]]:
    """Delays of the ``nth`` values; all, and by kind of metric."""
    kinds = {kind: DelayMeasurement(session, since) for kind in ("sent values", *of_requests)}
    measuring = list(kinds.values())
    answered = (nth - 1) * REQUEST_SAMPLES
    for number, series in enumerate(sent):
        session.inventory.on_step("send a value")
        kinds["sent values"].pending.append(Sample(series, nth, send_value(session, series)))
        if number < REQUEST_SAMPLES:
            at = _request(session, send_request)
            for kind, request_series in of_requests.items():
                kinds[kind].pending.append(Sample(request_series, answered + number + 1, at))
        _look(measuring)
        session.waiting.until(lambda: _look(measuring) and None, APART_S)
    session.waiting.until(lambda: _look(measuring), LONGEST_DELAY_S, what="metrics")
    delays = {kind: measurement.delays_s for kind, measurement in kinds.items()}
    return [delay for kind in delays.values() for delay in kind], delays


def _request(session: CheckSession, send_request: Callable[[], int]) -> float:
    """When a request was sent that was answered: a new API refuses its key for some seconds."""
    sent_at, status = 0.0, 0

    def answered() -> bool:
        nonlocal sent_at, status
        sent_at, status = session.now(), send_request()
        return status == httpx.codes.OK

    if session.waiting.until(answered, _READY_TIMEOUT_S, every_s=2.0, what="a response") is None:
        raise CliError(f"the endpoint {session.stack} responds {status} to a valid request; see its logs")
    return sent_at


def _look(measuring: Sequence[DelayMeasurement]) -> bool:
    complete = [measurement.watch() for measurement in measuring]
    return all(complete)


def _watch_listing(session: CheckSession) -> None:
    """Observe list-metrics-delay at the looks of later waits."""
    series = [Series(NAMESPACE, f"Listed{number}", (("Run", session.run),)) for number in range(LISTED_SAMPLES)]
    sent_at = {entry.name: send_value(session, entry) for entry in series}
    delays_s: dict[str, float] = {}
    next_look = 0.0

    def watch() -> bool:
        nonlocal next_look
        now = session.now()
        if now < next_look:
            return False
        for name in [name for name in sent_at if name not in delays_s]:
            listed = session.client("cloudwatch").list_metrics(
                Namespace=NAMESPACE, MetricName=name, Dimensions=[{"Name": "Run", "Value": session.run}]
            )["Metrics"]
            if listed:
                delays_s[name] = session.now() - sent_at[name]
        waited_s = now - min(sent_at.values())
        next_look = now + max(1.0, waited_s * 0.02)
        if len(delays_s) == len(sent_at):
            session.observe(
                "list-metrics-delay",
                seconds_text(delays_s.values(), max(RESOLUTION_S, 0.03 * waited_s)),
                f"{len(delays_s)} new metrics from {clock_text(min(sent_at.values()))} on: "
                f"{durations_text(delays_s.values())}",
            )
            return True
        return False

    session.waiting.watchers.append(watch)


def observe_empty_series(session: CheckSession) -> None:
    """Observe empty-series by a query of GetMetricData; an alarm's expressions are not tried."""
    never = Series(NAMESPACE, "NeverSent", (("Run", session.run),)).query("never", "Sum")
    queries = [{**never, "ReturnData": False}, {"Id": "filled", "Expression": "FILL(never, 0)"}]
    now = session.now()
    result = session.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - 600, EndTime=now
    )["MetricDataResults"]
    values = [value for entry in result for value in entry["Values"]]
    session.observe(
        "empty-series",
        "filled" if values else "not-filled",
        f"GetMetricData returned {len(values)} values of FILL(m, 0) over ten minutes of a metric without values",
    )
