"""One endpoint's look: reads what was collected since the last, gathers evidence, and reports what it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from serinus.lambda_handlers.contract.monitored import Monitored
from serinus.lambda_handlers.monitoring import findings
from serinus.lambda_handlers.monitoring.clocks import Clocks, ClockSettings, StaleStateError
from serinus.lambda_handlers.monitoring.endpoint_state import BaselineState, EndpointState
from serinus.lambda_handlers.monitoring.endpoint_streams import EndpointStreams
from serinus.lambda_handlers.monitoring.findings import Finding
from serinus.lambda_handlers.monitoring.hours import DELIVERY_HOURS, Block, Hour, read_hours
from serinus.lambda_handlers.monitoring.store import HOUR_S, Store, moment_of

#: Lines are kept for a week: a monitor that was away longer begins with the last hours of it.
MOST_HOURS = 6 * 24


class CloudWatch(Protocol):
    """boto3's CloudWatch client, as far as it is used here."""

    def get_metric_data(self, **parameters: Any) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """An endpoint's: ``function`` and ``alias``, its clocks, and the names of columns that are not tested."""

    function: str
    alias: str
    clocks: ClockSettings
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """``data`` as it is kept and published; ``began`` and ``ended`` are the findings that changed."""

    data: dict[str, Any]
    began: tuple[dict[str, Any], ...]
    ended: tuple[dict[str, Any], ...]


def look_at(
    store: Store, cloudwatch: CloudWatch, settings: MonitorSettings, state: EndpointState, hour: int
) -> EndpointReport:
    """Look at all hours since the last look up to ``hour`` (since 1970), and bring ``state`` up to date. It writes
    hours' sums alone."""
    first = _first_hour(store, settings.function, state, hour)
    listed = list(store.list_lines(settings.function, first - DELIVERY_HOURS))
    sums = read_hours(store, settings.function, range(first, hour + 1), listed, state.counted)
    monitored: dict[str, EndpointStreams | None] = {}
    for hour_sums in sums:
        store.put_hour(settings.function, hour_sums.hour, hour_sums.to_json())
        _gather(store, settings, state, hour_sums, monitored)
        invoked = _count_invocations(cloudwatch, settings, hour_sums.hour)
        state.coverage.append([hour_sums.hour, hour_sums.total("requests"), invoked])
        state.forget(hour_sums.hour)
    state.hour = hour
    return _report(state, settings, sums, monitored)


def _first_hour(store: Store, function: str, state: EndpointState, hour: int) -> int:
    if state.hour is not None:
        return max(state.hour + 1, hour + 1 - MOST_HOURS)
    collected = [item.hour for item in store.list_lines(function, hour + 1 - MOST_HOURS) if item.hour <= hour]
    return max(min(collected, default=hour), hour + 1 - MOST_HOURS)


def _gather(
    store: Store,
    settings: MonitorSettings,
    state: EndpointState,
    sums: Hour,
    monitored: dict[str, EndpointStreams | None],
) -> None:
    """Add an hour's evidence to ``state``. A baseline under which nothing was counted has no look."""
    for baseline in {*state.baselines, *sums.blocks}:
        if baseline not in monitored:
            monitored[baseline] = _read_streams(store, settings, baseline)
        streams, kept = monitored[baseline], state.baselines.setdefault(baseline, BaselineState())
        blocks = [block for _, block in sorted(sums.blocks.get(baseline, {}).items())]
        if blocks:
            kept.recent.append([sums.hour, *_sum(blocks)])
        if streams is None:
            continue
        clocks = _restore(kept, streams, settings)
        looks = clocks.look(sums.hour, *streams.count(blocks))
        kept.clocks = clocks.to_json()
        for clock, evidence in looks._asdict().items():
            if evidence is not None:
                kept.looks[clock] = findings.describe_look(evidence, sums.hour, streams)


def _read_streams(store: Store, settings: MonitorSettings, baseline: str) -> EndpointStreams | None:
    kept = store.get_reference(settings.function, baseline)
    return None if kept is None else EndpointStreams(Monitored.from_json(kept["reference"]), settings.ignored)


def _restore(kept: BaselineState, streams: EndpointStreams, settings: MonitorSettings) -> Clocks:
    """The clocks as they were left; new ones where reference or settings are others since."""
    if kept.clocks is not None:
        try:
            return Clocks.from_json(streams.streams, settings.clocks, kept.clocks)
        except StaleStateError:
            kept.looks = {}
    return Clocks.new(streams.streams, settings.clocks)


def _sum(blocks: list[Block]) -> list[Any]:
    counts = [sum(column) for column in zip(*(block.counts for block in blocks), strict=True)]
    return [*(sum(getattr(block, name) for block in blocks) for name in ("requests", "refused", "rows")), counts]


def _recent(kept: BaselineState) -> Block:
    """The sums of the last day."""
    blocks = [Block(*item[1:]) for item in kept.recent]
    return Block(*_sum(blocks)) if blocks else Block()


def _count_invocations(cloudwatch: CloudWatch, settings: MonitorSettings, hour: int) -> int:
    dimensions = {"FunctionName": settings.function, "Resource": f"{settings.function}:{settings.alias}"}
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "invoked", "MetricStat": {"Metric": metric, "Period": HOUR_S, "Stat": "Sum"}}],
        StartTime=moment_of(hour),
        EndTime=moment_of(hour + 1),
    )
    values: list[float] = answer["MetricDataResults"][0]["Values"]
    return round(sum(values))


def _report(
    state: EndpointState,
    settings: MonitorSettings,
    sums: list[Hour],
    monitored: Mapping[str, EndpointStreams | None],
) -> EndpointReport:
    standing: list[Finding] = findings.find_coverage(state.coverage)
    described = []
    for baseline, kept in list(state.baselines.items()):
        if not kept.recent:
            # For a day no version has counted under it.
            del state.baselines[baseline]
            continue
        streams, recent = monitored[baseline], _recent(kept)
        if streams is None:
            standing.append(findings.unknown_reference(baseline))
            continue
        standing += findings.find_drift(kept.looks, streams, baseline, recent)
        broken = [
            finding
            for hour in sums
            if (blocks := list(hour.blocks.get(baseline, {}).values()))
            for finding in findings.find_broken_limits(streams, baseline, Block(*_sum(blocks)))
        ]
        standing += {finding.identity: finding for finding in broken}.values()
        described.append(
            {
                "baseline": baseline,
                "reference": streams.monitored.reference,
                "rows": recent.rows,
                "requests": recent.requests,
                "refused": recent.refused,
                "looks": kept.looks,
                "columns": findings.day_columns(streams, recent),
                "unwatched": dict(streams.monitored.unwatched),
            }
        )
    now = moment_of(sums[-1].hour + 1).isoformat()
    before = {tuple(item["identity"]): item for item in state.findings}
    after = [_stamped(finding, before, now) for finding in standing]
    current = {tuple(item["identity"]) for item in after}
    state.findings = after
    data = {
        "function": settings.function,
        "until": now,
        "title": _title(settings.function, after),
        "text": _text(after, described),
        "findings": after,
        "baselines": described,
        "coverage": {
            "counted": sum(item[1] for item in state.coverage),
            "invoked": sum(item[2] for item in state.coverage),
        },
        "late_rows": sum(hour.late for hour in sums),
    }
    return EndpointReport(
        data,
        tuple(item for item in after if tuple(item["identity"]) not in before),
        tuple(item for identity, item in before.items() if identity not in current),
    )


def _stamped(finding: Finding, before: Mapping[tuple[str, ...], dict[str, Any]], now: str) -> dict[str, Any]:
    since = before[finding.identity]["since"] if finding.identity in before else now
    return {**finding._asdict(), "identity": list(finding.identity), "since": since}


def _title(function: str, standing: list[dict[str, Any]]) -> str:
    if not standing:
        return f"{function}: nothing differs from the reference"
    columns = [item["column"] or item["kind"] for item in standing]
    named = ", ".join(columns[:3]) + (f" and {len(columns) - 3} more" if len(columns) > 3 else "")
    return f"{function}: {'drift' if standing[0]['kind'] == 'drift' else standing[0]['kind']} ({named})"


def _text(standing: list[dict[str, Any]], described: list[dict[str, Any]]) -> str:
    if standing:
        return ". ".join(item["text"] for item in standing) + "."
    rows = sum(item["rows"] for item in described)
    return f"{rows:,} rows of the last day were compared." if rows else "No rows were counted in the last day."
