"""A rehearsed release as something to assert: `assert endpoint.release(bundle).is_promoted()`."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serinus.testing.cloud import SessionCloud, fail

#: The environment whose rollout is rehearsed unless another was chosen; in `local` all traffic moves at once.
_ENVIRONMENT = "dev"
#: Real seconds in which an interrupted rehearsal stops its cloud.
_END_PATIENCE_S = 30.0
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
    report, log = folder / f"{endpoint}.html", folder / "rehearse.log"
    options = ["--rate", f"{rate:g}", "--seed", str(seed), "--env", cloud.environment or _ENVIRONMENT]
    options += [] if candidate is None else ["--candidate", candidate]
    options += [] if fault is None else ["--inject", fault]
    command = [sys.executable, "-P", "-m", "serinus", "rehearse", endpoint, "--stepped", "--json", *options]
    with log.open("wb") as progress:
        process = subprocess.Popen(
            [*command, "--html", str(report)],
            cwd=cloud.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=progress,
            text=True,
            encoding="utf-8",
            env={**os.environ, "TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
        with process:
            try:
                printed, _ = process.communicate()
            except BaseException:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_END_PATIENCE_S)
                raise
    try:
        data = json.loads(printed)
    except ValueError:
        fail(_error(log))
    release = RehearsedRelease(data["verdict"], data["reason"], " ".join(data["summary"]), report, data)
    print(f"serinus rehearse {endpoint}: {data['headline']}. {release.summary}\nreport: {report}")
    return release


def _error(log: Path) -> str:
    """The error with which the command ended, or the end of what it wrote."""
    text = log.read_text(encoding="utf-8", errors="replace")
    before, found, error = text.rpartition("error: ")
    del before
    return error.strip() if found else f"the rehearsal ended without a result (log: {log})"
