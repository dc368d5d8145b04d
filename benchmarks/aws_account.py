"""The check of an AWS account, made on offline clouds: are their readings observed, is anything left?"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from lab.account_check import agrees, check_cloud, cloud_of, left_in, played, project_in
from table import Row, main

NOTE = (
    "`serinus doctor --aws-account` on offline clouds, each started with other readings: what it observed beside "
    "what the cloud played, and what was left in the account. Then the same check interrupted by Ctrl-C at "
    "moments from its first creation to its last wait. Nothing of this was run on AWS."
)
#: Each observable doubt with at least two of its values in some set.
SETS: Mapping[str, Mapping[str, str]] = {
    "defaults": {},
    "opposites": {
        "metric-delay": "90",
        "new-metric-delay": "120",
        "list-metrics-delay": "900",
        "empty-series": "filled",
        "executed-version": "while-weighted",
        "throttled-version": "present",
        "alarm-polling": "0",
        "hooks-in-rollback": "no",
        "alarms-in-rollback": "yes",
        "function-info-in-hooks": "present",
        "target-version-weight": "fraction",
        "stack-alias-rollback": "direct",
        "alias-several-properties": "applied",
        "update-policy-order": "yes",
        "alias-with-provisioned": "accepted",
        "first-init-delay": "3",
        "role-propagation": "10",
        "delete-function-resource": "version",
        "waf-reserved-names": "case-sensitive",
    },
    "slow": {
        "metric-delay": "30..120",
        "new-metric-delay": "0..120",
        "alarm-polling": "15",
        "stack-alias-rollback": "slow",
        "alias-several-properties": "ignored",
        "role-propagation": "2",
    },
    "stuck": {
        "metric-delay": "30",
        "alarm-polling": "60",
        "alarms-in-rollback": "yes",
        "stack-alias-rollback": "stuck",
        "alias-several-properties": "applied",
        "executed-version": "while-weighted",
        "throttled-version": "absent",
    },
}
#: Observed on one version: these need no release.
ONE_VERSION = (
    "metric-delay",
    "new-metric-delay",
    "list-metrics-delay",
    "empty-series",
    "delete-function-resource",
    "waf-reserved-names",
    "role-propagation",
)
#: Steps before which the check is interrupted: creations and waits by the beginning of their description.
MOMENTS = (
    "begin",
    "create stack",
    "wait for deploying stable",
    "create function",
    "wait for metrics",
    "wait for deploying described",
    "create reserved concurrency",
    "create deployment",
    "wait for a deployment's stop",
    "wait for deploying broken",
)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Rows of each set of readings, then of each moment."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        project = project_in(Path(name))
        for title in chosen.sets:
            rows += _observed(project, title, releases=not chosen.short)
        if not chosen.no_moments:
            rows += [_interrupted(project, moment, signal.SIGINT) for moment in MOMENTS]
            rows += [_interrupted(project, "create alias", number) for number in _SIGNALS]
    return rows


_SIGNALS = (signal.SIGTERM, signal.SIGKILL)


def _observed(project: Path, title: str, *, releases: bool) -> list[Row]:
    began = time.monotonic()
    with cloud_of(project, SETS[title]) as cloud:
        report = check_cloud(project, cloud, releases=releases, show=_progress)
        left = left_in(cloud)
    took_s = round(time.monotonic() - began)
    observed, every = report.readings(), played(SETS[title])
    rows: list[Row] = [
        {
            "section": f"readings: {title}, in {took_s} s, {len(left)} things left",
            "reading": name,
            "played": value,
            "observed": observed.get(name, "not observed"),
            "agrees": agrees(name, every, observed.get(name)),
        }
        for name, value in every.items()
        if releases or name in ONE_VERSION
    ]
    if report.failure:
        rows.append({"section": rows[0]["section"], "reading": "the check failed", "observed": report.failure})
    return rows


def _interrupted(project: Path, moment: str, number: signal.Signals) -> Row:
    """A check in a process of its own, which ``number`` ends before the step ``moment``; after a kill, the next
    check is begun, and ended in the same way before it makes anything."""
    began = time.monotonic()
    with cloud_of(project, {"metric-delay": "30"}) as cloud:
        code = interrupted_check(project, cloud.port, moment, number)
        then = ""
        if number == signal.SIGKILL:
            then = f"{len(left_in(cloud))} before the next run"
            interrupted_check(project, cloud.port, "begin", signal.SIGINT)
        left = left_in(cloud)
    return {
        "section": "interrupted",
        "before": moment,
        "signal": number.name,
        "exit_code": code,
        "left": len(left),
        "what": ", ".join([*left[:3], *([then] if then else [])]),
        "seconds": round(time.monotonic() - began),
    }


def interrupted_check(project: Path, port: int, moment: str, number: signal.Signals) -> int:
    """The exit code of a check of the cloud at ``port`` that ``number`` ends before its step ``moment``."""
    command = [sys.executable, __file__, "--child", str(project), str(port), moment, str(int(number))]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with (project / "interrupted.log").open("w") as log:
        return subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT).returncode


def _child(project: str, port: str, moment: str, number: str) -> None:
    from serinus.cli import offline_process

    # A shell starts programs in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cloud = offline_process.require(Path(project), int(port))
    sent = False

    def interrupt(step: str) -> None:
        nonlocal sent
        if not sent and step.startswith(moment):
            sent = True
            os.kill(os.getpid(), int(number))

    try:
        check_cloud(Path(project), cloud, on_step=interrupt, show=_progress)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(0 if sent else 3)


def _progress(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS), help="which sets of readings")
    parser.add_argument("--short", action="store_true", help="observe only what needs no release")
    parser.add_argument("--no-moments", action="store_true", help="interrupt no check")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(*sys.argv[2:])
    main("aws_account", measure, note=NOTE, arguments=_arguments)
