"""The end of a bake: what becomes of a late "roll back", by how late CloudWatch shows a metric."""

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.releases import GOOD, Budget, Run, order_of, packaged_project, releases_of
from table import Row, main

from serinus.cli.rehearse.outcome import RehearsalOutcome
from serinus.lambda_handlers.contract.release import Verdict

#: Few enough that 6 % of errors take most of a bake to find: 90 requests meet the canary in all of it.
RATE_PER_S = 60
DELAYS_S = (30.0, 90.0, 120.0)
NOTE = (
    "A canary of 10 % for fifteen minutes at 60 cloud seconds per real second and 60 requests a second: "
    "released with 6 % of errors, without enough evidence where the setting then rolls back, and without a "
    "fault. `told` counts releases for which judge or post-traffic check said *roll back*, "
    "`promoted_though_told` those that were promoted nevertheless, `all_met` the share of bad releases that "
    "received all traffic before they were stopped, or for good."
)


@dataclass(frozen=True, slots=True)
class Case:
    """A release that ought to end in one way. ``settings`` are added to the project's."""

    fault: str
    rate_per_s: float
    settings: str = ""

    @property
    def bad(self) -> bool:
        return self.fault != GOOD or bool(self.settings)


CASES: Mapping[str, Case] = {
    "no evidence, which rolls back": Case(GOOD, 1, '\n[defaults.rollout]\non_not_enough_evidence = "roll_back"\n'),
    "6 % of errors": Case("errors=6%", RATE_PER_S),
    "good": Case(GOOD, RATE_PER_S),
}


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A row for each case and delay: its runs over ``chosen.seeds`` seeds."""
    rows, budget = [], Budget(chosen.minutes)
    for name, delay_s in itertools.product(chosen.cases, DELAYS_S):
        if not budget.left:
            break
        case, runs = CASES[name], []
        with tempfile.TemporaryDirectory() as folder:
            order = order_of(packaged_project(Path(folder), case.settings), case.rate_per_s)
            with releases_of(replace(order, metric_delay_s=delay_s)) as releases:
                for seed in range(chosen.seeds):
                    if budget.left:
                        runs.append(run := releases.make(case.fault, seed))
                        told = {"case": name, "delay_s": delay_s, "seed": seed, "why": run.story.reason}
                        sys.stderr.write(json.dumps({**told, **_row(name, delay_s, [run])}) + "\n")
        if runs:
            rows.append(_row(name, delay_s, runs))
    return rows


def _row(name: str, delay_s: float, runs: Sequence[Run]) -> Row:
    everyone = [run.record.fully_shifted_at is not None for run in runs]
    return {
        "case": name,
        "metric_delay_s": delay_s,
        "runs": len(runs),
        "told": sum(_told(run) for run in runs),
        "rolled_back": sum(run.undone for run in runs),
        "by_alarm": sum(run.undone and not moved for run, moved in zip(runs, everyone, strict=True)),
        "by_check_after_traffic": sum(run.undone and moved for run, moved in zip(runs, everyone, strict=True)),
        "promoted": sum(not run.undone for run in runs),
        "promoted_though_told": sum(run.story.outcome is RehearsalOutcome.JUDGED_TOO_LATE for run in runs),
        "all_met": sum(everyone) / len(runs) if CASES[name].bad else None,
        "minutes_to_back": _worst(runs),
    }


def _told(run: Run) -> bool:
    return any(
        said.canary == run.record.canary and said.verdict == Verdict.ROLL_BACK for said in run.record.verdicts
    )


def _worst(runs: Sequence[Run]) -> float | None:
    """Minutes from the first shifted request until the alias was back, at most."""
    minutes = [run.story.shift_minutes for run in runs if run.undone and run.story.shift_minutes is not None]
    return max(minutes) if minutes else None


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=5, help="runs of each case and delay; 5 unless told")
    parser.add_argument("--cases", nargs="+", default=list(CASES), help="which; all unless told")
    parser.add_argument("--minutes", type=float, default=60, help="begin no run after so many; 60 unless told")


if __name__ == "__main__":
    main("bake_end", measure, note=NOTE, arguments=_arguments)
