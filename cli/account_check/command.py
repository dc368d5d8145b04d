"""The command line of a check: what it will do and cost, the confirmation, and the reports."""

import os
from pathlib import Path

from serinus.cli.account_check.cost import LIMIT_DOLLARS, LONGEST_HOURS, USUAL_MINUTES, highest_cost_dollars
from serinus.cli.account_check.inventory import FOLDER
from serinus.cli.account_check.report import write_report
from serinus.cli.account_check.run import CheckOptions, check_account, identify
from serinus.cli.account_check.session import PREFIX, Caller
from serinus.cli.confirmation import require_confirmation
from serinus.cli.console import notice, results
from serinus.cli.errors import CliError, Interrupted, WrongUsage
from serinus.cli.project import find_project
from serinus.cli.target import CloudTarget, select_target
from serinus.infra import prices

DEFAULT_REPORT = Path("docs")


def run_check(*, local: bool, port: int | None, yes: bool, report: Path) -> None:
    """Check the account of the caller's credentials, or the project's offline cloud; write both reports into
    ``report``. Raises `CliError`; exit code 1 if something was left in the account."""
    _require_folder(report)
    project = find_project()
    target = select_target(project, None, local=local, port=port)
    if target.cloud is not None and target.cloud.speed != 1:
        raise WrongUsage(
            f"the offline cloud at {target.cloud.url} runs at speed {target.cloud.speed:g}; durations are "
            "measured at speed 1, and a check skips time itself. Start one by `serinus local up --speed 1`."
        )
    caller = identify(target)
    notice(plan(target, caller))
    if not yes:
        require_confirmation("Continue?")
    try:
        made = check_account(CheckOptions(project, target, caller, show=notice))
    except KeyboardInterrupt as interrupt:
        raise Interrupted(
            f"interrupted; what was made has been removed, or is in {project / FOLDER} and is removed by the next "
            "run. No report was written"
        ) from interrupt
    page, file = write_report(report, made)
    observed, every = len(made.readings()), len(made.observations)
    results.print(f"{observed} of {every} readings observed; {page} and {file} were written", markup=False)
    if made.left:
        raise CliError(f"left in the account: {'; '.join(made.left)}. Run the same command again to remove it.")
    if made.failure:
        raise CliError(f"the check ended early, and everything was removed: {made.failure}")


def plan(target: CloudTarget, caller: Caller) -> str:
    """What a check will do, where, and what it costs and takes at most."""
    price = f"${highest_cost_dollars():.2f} at most (limit ${LIMIT_DOLLARS:.0f})"
    lines = [
        f"account {caller.account} in {caller.region} on {target.name}, as {caller.arn}",
        f"This deploys a small endpoint into stacks of its own ({PREFIX}…), sends it a few requests, releases it",
        "three times, stops deployments by an alarm, and lets one update fail. It also makes, for minutes, a",
        "role, a function and web ACLs. Nothing else in the account is changed. Everything is removed at the end,",
        "also after Ctrl-C; if this program is killed, the next run removes it.",
    ]
    if target.cloud is None:
        lines += [
            f"It costs {price}, at list prices of us-east-1 of {prices.AS_OF}, and takes about {USUAL_MINUTES} "
            f"minutes, {LONGEST_HOURS} hours at most.",
            "Custom metrics cannot be deleted: those of the check expire unused.",
        ]
    else:
        lines += ["It costs nothing, takes a few minutes, and skips cloud time. It says nothing about AWS."]
    return "\n".join(lines)


def _require_folder(report: Path) -> None:
    """`WrongUsage` before anything is made, rather than after two hours, unless reports can be written there."""
    existing = next(path for path in (report, *report.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise WrongUsage(f"--report {report} is not a folder that can be written. Nothing was changed.")
