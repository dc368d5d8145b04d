"""Releases one after another in one offline cloud, for benchmarks that need many."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from serinus.cli.rehearse.environment import Stage, stage
from serinus.cli.rehearse.injection import parse
from serinus.cli.rehearse.live import LiveView
from serinus.cli.rehearse.outcome import Outcome, Story, tell
from serinus.cli.rehearse.record import Record
from serinus.cli.rehearse.run import CANDIDATE, Order, Stopwatch, deploy_stable, release
from serinus.cli.rehearse.workspace import STABLE, Wanted, scratch_copy

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "examples"))
MODEL = "tumour"
GOOD = "none"
RATE_PER_S, SPEED = 200, 60


@dataclass(frozen=True, slots=True)
class Run:
    """One release and what became of it."""

    record: Record
    story: Story

    @property
    def undone(self) -> bool:
        return self.story.outcome is Outcome.ROLLED_BACK


@dataclass(slots=True)
class Releases:
    """Whatever is live in ``set_up``, each release begins from there."""

    order: Order
    set_up: Stage
    view: LiveView
    live: str = STABLE
    other: str = CANDIDATE

    def make(self, fault: str, seed: int) -> Run:
        """Release once more with ``fault``."""
        injection = None if fault == GOOD else parse(fault)
        self.set_up.throw(seed)
        name = injection.bad_graph if injection and injection.bad_graph else self.other
        order = replace(self.order, injection=injection, seed=seed)
        record = release(order, self.set_up, self.view, Stopwatch(), name)
        run = Run(record, tell(record))
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


def order_of(project: Path, rate_per_s: float = RATE_PER_S) -> Order:
    return Order(project, "dev", MODEL, candidate=None, injection=None, rate=rate_per_s, speed=SPEED, seed=None)


@contextmanager
def releases_of(order: Order, bad_graphs: Sequence[str] = ()) -> Iterator[Releases]:
    """A cloud with the locked bundle deployed, and all that may be released there assembled."""
    wanted = {CANDIDATE: Wanted(), **{kind: Wanted(bad_graph=kind) for kind in bad_graphs}}
    copying = scratch_copy(order.project, order.environment, MODEL, wanted=wanted, rate=order.rate)
    with (
        LiveView() as view,
        copying as scratch,
        stage(order.project, scratch, seed=0, metric_delay_s=order.metric_delay_s) as set_up,
    ):
        deploy_stable(set_up, view)
        for name in wanted:
            set_up.await_assembly(name)
        yield Releases(order, set_up, view)


class Budget:
    """Minutes after which no run is begun any more."""

    def __init__(self, minutes: float) -> None:
        self._until = time.monotonic() + 60 * minutes

    @property
    def left(self) -> bool:
        return time.monotonic() < self._until
