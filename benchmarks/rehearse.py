"""Rehearsals over seeds: each fault that can be ordered, and good releases, by the CDK CLI in an offline cloud."""

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lab.releases import GOOD, SPEED, Budget, Run, order_of, packaged_project, releases_of
from table import Row, main, median

from serinus.cli.rehearse.outcome import STANDARD_ERRORS

#: Cloud seconds per real second, by way of time.
TIMES = {"real": SPEED, "skipped": None}
FAULTS = (GOOD, "errors=20%", "latency=+300ms", "crash", "slow-init", "wrong-answers", "nan")
NOTE = (
    "Canary of 10 % for fifteen minutes, metrics ninety seconds late, in real time (200 requests a second, 60 "
    "cloud seconds in each) and skipping time (200 requests a cloud minute). One cloud for all: each release "
    "begins where the last one left off. Shares are of requests during the shift, minutes from the first bad "
    "answer to the alias being back; medians, with the worst."
)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A row a fault and way of time: its runs over ``chosen.seeds`` seeds."""
    runs: dict[tuple[str, str], list[Run]] = {key: [] for key in itertools.product(chosen.faults, chosen.times)}
    seeds, budget = range(chosen.first_seed, chosen.first_seed + chosen.seeds), Budget(chosen.minutes)
    with tempfile.TemporaryDirectory() as folder:
        order = order_of(packaged_project(Path(folder)))
        with releases_of(order, bad_graphs=("wrong-answers", "nan")) as releases:
            # Every fault once a seed, so that a run that is cut short has seen them all.
            for seed, fault, way in itertools.product(seeds, chosen.faults, chosen.times):
                if budget.left:
                    releases.order = replace(order, speed=TIMES[way])
                    runs[fault, way].append(run := releases.make(fault, seed))
                    _note(fault, way, run)
    return [_row(fault, way, done) for (fault, way), done in runs.items() if done]


def _note(fault: str, way: str, run: Run) -> None:
    """A line a run on stderr: an hour's work should not be lost with its end."""
    told = {
        "seed": run.record.settings.seed,
        "outcome": run.story.outcome.name,
        "why": run.story.reason,
    }
    sys.stderr.write(json.dumps({**told, **_row(fault, way, [run])}) + "\n")


def _row(fault: str, way: str, runs: Sequence[Run]) -> Row:
    stories = [run.story for run in runs]
    back = [story.recovery_minutes for story in stories if story.recovery_minutes is not None]
    met = [story.shift_canary_share for story in stories]
    shares = [story.canary_share for story in stories if story.canary_share is not None]
    errors = [abs(share.share - share.weight) / share.standard_error for share in shares]
    return {
        "fault": fault,
        "time": way,
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
        "shift_minutes": median([run.story.shift_minutes or 0.0 for run in runs]),
        "shift_real_s": median([run.record.shift_real_s or 0.0 for run in runs]),
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=10, help="runs of each fault; 10 unless told")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them; 0 unless told")
    parser.add_argument("--times", nargs="+", choices=TIMES, default=list(TIMES), help="which; both unless told")
    parser.add_argument("--minutes", type=float, default=240, help="begin no run after so many; 240 unless told")
    parser.add_argument(
        "--faults", nargs="+", default=list(FAULTS), help="which, of " + ", ".join(FAULTS).replace("%", "%%")
    )


if __name__ == "__main__":
    main("rehearse", measure, note=NOTE, arguments=_arguments)
