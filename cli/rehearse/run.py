"""A rehearsal from its first deploy to the record of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from serinus.cli import cdk
from serinus.cli.bootstrap import bootstrap
from serinus.cli.dev_tokens import dev_token
from serinus.cli.endpoints import Endpoint, find_endpoint
from serinus.cli.errors import WrongUsage
from serinus.cli.rehearse.background import interrupts_ignored
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.environment import RehearsalEnvironment, rehearsal_environment
from serinus.cli.rehearse.fault_schedule import FaultSchedule
from serinus.cli.rehearse.injection import Injection
from serinus.cli.rehearse.invocations import count_invocations
from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.observer import ALIAS_EVERY_S, ReleaseObserver
from serinus.cli.rehearse.pace import Pace, RealTimePace, SteppedPace, pass_time
from serinus.cli.rehearse.record import RehearsalRecord, RehearsalSettings
from serinus.cli.rehearse.traffic import Load
from serinus.cli.rehearse.workspace import STABLE, CandidateSpec, Workspace, create_workspace
from serinus.cli.release_reader import RolloutReader
from serinus.cli.request_auth import auth_for
from serinus.lambda_handlers.contract.bundle import read_golden

#: Cloud seconds of traffic after the release, at least.
LEAD_OUT_S = 60.0
#: Default cloud seconds until a metric appears: on AWS a new metric may take two minutes
#: (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html), most take less.
METRIC_DELAY_S = 90.0
#: The release that is rehearsed.
CANDIDATE = "candidate"


class StageView(Protocol):
    """Shows what is under way."""

    def stage(self, title: str) -> None:
        """Show that a new stage started."""
        ...


@dataclass(slots=True)
class Stopwatch:
    """Real seconds of each lap."""

    laps_s: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps_s[name], self._since = now - self._since, now


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """What to rehearse; ``speed`` in cloud seconds per real second, None to skip time in which nothing happens;
    ``rate`` in requests per real second, or per cloud minute if time is skipped: the same at 60 cloud seconds a
    second; ``metric_delay_s`` in cloud seconds until a metric is seen."""

    project: Path
    environment: str
    endpoint: str
    candidate: str | None
    injection: Injection | None
    rate: float
    speed: float | None
    seed: int | None
    metric_delay_s: float = METRIC_DELAY_S
    #: Cloud minutes of the shift before the fault begins; 0: the version has it from the start.
    fault_after_minutes: float = 0.0
    #: By name; a metric-delay among them overrides ``metric_delay_s``.
    readings: Mapping[str, str] = field(default_factory=dict)
    #: Folder of the bundle that is live first; None for the pinned one.
    stable: Path | None = None


def run_rehearsal(options: RehearsalOptions, view: LiveView) -> RehearsalRecord:
    """Rehearse; leaves nothing running and nothing behind, however it ends."""
    stopwatch = Stopwatch()
    bad_graph = options.injection.bad_graph if options.injection else None
    candidates = {CANDIDATE: CandidateSpec(options.candidate, bad_graph)}
    copying = create_workspace(
        options.project,
        options.environment,
        options.endpoint,
        candidates=candidates,
        rate=options.rate,
        stable=options.stable,
    )
    with copying as workspace:
        cold_start = workspace.endpoint.settings.cold_start
        if options.injection and options.injection.recycle and cold_start != "none":
            raise WrongUsage(
                f'--inject {options.injection.text} has no effect with cold_start = "{cold_start}": no request '
                "waits for an init there. Use --env with an environment without it."
            )
        view.stage("starting an offline cloud, building and synthesizing both releases")
        with rehearsal_environment(
            options.project,
            workspace,
            seed=options.seed,
            metric_delay_s=options.metric_delay_s,
            readings=options.readings,
        ) as environment:
            deploy_stable(environment, view)
            environment.wait_for_assembly(CANDIDATE)
            stopwatch.lap("prepare")
            return release(options, environment, view, stopwatch)


def deploy_stable(environment: RehearsalEnvironment, view: StageView) -> None:
    """Deploy the stable bundle. Meanwhile the candidate's assembly is created: later this machine has traffic."""
    workspace = environment.workspace
    bootstrap(workspace.folder, environment.target, workspace.folder / "bootstrap.log")
    environment.wait_for_assembly(STABLE)
    environment.register_twins()
    view.stage(f"deploying {workspace.stable.manifest.name} {workspace.stable.manifest.short_version}")
    with environment.deploying(STABLE) as deploying:
        environment.wait_for_stack(deploying)


def release(
    options: RehearsalOptions,
    environment: RehearsalEnvironment,
    view: LiveView,
    stopwatch: Stopwatch,
    name: str = CANDIDATE,
) -> RehearsalRecord:
    """Release ``name`` under traffic; whatever is live now is the stable version."""
    workspace = environment.workspace
    endpoint = find_endpoint(workspace.stable.project, workspace.environment, options.endpoint, environment.target)
    clock = CloudTime(environment.cloud.own_api())
    pace = _pace(options, environment, endpoint, clock)
    reader = RolloutReader(environment.target, endpoint.stack)
    stable = reader.alias().version
    fault = FaultSchedule(
        environment, endpoint.function, stable, options.injection, after_s=options.fault_after_minutes * 60
    )
    fault.start()
    pace.traffic.start()
    try:
        pass_time(pace, pace.lead_in_s)
        view.released_at = released_at = clock.now()
        stepped = options.speed is None
        observer = ReleaseObserver(
            reader,
            environment.target.client("cloudformation"),
            clock,
            released_at,
            view.event_observed,
            alias_every_s=0.0 if stepped else ALIAS_EVERY_S,
        )

        def poll() -> None:
            observer.poll(force=stepped and not observer.weighted)
            fault.proceed(observer.alias_samples[-1].alias, clock.now())
            view.show(pace, observer)

        with environment.deploying(name) as deploying:
            # The CLI itself looks only every five seconds whether the stack is at rest.
            while deploying.exit_code is None and not observer.at_rest:
                poll()
                if observer.under_way:
                    pace.skip()
                else:
                    pace.wait()
            deployed_at = clock.now()
        stopwatch.lap("release")
        pass_time(pace, max(LEAD_OUT_S, options.metric_delay_s), poll)
        observer.poll(force=True)
    finally:
        with interrupts_ignored():
            pace.traffic.stop()
    record = RehearsalRecord(
        settings=_settings_of(options, workspace, name),
        stable=stable,
        final=observer.alias_samples[-1].alias.version,
        released_at=released_at,
        deployed_at=deployed_at,
        deploy_log=cdk.last_lines(deploying.log),
        results=sorted(pace.traffic.results, key=lambda request: request.at),
        unsent=pace.traffic.unsent,
        slowed_s=pace.slowed_s,
        held_s=clock.held_s,
        alias_samples=observer.alias_samples,
        observed=observer.observed,
        deployments=observer.deployments,
        alarms=observer.alarms,
        verdicts=observer.verdicts,
        invocations_by_version={},
        laps_s=stopwatch.laps_s,
    )
    if record.weighted is not None and record.canary is not None:
        cloudwatch = environment.target.client("cloudwatch")
        versions = [record.stable, record.canary]
        counted = count_invocations(cloudwatch, record.settings.function, versions, record.weighted)
        record = replace(record, invocations_by_version=counted)
    stopwatch.lap("figures")
    return record


def _pace(
    options: RehearsalOptions, environment: RehearsalEnvironment, endpoint: Endpoint, clock: CloudTime
) -> Pace:
    workspace = environment.workspace
    rows = read_golden(workspace.stable.bundle).rows
    # Not a token of the real issuer: a rehearsal needs no network and no credentials.
    token = dev_token(environment.cloud, workspace.endpoint) if endpoint.auth == "jwt" else None
    caller = auth_for(endpoint, environment.target, token)
    load = Load(endpoint.url, caller, rows, options.rate, options.seed)
    if options.speed is not None:
        return RealTimePace(clock, load, options.speed)
    return SteppedPace(clock, replace(load, rate_per_s=options.rate / 60))


def _settings_of(options: RehearsalOptions, workspace: Workspace, name: str) -> RehearsalSettings:
    return RehearsalSettings(
        endpoint=options.endpoint,
        environment=options.environment,
        function=workspace.endpoint.stack_name,
        stable_model=workspace.stable.manifest.short_version,
        candidate_model=workspace.releases[name].manifest.short_version,
        candidate_named=options.candidate is not None,
        strategy=workspace.endpoint.settings.rollout.strategy,
        injected=options.injection.text if options.injection else None,
        speed=options.speed,
        rate=options.rate,
        seed=options.seed,
        metric_delay_s=options.metric_delay_s,
    )
