"""A rehearsed release as something to assert: `assert endpoint.release(bundle).is_promoted()`."""

import json
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serinus.testing.cloud import REHEARSE_LOG, RESULT, SessionCloud, fail

#: The environment whose rollout is rehearsed unless another was chosen; in `local` all traffic moves at once.
_ENVIRONMENT = "dev"
_ARGUMENTS = {"--inject": "fault", "--candidate": "bundle", "--rate": "rate", "--seed": "seed"}
#: Characters of a value that pytest shows of a failed assertion, less those around it.
_SHOWN = 230


@dataclass(frozen=True, slots=True, repr=False)
class RehearsedRelease:
    """How a rehearsed release ended.

    ``outcome`` is "promoted", "rolled back", "not enough evidence" (promoted without enough requests to judge it)
    or "judged too late" (promoted against the judge's verdict); ``reason`` is a sentence. ``summary`` says what
    happened, why, and how many requests it affected. ``report`` is the page of `serinus rehearse`, ``data`` all
    that its --json prints.
    """

    outcome: str
    reason: str
    summary: str
    report: Path
    data: dict[str, Any] = field(compare=False)

    def is_promoted(self) -> bool:
        """Whether the new version was judged good and serves all requests."""
        return self.outcome == "promoted"

    def is_rolled_back(self) -> bool:
        """Whether the old version serves all requests again."""
        return self.outcome == "rolled back"

    def __repr__(self) -> str:
        """The outcome and its reason, as pytest shows it of a failed assertion."""
        shown = f"<{self.data['headline']}. {self.reason}>"
        return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 2]}…>"

    def __str__(self) -> str:
        return self.summary


def rehearse(
    cloud: SessionCloud, endpoint: str, *, candidate: str | None, fault: str | None, rate: float, seed: int
) -> RehearsedRelease:
    """Run `serinus rehearse` in a process of its own. Its summary is printed: pytest shows it of a failed test."""
    __tracebackhide__ = True
    folder = Path(tempfile.mkdtemp(prefix="release-", dir=cloud.folder))
    report = folder / f"{endpoint}.html"
    options = [endpoint, "--stepped", "--json", "--html", str(report), "--rate", f"{rate:g}", "--seed", str(seed)]
    options += ["--env", cloud.environment or _ENVIRONMENT]
    options += [] if candidate is None else ["--candidate", candidate]
    options += [] if fault is None else ["--inject", fault]
    cloud.rehearse(options, folder)
    try:
        data = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except ValueError:
        fail(rehearsal_error(folder / REHEARSE_LOG))
    release = RehearsedRelease(data["verdict"], data["reason"], " ".join(data["summary"]), report, data)
    print(f"serinus rehearse {endpoint}: {data['headline']}. {release.summary}\nreport: {report}")
    return release


def rehearsal_error(log: Path) -> str:
    """The error with which the command ended, its options by the names of `release`'s arguments."""
    text = log.read_text(encoding="utf-8", errors="replace")
    _, marker, error = text.rpartition("error: ")
    if not marker:  # an option's value, in the frame that typer draws
        usage = re.search(r"Invalid value for .*?(?=\s*│?\s*$)", text, re.MULTILINE)
        error = usage[0] if usage else f"the rehearsal ended without a result (log: {log})"
    for option, argument in _ARGUMENTS.items():
        error = error.replace(option, argument)
    return error.strip()
