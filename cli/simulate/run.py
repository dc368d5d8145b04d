"""A simulation from its deploy to the record of it: real functions, and time that is skipped between batches."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from serinus.cli.context import CommandContext
from serinus.cli.dev_tokens import dev_token
from serinus.cli.endpoints import find_endpoint
from serinus.cli.errors import CliError
from serinus.cli.monitoring.reader import MonitorBucket, open_bucket
from serinus.cli.rehearse.background import interrupts_ignored
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.environment import RehearsalEnvironment, rehearsal_environment
from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.run import deploy_stable
from serinus.cli.rehearse.workspace import create_workspace
from serinus.cli.request_auth import auth_for
from serinus.cli.simulate.drift import Changes, check_values, parse_drift
from serinus.cli.simulate.record import HourObserved, SimulationRecord
from serinus.cli.simulate.rows import (
    ClusteredRows,
    ReferenceRows,
    RowSource,
    read_monitored,
    read_rows,
    read_spread,
    split,
)
from serinus.infra.names import DRIFT, log_group_name, steady_alarm_name
from serinus.infra.release import pinned_bundle
from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.contract.signature import Signature

#: Requests are sent at these minutes of each hour: the monitor looks at minute 10.
BATCH_MINUTES = (2, 17, 32, 47)
#: The monitor's run of an hour is over by then, in minutes of the next.
_LOOKED_AT_MINUTE = 12
_HOUR_S, _DAY_HOURS = 3600, 24
#: Between two hours the monitor's environment is kept, as one that other endpoints use would be.
_READINGS = {"environment-idle-limit": "3600"}
#: Nothing is released while days pass; a judge would look every minute of them.
_OVERRIDES = {"monitor": {"enabled": True}, "rollout": {"strategy": "all_at_once"}}
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What to simulate. ``drifts`` as written; ``clusters`` is how many rows alike come together; ``data`` is a
    table that rows are drawn from, or replayed by column ``time_column``."""

    project: Path
    environment: str
    endpoint: str
    days: int
    rows_per_hour: int
    drifts: tuple[str, ...]
    season_sd: float
    clusters: int
    data: Path | None
    time_column: str | None
    seed: int


def run_simulation(
    options: SimulationOptions, view: LiveView, show: Callable[[int, int, str], None]
) -> SimulationRecord:
    """Simulate; leaves nothing running and nothing behind, however it ends. ``show`` is called after each day with
    its number, of how many, and what was found."""
    began = time.monotonic()
    copying = create_workspace(
        options.project, options.environment, options.endpoint, candidates={}, rate=100, overrides=_OVERRIDES
    )
    with copying as workspace:
        model = workspace.endpoint.model
        bundle = pinned_bundle(options.project, options.environment, model)
        signature = read_manifest(bundle).signature
        rows, days, replayed = _open_rows(options, bundle, signature)
        drifts = tuple(parse_drift(text, signature, days) for text in options.drifts)
        check_values(drifts, [column for column in read_monitored(bundle).columns if column.role == "input"])
        changes = Changes(list(drifts), signature, read_spread(bundle, signature), options.seed)
        record = SimulationRecord(
            options.endpoint,
            options.environment,
            days,
            None if replayed else options.rows_per_hour,
            drifts,
            _conditions(options),
        )
        view.stage("starting an offline cloud, building and synthesizing endpoint and monitor")
        with rehearsal_environment(
            options.project, workspace, seed=options.seed, metric_delay_s=0, readings=_READINGS
        ) as environment:
            deploy_stable(environment, view)
            record.seconds["prepare"] = time.monotonic() - began
            view.stage(f"simulating {days} days")
            simulation = _Simulation(options, environment, rows, changes, record)
            try:
                simulation.run(show)
            finally:
                with interrupts_ignored():
                    simulation.close()
            record.seconds["simulate"] = time.monotonic() - began - record.seconds["prepare"]
    return record


def _open_rows(options: SimulationOptions, bundle: Path, signature: Signature) -> tuple[RowSource, int, bool]:
    """The rows, how many days they are sent for, and whether a table is replayed by its own times."""
    if options.data is None:
        rows: RowSource = ReferenceRows(bundle, options.seed, options.season_sd)
        days, replayed = options.days, False
    else:
        table = read_rows(options.data, signature, options.time_column, options.seed)
        rows, days, replayed = table, table.days or options.days, table.days is not None
    return (ClusteredRows(rows, options.clusters) if options.clusters > 1 else rows), days, replayed


def _conditions(options: SimulationOptions) -> tuple[str, ...]:
    return (
        *([f"a daily season of {options.season_sd:g} standard deviations"] if options.season_sd else []),
        *([f"clusters of {options.clusters} rows alike"] if options.clusters > 1 else []),
        *([f"rows of {options.data.name}"] if options.data else []),
    )


class _Simulation:
    """Sends the traffic and reads what the monitor reports."""

    def __init__(
        self,
        options: SimulationOptions,
        environment: RehearsalEnvironment,
        rows: RowSource,
        changes: Changes,
        record: SimulationRecord,
    ) -> None:
        workspace, target = environment.workspace, environment.target
        self._rows, self._changes, self._record = rows, changes, record
        self._per_batch = options.rows_per_hour // len(BATCH_MINUTES)
        self._largest = workspace.endpoint.settings.max_rows
        self._clock = CloudTime(environment.cloud.own_api())
        endpoint = find_endpoint(workspace.stable.project, workspace.environment, options.endpoint, target)
        self._function = endpoint.function
        self._url = f"{endpoint.url.rstrip('/')}/predict"
        token = dev_token(environment.cloud, workspace.endpoint) if endpoint.auth == "jwt" else None
        self._auth = auth_for(endpoint, target, token)
        context = CommandContext(workspace.stable.project, workspace.environment, target)
        self._bucket: MonitorBucket = open_bucket(context, workspace.settings.project)
        self._logs = target.client("logs")
        self._alarms = target.client("cloudwatch")
        self._alarm = steady_alarm_name(endpoint.stack, DRIFT)
        self._client = httpx.Client(timeout=_PATIENCE_S, trust_env=False)

    def run(self, show: Callable[[int, int, str], None]) -> None:
        """All days, and the look at the last hour."""
        days = self._record.days
        # At the full hour after the deploy, so that the first hour is a whole one.
        first = (self._clock.now() // _HOUR_S + 1) * _HOUR_S
        for hour in range(_DAY_HOURS * days):
            begins = first + hour * _HOUR_S
            for minute in BATCH_MINUTES:
                self._pass_until(begins + minute * 60)
                self._send(hour + minute / 60)
                if minute == BATCH_MINUTES[0] and hour:
                    self._pass_until(begins + _LOOKED_AT_MINUTE * 60)
                    self._observe(hour - 1, begins)
            if (hour + 1) % _DAY_HOURS == 0:
                texts = {finding["text"] for finding in self._record.hours[-1].findings}
                show((hour + 1) // _DAY_HOURS, days, "; ".join(sorted(texts)) or "nothing found")
        ended = first + _DAY_HOURS * days * _HOUR_S
        self._pass_until(ended + _LOOKED_AT_MINUTE * 60)
        self._observe(_DAY_HOURS * days - 1, ended)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _monitor_log(self) -> str:
        """The last error that the monitor logged."""
        group = log_group_name(self._bucket.monitor)
        events = self._logs.filter_log_events(logGroupName=group)["events"]
        errors = [event["message"] for event in events if '"error"' in event["message"]]
        return errors[-1].strip()[-2000:] if errors else "without an error"

    def _pass_until(self, moment: float) -> None:
        while self._clock.now() < moment:
            self._clock.skip_to(moment)

    def _send(self, hour: float) -> None:
        rows = self._rows.draw(self._per_batch, hour)
        self._changes.apply(rows, hour)
        for part in split(rows, self._largest):
            body = httpx.Request("POST", self._url, json={"rows": part}).content
            answer = self._client.post(self._url, content=body, headers=self._auth.headers(self._url, body))
            if answer.status_code in (401, 403, 404):
                raise CliError(f"{self._url} answered {answer.status_code}: {answer.text[:200]}")
            self._record.failed_requests += answer.status_code != 200
            self._record.sent_rows += len(part)

    def _observe(self, hour: int, ended: float) -> None:
        """Read the report on ``hour``, which ended at ``ended``."""
        report = self._bucket.latest(self._function)
        if report is None or datetime.fromisoformat(report["until"]).timestamp() != ended:
            raise CliError(f"the monitor did not report on hour {hour + 1}. Its log ends: {self._monitor_log()}")
        self._record.report = report
        evidence: dict[str, float] = {}
        for item in report["baselines"]:
            for clock, look in item["looks"].items():
                evidence[clock] = max(evidence.get(clock, 0.0), look["evidence"] / look["alarms_at"])
        described: list[dict[str, Any]] = self._alarms.describe_alarms(AlarmNames=[self._alarm])["MetricAlarms"]
        self._record.hours.append(
            HourObserved(
                hour,
                sum(item["rows"] for item in report["baselines"]),
                evidence,
                tuple(report["findings"]),
                any(alarm["StateValue"] == "ALARM" for alarm in described),
            )
        )
