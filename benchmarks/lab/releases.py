"""Releases one after another in one offline cloud, for benchmarks that need many."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from serinus.cli.rehearse.environment import RehearsalEnvironment, rehearsal_environment
from serinus.cli.rehearse.injection import parse
from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.outcome import RehearsalOutcome, RehearsalResult, evaluate
from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.run import CANDIDATE, RehearsalOptions, Stopwatch, deploy_stable, release
from serinus.cli.rehearse.workspace import STABLE, CandidateSpec, create_workspace

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "examples"))
MODEL = "tumour"
GOOD = "none"
RATE_PER_S, SPEED = 200, 60


@dataclass(frozen=True, slots=True)
class Run:
    """One release and what became of it."""

    record: RehearsalRecord
    story: RehearsalResult

    @property
    def undone(self) -> bool:
        return self.story.outcome is RehearsalOutcome.ROLLED_BACK


@dataclass(slots=True)
class Releases:
    """Whatever is live in ``environment``, each release begins from there."""

    order: RehearsalOptions
    environment: RehearsalEnvironment
    view: LiveView
    live: str = STABLE
    other: str = CANDIDATE

    def make(self, fault: str, seed: int, *, after_minutes: float = 0.0) -> Run:
        """Release once more with ``fault``, which begins ``after_minutes`` of the shift."""
        injection = None if fault == GOOD else parse(fault)
        self.environment.reseed(seed)
        name = injection.bad_graph if injection and injection.bad_graph else self.other
        order = replace(self.order, injection=injection, seed=seed, fault_after_minutes=after_minutes)
        record = release(order, self.environment, self.view, Stopwatch(), name)
        run = Run(record, evaluate(record))
        if not run.undone and name == self.other:
            self.live, self.other = self.other, self.live
        return run


def packaged_project(folder: Path, settings: str = "") -> Path:
    """A project in ``folder`` with a packaged model and the lines ``settings`` more in its serinus.toml."""
    from train import train

    train(folder / "training")
    for arguments in (
        ["init", ".", "--name", "bench"],
        ["package", "training/model.joblib", "--name", MODEL, "--sample", "training/sample.csv"],
    ):
        subprocess.run(
            [sys.executable, "-m", "serinus", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
    with (folder / "serinus.toml").open("a") as file:
        file.write(settings)
    (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    return folder


def order_of(project: Path, rate: float = RATE_PER_S, *, speed: float | None = SPEED) -> RehearsalOptions:
    """Releases of the pinned bundle at ``rate`` requests a second, or a cloud minute if ``speed`` is None."""
    return RehearsalOptions(
        project, "dev", MODEL, candidate=None, injection=None, rate=rate, speed=speed, seed=None
    )


@contextmanager
def releases_of(order: RehearsalOptions, bad_graphs: Sequence[str] = ()) -> Iterator[Releases]:
    """A cloud with the locked bundle deployed, and all that may be released there assembled."""
    candidates = {CANDIDATE: CandidateSpec(), **{kind: CandidateSpec(bad_graph=kind) for kind in bad_graphs}}
    copying = create_workspace(order.project, order.environment, MODEL, candidates=candidates, rate=order.rate)
    with (
        LiveView() as view,
        copying as workspace,
        rehearsal_environment(
            order.project, workspace, seed=0, metric_delay_s=order.metric_delay_s, readings=order.readings
        ) as environment,
    ):
        deploy_stable(environment, view)
        for name in candidates:
            environment.wait_for_assembly(name)
        yield Releases(order, environment, view)


class Budget:
    """Minutes after which no run is begun any more."""

    def __init__(self, minutes: float) -> None:
        self._until = time.monotonic() + 60 * minutes

    @property
    def left(self) -> bool:
        return time.monotonic() < self._until
