"""What a check observed, for people (docs/aws-verified.md) and for `--readings FILE` (aws-verified.json)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from serinus.cli.account_check.observation import Observation
from serinus.modelpack.atomic import write_file
from serinus.offline.core.readings import Readings

PAGE, FILE = "aws-verified.md", "aws-verified.json"
#: Readings that a check does not observe, with the reason.
UNOBSERVED: Mapping[str, str] = {
    "environment-idle-limit": "the check would wait as long as an idle environment is kept",
    "schedule-delay": "at which instants a rate is due is not documented, so a delay cannot be told from them",
    "stack-operation-limit": "an operation would have to last 36 hours",
    "usage-plans": "that no request beyond a quota passes in one run does not show that none ever does",
}
NOT_REACHED = "the check ended before it"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Where, when and with what result; ``began_at`` and ``ended_at`` in epoch seconds. ``cloud`` is "AWS", or
    names an offline cloud, of which nothing can be learnt about AWS."""

    cloud: str
    account: str
    region: str
    began_at: float
    ended_at: float
    observations: Sequence[Observation]
    left: Sequence[str] = ()
    #: Why the check ended early; empty if it did not.
    failure: str = ""
    version: str = ""

    def readings(self) -> dict[str, str]:
        """The observed values by name: a file of readings."""
        return {entry.reading: entry.value for entry in self.observations if entry.value is not None}


def complete(observations: Mapping[str, Observation], at: float) -> list[Observation]:
    """One observation for every reading, in the readings' order; the reason where there is none."""
    return [
        observations.get(name, Observation(name, None, (UNOBSERVED.get(name, NOT_REACHED),), at))
        for name in Readings.names()
    ]


def write_report(folder: Path, report: CheckReport) -> tuple[Path, Path]:
    """Write page and file into ``folder``; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    page, file = folder / PAGE, folder / FILE
    write_file(page, render(report).encode())
    write_file(file, (json.dumps(report.readings(), indent=1) + "\n").encode())
    return page, file


def render(report: CheckReport) -> str:
    """The page."""
    rows = [_row(entry) for entry in report.observations]
    evidence = [line for entry in report.observations for line in _evidence(entry)]
    observed = len(report.readings())
    left = [
        "",
        "Left in the account, because it could not be removed:",
        "",
        *(f"- {what}" for what in report.left),
    ]
    return "\n".join(
        [
            "# Observed on " + report.cloud,
            "",
            "Written by `serinus doctor --aws-account`. " + _what_it_is(report),
            "",
            f"Account {_masked(report.account)}, region {report.region}, {_time(report.began_at)} to "
            f"{_time(report.ended_at)}: {observed} of {len(report.observations)} readings observed. Serinus "
            f"{report.version}.",
            "",
            f"`serinus local up --readings {FILE}` starts an offline cloud that behaves as observed; a reading "
            "that is not in the file keeps its default.",
            *([f"\nThe check ended early: {_plain(report.failure)}."] if report.failure else []),
            *(left if report.left else []),
            "",
            "| reading | observed | default offline | what is in doubt |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "## Evidence",
            "",
            *evidence,
            "",
        ]
    )


def _what_it_is(report: CheckReport) -> str:
    if report.cloud == "AWS":
        return "One run in one account: AWS may behave differently elsewhere, or tomorrow."
    return "**An offline cloud plays what it was started with: this page says nothing about AWS.**"


def _row(entry: Observation) -> str:
    doubt = next(doubt for doubt in Readings.doubts() if doubt.name == entry.reading)
    value = f"`{entry.value}`" if entry.value is not None else "not observed"
    return f"| `{entry.reading}` | {value} | `{doubt.default}` | {doubt.meaning} |"


def _evidence(entry: Observation) -> list[str]:
    first, *more = entry.evidence or ("",)
    lines = [f"- `{entry.reading}` ({_time(entry.at)}): {_plain(first)}."]
    return lines + [f"  - {_plain(line)}" for line in more if line]


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split()).rstrip(".")


def _masked(account: str) -> str:
    """The account's last digits: the page may be published."""
    return f"…{account[-4:]}"


def _time(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
