"""Rehearsals over seeds: each fault that can be ordered, and good releases, by the CDK CLI in an offline cloud."""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from table import Row, main, median

from cli.rehearse.injection import parse
from cli.rehearse.live import LiveView
from cli.rehearse.perform import CANDIDATE, Order, Stopwatch, deploy_stable, release
from cli.rehearse.record import Record
from cli.rehearse.scratch import STABLE, Wanted, scratch_copy
from cli.rehearse.stage import Stage, stage
from cli.rehearse.story import STANDARD_ERRORS, Outcome, Story, tell

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "examples"))
MODEL = "tumour"
GOOD = "none"
FAULTS = (GOOD, "errors=20%", "latency=+300ms", "crash", "slow-init", "wrong-answers", "nan")
NOTE = (
    "Canary of 10 % for ten minutes, 200 requests a second, 60 cloud seconds in each, metrics half a minute "
    "late. One cloud for all: each release begins where the last one left off. Shares are of requests during "
    "the shift, minutes from the first bad answer to the alias being back; medians, with the worst."
)


@dataclass(frozen=True, slots=True)
class Run:
    """One release and what became of it."""

    record: Record
    story: Story

    @property
    def undone(self) -> bool:
        return self.story.outcome is Outcome.ROLLED_BACK


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A row a fault: its runs over ``chosen.seeds`` seeds."""
    with tempfile.TemporaryDirectory() as folder:
        order = _order(_project(Path(folder)))
        wanted = {CANDIDATE: Wanted(), **{kind: Wanted(bad_graph=kind) for kind in ("wrong-answers", "nan")}}
        copying = scratch_copy(order.project, order.environment, MODEL, wanted=wanted, rate=order.rate)
        with LiveView() as view, copying as scratch, stage(order.project, scratch, seed=0) as set_up:
            deploy_stable(set_up, view)
            for name in wanted:
                set_up.await_assembly(name)
            runs: dict[str, list[Run]] = {fault: [] for fault in chosen.faults}
            for fault, run in _perform(order, set_up, view, chosen):
                runs[fault].append(run)
                _note(fault, run)
    return [_row(fault, done) for fault, done in runs.items() if done]


def _perform(order: Order, set_up: Stage, view: LiveView, chosen: argparse.Namespace) -> Iterator[tuple[str, Run]]:
    """Every fault once a seed, so that a run that is cut short has seen them all."""
    live, other = STABLE, CANDIDATE
    until = time.monotonic() + 60 * chosen.minutes
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    for seed, fault in itertools.product(seeds, chosen.faults):
        if time.monotonic() < until:
            injection = None if fault == GOOD else parse(fault)
            set_up.throw(seed)
            name = injection.bad_graph if injection and injection.bad_graph else other
            record = release(replace(order, injection=injection, seed=seed), set_up, view, Stopwatch(), name)
            run = Run(record, tell(record))
            if not run.undone and name == other:
                live, other = other, live
            yield fault, run


def _project(folder: Path) -> Path:
    """A project with a packaged model."""
    from train import train

    train(folder / "training")
    for arguments in (
        ["init", ".", "--name", "bench"],
        ["package", "training/model.joblib", "--name", MODEL, "--sample", "training/sample.csv"],
    ):
        subprocess.run(
            [sys.executable, "-m", "cli", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
    (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    return folder


def _order(project: Path) -> Order:
    return Order(project, "dev", MODEL, candidate=None, injection=None, rate=200, speed=60, seed=None)


def _note(fault: str, run: Run) -> None:
    """A line a run on stderr: an hour's work should not be lost with its end."""
    told = {
        "fault": fault,
        "seed": run.record.play.seed,
        "outcome": run.story.outcome.name,
        "why": run.story.reason,
    }
    sys.stderr.write(json.dumps({**told, **_row(fault, [run])}) + "\n")


def _row(fault: str, runs: Sequence[Run]) -> Row:
    stories = [run.story for run in runs]
    back = [story.minutes_bad_to_back for story in stories if story.minutes_bad_to_back is not None]
    met = [story.met_share for story in stories]
    shares = [story.canary_share for story in stories if story.canary_share is not None]
    errors = [abs(share.share - share.weight) / share.standard_error for share in shares]
    return {
        "fault": fault,
        "runs": len(runs),
        "promoted": sum(not run.undone for run in runs),
        "rolled_back": sum(run.undone for run in runs),
        "before_traffic": sum(run.undone and run.story.shift_minutes is None for run in runs),
        "requests": sum(story.requests for story in stories),
        "failed": sum(story.failed for story in stories),
        "met_bad_share": median(met) if fault != GOOD else None,
        "met_bad_share_worst": max(met) if fault != GOOD else None,
        "back_minutes": median(back) if back else None,
        "back_minutes_worst": max(back) if back else None,
        "share_worst_standard_errors": max(errors) if errors else None,
        "share_within_three": sum(error <= STANDARD_ERRORS for error in errors) if errors else None,
        "shift_real_s": median([run.record.shift_real_s or 0.0 for run in runs]),
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=10, help="runs of each fault; 10 unless told")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them; 0 unless told")
    parser.add_argument("--minutes", type=float, default=240, help="begin no run after so many; 240 unless told")
    parser.add_argument(
        "--faults", nargs="+", default=list(FAULTS), help="which, of " + ", ".join(FAULTS).replace("%", "%%")
    )


if __name__ == "__main__":
    main("rehearse", measure, note=NOTE, arguments=_arguments)
