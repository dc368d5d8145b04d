"""A rehearsal from its first deploy to the record of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli import cdk
from cli.deploy import bootstrap
from cli.endpoints import find_endpoint
from cli.rehearse.cloud_time import CloudTime
from cli.rehearse.injection import Injection
from cli.rehearse.live import LiveView
from cli.rehearse.pace import Pace
from cli.rehearse.record import Metered, Play, Record, meter
from cli.rehearse.scratch import Scratch, scratch_copy
from cli.rehearse.stage import METRIC_DELAY_S, Stage, stage
from cli.rehearse.traffic import Load, Traffic
from cli.rehearse.watching import Watch
from cli.rollouts import RolloutReader
from lambda_handlers.contract.bundle import read_golden

#: Real seconds of traffic before the release, so that there is something to compare with, and after it.
LEAD_IN_S = 1.0
LEAD_OUT_S = 1.0
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Order:
    """What to rehearse; ``rate`` in requests a second, ``speed`` in cloud seconds a second."""

    project: Path
    environment: str
    endpoint: str
    candidate: str | None
    injection: Injection | None
    rate: float
    speed: float
    seed: int | None


def perform(order: Order, view: LiveView) -> Record:
    """Rehearse; leaves nothing running and nothing behind, however it ends."""
    bad_graph = order.injection.bad_graph if order.injection else None
    copying = scratch_copy(
        order.project,
        order.environment,
        order.endpoint,
        candidate=order.candidate,
        bad_graph=bad_graph,
        rate=order.rate,
    )
    view.stage("starting an offline cloud")
    with copying as scratch, stage(order.project, scratch, seed=order.seed) as set_up:
        _deploy_stable(set_up, view)
        return _release(order, set_up, view)


def _deploy_stable(set_up: Stage, view: LiveView) -> None:
    """Deploy the locked bundle. What of the candidate can be done before there is traffic is done meanwhile, since
    this machine has better to do later."""
    scratch = set_up.scratch
    view.stage(f"deploying {scratch.stable.name} {scratch.stable.short_version}")
    scratch.prepare_release(scratch.stable, 1)
    with set_up.synthesizing("stable") as synthesizing:
        bootstrap(scratch.folder, set_up.target, scratch.folder / "bootstrap.log")
        synthesizing.require_success()
    with set_up.deploying("stable") as deploying:
        scratch.prepare_release(scratch.candidate, 2)
        with set_up.synthesizing("candidate") as synthesizing:
            synthesizing.require_success()
        deploying.require_success()


def _release(order: Order, set_up: Stage, view: LiveView) -> Record:
    """Release the candidate under traffic."""
    scratch, play = set_up.scratch, _play(order, set_up.scratch)
    endpoint = find_endpoint(scratch.folder, scratch.environment, order.endpoint, set_up.target)
    clock = CloudTime(set_up.cloud.url)
    clock.set_speed(order.speed)
    rows = read_golden(scratch.bundle(scratch.stable)).rows
    traffic = Traffic(Load(endpoint.url, endpoint.headers(), rows, order.rate, order.seed), clock)
    reader = RolloutReader(set_up.target, endpoint.stack)
    stable = reader.alias().version
    if order.injection and order.injection.fault:
        set_up.order_fault(endpoint.function, stable, order.injection.fault)
    pace = Pace(clock, traffic, order.speed)
    traffic.start()
    try:
        _pass(LEAD_IN_S, lambda: None)
        view.released_at = released_at = clock.now()
        watch = Watch(reader, set_up.target.client("cloudformation"), clock, released_at, view.happened)

        def look() -> None:
            pace.keep()
            watch.look()
            view.show(traffic, watch, clock)

        with set_up.deploying("candidate") as deploying:
            while deploying.exit_code is None:
                look()
                time.sleep(_LOOK_EVERY_S)
            deployed_at, exit_code = clock.now(), deploying.exit_code
        _pass(max(LEAD_OUT_S, METRIC_DELAY_S / order.speed), look)
        watch.look(at_all=True)
    finally:
        traffic.stop()
    return Record(
        play=play,
        stable=stable,
        final=watch.shares[-1].alias.version,
        released_at=released_at,
        deployed_at=deployed_at,
        deploy_exit_code=exit_code,
        deploy_log=cdk.last_lines(deploying.log),
        answers=sorted(traffic.answers, key=lambda one: one.at),
        held_back=traffic.held_back,
        slowed_s=pace.slowed_s,
        shares=watch.shares,
        happenings=watch.happenings,
        deployments=watch.deployments,
        alarms=watch.alarms,
        verdicts=watch.verdicts,
        metered=_meter(set_up, play, watch, stable),
    )


def _meter(set_up: Stage, play: Play, watch: Watch, stable: str) -> dict[str, Metered]:
    versions = dict.fromkeys([stable, *(one.canary for one in watch.deployments if one.undoes is None)])
    cloudwatch = set_up.target.client("cloudwatch")
    return meter(cloudwatch, play, list(versions), watch.since, watch.clock.now())


def _play(order: Order, scratch: Scratch) -> Play:
    return Play(
        endpoint=order.endpoint,
        environment=order.environment,
        function=scratch.endpoint.stack_name,
        stable_model=scratch.stable.short_version,
        candidate_model=scratch.candidate.short_version,
        candidate_given=order.candidate is not None,
        strategy=scratch.endpoint.settings.rollout.strategy,
        injected=order.injection.text if order.injection else None,
        speed=order.speed,
        rate=order.rate,
        seed=order.seed,
    )


def _pass(seconds: float, look: Callable[[], None]) -> None:
    """Let ``seconds`` pass, looking meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        look()
        time.sleep(_LOOK_EVERY_S)
