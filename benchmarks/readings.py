"""Whether a release is safe in every reading of AWS: what is not documented, played in combinations by pairs."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.covering import Combination, pairwise
from lab.late_failure import release_that_fails_late
from lab.releases import GOOD, Budget, Releases, Run, order_of, packaged_project, releases_of
from table import Row, main

from serinus.cli.errors import CliError
from serinus.cli.rehearse.outcome import RehearsalOutcome
from serinus.lambda_handlers.contract.release import Verdict
from serinus.offline.core.readings import Readings

RATE_PER_MINUTE = 100
#: Each shifts traffic for fifteen minutes.
STRATEGIES: Mapping[str, str] = {
    "canary": "bake_minutes = 15",
    "linear": "step_percent = 25\ninterval_minutes = 5",
    "blue_green": "bake_minutes = 15",
}
SETTINGS = ("promote", "roll_back")
SHIFT_MINUTES = 15
#: The defaults with delays, and the opposite of each.
EXTREMES: Mapping[str, Mapping[str, str]] = {
    "harsh": {
        "metric-delay": "30..120",
        "new-metric-delay": "120",
        "role-propagation": "2",
        "stack-alias-rollback": "stuck",
    },
    "kind": {
        "alarm-polling": "0",
        "alias-several-properties": "applied",
        "alias-with-provisioned": "accepted",
        "delete-function-resource": "version",
        "empty-series": "filled",
        "executed-version": "while-weighted",
        "function-info-in-hooks": "present",
        "hooks-in-rollback": "no",
        "metric-delay": "0",
        "stack-alias-rollback": "direct",
        "target-version-weight": "fraction",
        "throttled-version": "present",
        "update-policy-order": "yes",
        "usage-plans": "exact",
        "waf-reserved-names": "case-sensitive",
    },
}
#: The releases of a row, in this order.
RELEASES = ("fails", "late", "quiet", "stack_fails", "good")
NOTE = (
    "A row is a cloud with one combination of readings, strategy and setting; all pairs of values occur. In "
    "it, one after another: a release of which 20 % fail, one of which all requests fail from two minutes "
    "before the end of the bake, one that no client calls, one whose stack fails after the shift, and a good "
    "one. `promoted_though_told` must be 0: a release that was promoted after the judge said *roll back*. "
    "`stuck` counts stacks that said so (UPDATE_ROLLBACK_FAILED), `freed` those of them that the runbook's "
    "commands freed, `alias_off` releases after which the alias was neither back nor reported stuck."
)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A row for each combination."""
    combinations = [extreme(chosen.extreme)] if chosen.extreme else covering_rows()
    budget, rows = Budget(chosen.minutes), list[Row]()
    picked = combinations if chosen.rows is None else [combinations[number] for number in chosen.rows]
    for combination in picked:
        if budget.left:
            rows.append(row := play(combination, chosen.releases))
            sys.stderr.write(json.dumps(row) + "\n")
    return rows


def covering_rows() -> list[Combination]:
    """Readings, strategy and setting of each row."""
    parameters = {name: Readings.values_of(name) for name in Readings.names()}
    return pairwise({**parameters, "strategy": tuple(STRATEGIES), "setting": SETTINGS})


def extreme(name: str) -> Combination:
    """One of `EXTREMES` whole, with the default strategy and setting."""
    return {**Readings().replaced(EXTREMES[name]).as_json(), "strategy": "canary", "setting": "promote"}


def play(combination: Combination, names: Sequence[str] = RELEASES) -> Row:
    """The releases ``names`` in a cloud of ``combination``."""
    readings = {name: value for name, value in combination.items() if name in Readings.names()}
    strategy, setting = combination["strategy"], combination["setting"]
    rollout = f'strategy = "{strategy}"\n{STRATEGIES[strategy]}\non_not_enough_evidence = "{setting}"\n'
    with tempfile.TemporaryDirectory() as folder:
        project = packaged_project(Path(folder), f"\n[defaults.rollout]\n{rollout}")
        order = replace(order_of(project, RATE_PER_MINUTE, speed=None), readings=readings)
        try:
            with releases_of(order) as releases:
                return {**RowPlayer(releases).play(names), **combination}
        except CliError as error:
            sys.stderr.write(f"{error}\n")
            return {**dict.fromkeys(names, "not played"), **combination}


class RowPlayer:
    """Plays the releases of a row and counts how they end."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases
        self._workspace = releases.environment.workspace
        self._cloudformation = releases.environment.target.client("cloudformation")
        self._lambda = releases.environment.target.client("lambda")
        self._counts = dict.fromkeys(("told", "promoted_though_told", "stuck", "freed", "alias_off"), 0)

    def play(self, names: Sequence[str]) -> Row:
        """How the releases ``names`` ended, of `RELEASES`, and the counts."""
        return {**{name: self._play(name) for name in names}, **self._counts}

    def _play(self, name: str) -> str:
        live, other = self._releases.live, self._releases.other
        end = self._end(self._release(name), undone=name == "stack_fails")
        if end == "stuck":  # once it is freed, the stack is as before
            self._releases.live, self._releases.other = live, other
        return end

    def _release(self, name: str) -> Run:
        if name == "fails":
            return self._releases.make("errors=20%", 0)
        if name == "late":
            return self._releases.make("errors=100%", 0, after_minutes=SHIFT_MINUTES - 2)
        if name == "quiet":
            return self._quiet()
        return self._stack_fails() if name == "stack_fails" else self._releases.make(GOOD, 0)

    def _quiet(self) -> Run:
        order = self._releases.order
        self._releases.order = replace(order, rate=0.0)
        try:
            return self._releases.make(GOOD, 0)
        finally:
            self._releases.order = order

    def _stack_fails(self) -> Run:
        with release_that_fails_late(self._releases.environment, self._releases.other):
            return self._releases.make(GOOD, 0)

    def _end(self, run: Run, *, undone: bool = False) -> str:
        """How ``run`` ended, counted; ``undone``: its stack had to roll back."""
        record = run.record
        told = any(said.canary == record.canary and said.verdict == Verdict.ROLL_BACK for said in record.verdicts)
        stack = self._workspace.endpoint.stack_name
        status = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        stuck = status.endswith("_FAILED")
        self._counts["told"] += told
        self._counts["promoted_though_told"] += told and run.story.outcome is RehearsalOutcome.JUDGED_TOO_LATE
        back = record.final == record.stable
        self._counts["alias_off"] += (undone or told) and not stuck and not back
        if stuck:
            self._counts["stuck"] += 1
            self._counts["freed"] += self._free(stack, record.stable)
        return "stuck" if stuck else run.story.outcome.name.lower().replace("_", " ")

    def _free(self, stack: str, stable: str) -> bool:
        """Whether the runbook's commands free the stack: the alias is put back by hand, and skipped."""
        resources = self._cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        aliases = [each["LogicalResourceId"] for each in resources if each["ResourceType"] == "AWS::Lambda::Alias"]
        self._lambda.update_alias(
            FunctionName=stack, Name="live", FunctionVersion=stable, RoutingConfig={"AdditionalVersionWeights": {}}
        )
        self._cloudformation.continue_update_rollback(StackName=stack, ResourcesToSkip=aliases)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            described: dict[str, Any] = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            if described["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE":
                return True
            time.sleep(0.2)
        return False


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", nargs="+", type=int, help="numbers of the rows to play, from 0; all unless told")
    parser.add_argument("--extreme", choices=EXTREMES, help="play one combination that is as far off as can be")
    parser.add_argument("--releases", nargs="+", choices=RELEASES, default=RELEASES, help="which; all unless told")
    parser.add_argument("--minutes", type=float, default=120, help="begin no row after so many; 120 unless told")


if __name__ == "__main__":
    main("readings", measure, note=NOTE, arguments=_arguments)
