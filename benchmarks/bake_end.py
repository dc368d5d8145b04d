"""How a release ends by fault, by how late CloudWatch shows a metric, and by when in the bake the fault begins."""

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.releases import GOOD, Budget, Run, order_of, packaged_project, releases_of
from table import Row, main

from serinus.cli.rehearse.outcome import RehearsalOutcome
from serinus.lambda_handlers.contract.release import Verdict

RATE_PER_MINUTE = 100
DELAYS_S = (30.0, 90.0, 120.0, 180.0)
BAKE_MINUTES = 15
SETTINGS = ("promote", "roll_back")
NOTE = (
    "The default release, a canary of 10 % for fifteen minutes, on stepped time with 100 requests a minute; "
    "two seeds a row. `setting` is on_not_enough_evidence. `told` counts releases for which the judge said "
    "*roll back*, `promoted_though_told` those that were promoted nevertheless, `all_met` the share of bad "
    "releases that received all traffic before they were stopped, or for good; `met_bad_share` is the share of "
    "the requests during the shift that reached the bad version, `minutes_to_back` the time from the first "
    "shifted request until the alias was back: the worst of each row."
)


@dataclass(frozen=True, slots=True)
class Case:
    """A release with ``fault`` after so many minutes of its bake. Without ``traffic`` no client sends requests."""

    name: str
    fault: str
    after_minutes: float = 0.0
    traffic: bool = True

    @property
    def section(self) -> str:
        return "begins late" if self.after_minutes else "bad from the start"


CASES: Mapping[str, Case] = {
    case.name: case
    for case in (
        Case("good", GOOD),
        *(Case(fault, fault) for fault in ("errors=6%", "errors=20%", "latency=+300ms", "crash", "slow-init")),
        Case("no traffic", GOOD, traffic=False),
        *(
            Case(f"all fail {minutes} min before the end", "errors=100%", BAKE_MINUTES - minutes)
            for minutes in (4, 3, 2, 1)
        ),
    )
}


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A row for each case, setting and delay: its runs over ``chosen.seeds`` seeds."""
    runs: dict[tuple[str, str, float], list[Run]] = {}
    budget = Budget(chosen.minutes)
    for setting, delay_s in itertools.product(chosen.settings, chosen.delays):
        for case, run in _releases(chosen, setting, delay_s, budget):
            runs.setdefault((case.name, setting, delay_s), []).append(run)
            row = _row(case, setting, delay_s, [run])
            sys.stderr.write(json.dumps({**row, "seed": run.record.settings.seed, "why": run.story.reason}) + "\n")
    places = list(CASES)
    ordered = sorted(runs, key=lambda key: (places.index(key[0]), *key[1:]))
    return [
        _row(CASES[name], setting, delay_s, runs[name, setting, delay_s]) for name, setting, delay_s in ordered
    ]


def _releases(
    chosen: argparse.Namespace, setting: str, delay_s: float, budget: Budget
) -> Iterator[tuple[Case, Run]]:
    """The releases of every case under one setting and delay, in one cloud."""
    if not budget.left:
        return
    settings = f'\n[defaults.rollout]\non_not_enough_evidence = "{setting}"\n'
    with tempfile.TemporaryDirectory() as folder:
        order = order_of(packaged_project(Path(folder), settings), RATE_PER_MINUTE, speed=None)
        with releases_of(replace(order, metric_delay_s=delay_s)) as releases:
            for name, seed in itertools.product(chosen.cases, range(chosen.seeds)):
                if budget.left:
                    case = CASES[name]
                    releases.order = replace(releases.order, rate=RATE_PER_MINUTE if case.traffic else 0.0)
                    yield case, releases.make(case.fault, seed, after_minutes=case.after_minutes)


def _row(case: Case, setting: str, delay_s: float, runs: Sequence[Run]) -> Row:
    everyone = [run.record.fully_shifted_at is not None for run in runs]
    back = [run.story.shift_minutes for run in runs if run.undone and run.story.shift_minutes is not None]
    met = [run.story.shift_canary_share for run in runs]
    bad = case.fault != GOOD
    return {
        "section": case.section,
        "case": case.name,
        "setting": setting,
        "metric_delay_s": delay_s,
        "runs": len(runs),
        "told": sum(_told(run) for run in runs),
        "rolled_back": sum(run.undone for run in runs),
        "by_alarm": sum(run.undone and not moved for run, moved in zip(runs, everyone, strict=True)),
        "by_check_after_traffic": sum(run.undone and moved for run, moved in zip(runs, everyone, strict=True)),
        "promoted_though_told": sum(run.story.outcome is RehearsalOutcome.JUDGED_TOO_LATE for run in runs),
        "all_met": sum(everyone) / len(runs) if bad else None,
        "met_bad_share": max(met) if bad else None,
        "minutes_to_back": max(back) if back else None,
    }


def _told(run: Run) -> bool:
    return any(
        said.canary == run.record.canary and said.verdict == Verdict.ROLL_BACK for said in run.record.verdicts
    )


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=2, help="runs of each row; 2 unless told")
    parser.add_argument("--cases", nargs="+", default=list(CASES), help="which; all unless told")
    parser.add_argument("--delays", nargs="+", type=float, default=DELAYS_S, help="seconds; 30 to 180 unless told")
    parser.add_argument("--settings", nargs="+", default=SETTINGS, help="which; both unless told")
    parser.add_argument("--minutes", type=float, default=120, help="begin no run after so many; 120 unless told")


if __name__ == "__main__":
    main("bake_end", measure, note=NOTE, arguments=_arguments)
