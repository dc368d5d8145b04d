"""A rehearsal from its first deploy to the record of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from serinus.cli import cdk
from serinus.cli.commands.deploy import bootstrap
from serinus.cli.dev_tokens import own_token
from serinus.cli.endpoints import find_endpoint
from serinus.cli.errors import WrongUsage
from serinus.cli.rehearse.background import undisturbed
from serinus.cli.rehearse.cloud_time import CloudTime
from serinus.cli.rehearse.environment import Stage, stage
from serinus.cli.rehearse.injection import Injection
from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.observer import Watch
from serinus.cli.rehearse.record import Metered, Play, Record, meter
from serinus.cli.rehearse.throttle import Pace
from serinus.cli.rehearse.traffic import Load, Traffic
from serinus.cli.rehearse.workspace import STABLE, Scratch, Wanted, scratch_copy
from serinus.cli.release_reader import RolloutReader
from serinus.cli.request_auth import caller_of
from serinus.lambda_handlers.contract.bundle import read_golden

#: Real seconds of traffic before the release, so that there is something to compare with, and after it.
LEAD_IN_S = 1.0
LEAD_OUT_S = 1.0
_LOOK_EVERY_S = 0.05
#: Cloud seconds until a metric is seen, unless told: on AWS a new metric may take two minutes
#: (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html), most take less.
METRIC_DELAY_S = 90.0
#: The release that is rehearsed.
CANDIDATE = "candidate"


@dataclass(slots=True)
class Stopwatch:
    """Real seconds of each lap."""

    laps_s: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps_s[name], self._since = now - self._since, now


@dataclass(frozen=True, slots=True)
class Order:
    """What to rehearse; ``rate`` in requests a second, ``speed`` in cloud seconds a second, ``metric_delay_s`` in
    cloud seconds until a metric is seen."""

    project: Path
    environment: str
    endpoint: str
    candidate: str | None
    injection: Injection | None
    rate: float
    speed: float
    seed: int | None
    metric_delay_s: float = METRIC_DELAY_S


def perform(order: Order, view: LiveView) -> Record:
    """Rehearse; leaves nothing running and nothing behind, however it ends."""
    watch = Stopwatch()
    bad_graph = order.injection.bad_graph if order.injection else None
    wanted = {CANDIDATE: Wanted(order.candidate, bad_graph)}
    copying = scratch_copy(order.project, order.environment, order.endpoint, wanted=wanted, rate=order.rate)
    with copying as scratch:
        cold_start = scratch.endpoint.settings.cold_start
        if order.injection and order.injection.recycle and cold_start != "none":
            raise WrongUsage(
                f"--inject {order.injection.text}: no live request waits for a start that could be compared with "
                f'cold_start = "{cold_start}"; rehearse an environment without it.'
            )
        view.stage("starting an offline cloud, building and synthesizing both releases")
        with stage(order.project, scratch, seed=order.seed, metric_delay_s=order.metric_delay_s) as set_up:
            deploy_stable(set_up, view)
            set_up.await_assembly(CANDIDATE)
            watch.lap("prepare")
            return release(order, set_up, view, watch)


def deploy_stable(set_up: Stage, view: LiveView) -> None:
    """Deploy the locked bundle. The candidate's assembly is made meanwhile: later this machine has traffic."""
    scratch = set_up.scratch
    bootstrap(scratch.folder, set_up.target, scratch.folder / "bootstrap.log")
    set_up.await_assembly(STABLE)
    set_up.register_twins()
    view.stage(f"deploying {scratch.stable.manifest.name} {scratch.stable.manifest.short_version}")
    with set_up.deploying(STABLE) as deploying:
        set_up.await_stack(deploying)


def release(order: Order, set_up: Stage, view: LiveView, watch: Stopwatch, name: str = CANDIDATE) -> Record:
    """Release ``name`` under traffic; whatever is live now is the stable version."""
    scratch, injection = set_up.scratch, order.injection
    endpoint = find_endpoint(scratch.stable.project, scratch.environment, order.endpoint, set_up.target)
    clock = CloudTime(set_up.cloud.own_api())
    clock.set_speed(order.speed)
    rows = read_golden(scratch.stable.bundle).rows
    # Whoever the real issuer is, it is not asked: the rehearsal needs no network and nobody's credentials.
    token = own_token(set_up.cloud, scratch.endpoint) if endpoint.auth == "jwt" else None
    caller = caller_of(endpoint, set_up.target, token)
    traffic = Traffic(Load(endpoint.url, caller, rows, order.rate, order.seed), clock)
    reader = RolloutReader(set_up.target, endpoint.stack)
    stable = reader.alias().version
    set_up.order_fault(endpoint.function, stable, injection.fault if injection else {})
    pace = Pace(clock, traffic, order.speed)
    traffic.start()
    try:
        _pass(LEAD_IN_S, lambda: None)
        view.released_at = released_at = clock.now()
        seen = Watch(reader, set_up.target.client("cloudformation"), clock, released_at, view.happened)
        recycled = injection is None or not injection.recycle

        def look() -> None:
            nonlocal recycled
            pace.keep()
            seen.look()
            if not recycled and (canary := seen.shares[-1].alias.canary):
                recycled = True
                set_up.recycle(endpoint.function, canary)
            view.show(traffic, seen, clock)

        with set_up.deploying(name) as deploying:
            # The CLI itself looks only every five seconds whether the stack is at rest.
            while deploying.exit_code is None and not seen.at_rest:
                look()
                time.sleep(_LOOK_EVERY_S)
            deployed_at = clock.now()
        watch.lap("release")
        _pass(max(LEAD_OUT_S, order.metric_delay_s / order.speed), look)
        seen.look(at_all=True)
    finally:
        with undisturbed():
            traffic.stop()
    play = _play(order, scratch, name)
    record = Record(
        play=play,
        stable=stable,
        final=seen.shares[-1].alias.version,
        released_at=released_at,
        deployed_at=deployed_at,
        deploy_log=cdk.last_lines(deploying.log),
        answers=sorted(traffic.answers, key=lambda one: one.at),
        held_back=traffic.held_back,
        slowed_s=pace.slowed_s,
        held_s=clock.held_s,
        shares=seen.shares,
        happenings=seen.happenings,
        deployments=seen.deployments,
        alarms=seen.alarms,
        verdicts=seen.verdicts,
        metered=_meter(set_up, play, seen, stable),
        laps_s=watch.laps_s,
    )
    watch.lap("figures")
    return record


def _meter(set_up: Stage, play: Play, watch: Watch, stable: str) -> dict[str, Metered]:
    versions = dict.fromkeys([stable, *(one.canary for one in watch.deployments if one.undoes is None)])
    cloudwatch = set_up.target.client("cloudwatch")
    return meter(cloudwatch, play, list(versions), watch.since, watch.clock.now())


def _play(order: Order, scratch: Scratch, name: str) -> Play:
    return Play(
        endpoint=order.endpoint,
        environment=order.environment,
        function=scratch.endpoint.stack_name,
        stable_model=scratch.stable.manifest.short_version,
        candidate_model=scratch.releases[name].manifest.short_version,
        candidate_given=order.candidate is not None,
        strategy=scratch.endpoint.settings.rollout.strategy,
        injected=order.injection.text if order.injection else None,
        speed=order.speed,
        rate=order.rate,
        seed=order.seed,
        metric_delay_s=order.metric_delay_s,
    )


def _pass(seconds: float, look: Callable[[], None]) -> None:
    """Let ``seconds`` pass, looking meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        look()
        time.sleep(_LOOK_EVERY_S)
