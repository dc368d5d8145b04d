"""`scripts/quickstart` does what the README shows: a prediction, a good release promoted, a bad one rolled back.

The two rehearsals are whole ones, so what their data and pages hold is tested here as well.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STEP = re.compile(r"^done +[\d.]+ s  (.+)$", re.MULTILINE)

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("main-job")]


@dataclass(frozen=True)
class Release:
    """One rehearsal's data and page."""

    data: dict[str, Any]
    page: str

    @property
    def by_version(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = self.data["requests_by_version_and_status"]
        return found

    def happened(self, kind: str) -> list[str]:
        return [event["text"] for event in self.data["events"] if event["kind"] == kind]


@dataclass(frozen=True)
class Ran:
    """What the quickstart printed, and its two releases."""

    printed: str
    good: Release
    bad: Release


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("quickstart")
    command = [ROOT / "scripts" / "quickstart", "--reports", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=700)
    assert done.returncode == 0, done.stdout + done.stderr
    good, bad = (
        Release(json.loads((folder / f"{name}.json").read_text()), (folder / f"{name}.html").read_text())
        for name in ("good", "bad")
    )
    return Ran(done.stdout, good, bad)


def test_the_readme_shows_its_steps(ran: Ran) -> None:
    steps, printed = STEP.findall(README), STEP.findall(ran.printed)
    assert steps == [step for step in printed if step in steps]
    assert sum("serinus rehearse" in step for step in steps) == 2
    assert "served beside the source model" in ran.printed


def test_both_releases_are_told(ran: Ran) -> None:
    good, bad = ran.printed.partition("a good release")[2].split("a bad release")
    assert "all traffic goes to version 2" in good
    assert re.search(r"Promoted\. \d+ of the \d+ requests .* reached version 2; 0 of all \d+ failed\.", good)
    assert "all traffic goes to version 1" in bad
    assert re.search(r"Rolled back\. \d+ of the \d+ .* reached version 2; [1-9]\d* of all \d+ failed\.", bad)


@pytest.mark.parametrize("name", ["good", "bad"])
def test_data_and_page_are_whole(ran: Ran, name: str) -> None:
    release = getattr(ran, name)
    counted = sum(count for statuses in release.by_version.values() for count in statuses.values())
    assert counted == release.data["requests"] > 0
    times = [event["cloud_s"] for event in release.data["events"]]
    assert times == sorted(times)
    assert min(times) >= 0
    assert {"stack", "deployment", "alias"} <= {event["kind"] for event in release.data["events"]}
    assert release.page.startswith("<!doctype html>")
    assert not re.search(r"https?:|src=|href=|@import|url\(|<script", release.page)


def test_a_good_release_is_promoted_and_every_request_answered(ran: Ran) -> None:
    data = ran.good.data
    assert (data["exit_code"], data["verdict"], data["headline"]) == (0, "promoted", "Promoted")
    assert (data["failed_requests"], data["stable_version"], data["final_version"]) == (0, "1", "2")
    assert set(ran.good.by_version) == {"1", "2"}
    assert all(set(statuses) == {"200"} for statuses in ran.good.by_version.values())
    assert data["shift_ended_s"] - data["shift_began_s"] == pytest.approx(600, abs=60)
    assert ran.good.happened("alias") == [
        "30% of traffic goes to version 2, the rest to version 1",
        "all traffic goes to version 2",
    ]
    assert ran.good.happened("verdict")[-1].startswith("promote: no sign of harm")
    assert '<h1 class="good">Promoted</h1>' in ran.good.page


def test_the_canarys_share_is_its_weight_within_three_standard_errors(ran: Ran) -> None:
    data = ran.good.data
    share = data["canary_share"]
    assert (share["weight"], share["requests"]) == (0.3, data["requests_during_shift"])
    assert abs(share["share"] - share["weight"]) <= 3 * share["standard_error"]
    assert share["within_three_standard_errors"]
    assert data["lambda_counted"]["2"] == {"invocations": data["requests_that_met_the_candidate"], "errors": 0}


def test_a_bad_release_is_rolled_back(ran: Ran) -> None:
    data = ran.bad.data
    assert (data["exit_code"], data["verdict"], data["headline"]) == (3, "rolled back", "Rolled back")
    assert (data["stable_version"], data["candidate_version"], data["final_version"]) == ("1", "2", "1")
    assert set(ran.bad.by_version["1"]) == {"200"}
    failed = ran.bad.by_version["not named"]
    assert set(failed) == {"502"}
    assert failed["502"] == data["failed_requests"] == data["lambda_counted"]["2"]["errors"] > 0
    assert data["failed_requests"] < data["requests_that_met_the_candidate"] < data["requests_during_shift"]
    assert data["shift_began_s"] < data["shift_ended_s"] < data["shift_began_s"] + 480
    assert data["minutes_from_first_bad_answer_to_alias_back"] > 0
    assert ran.bad.happened("alias")[-1] == "all traffic goes to version 1"
    assert ran.bad.happened("alarm")
    assert "rolled back automatically" in data["summary"][0]
    assert '<h1 class="bad">Rolled back</h1>' in ran.bad.page
