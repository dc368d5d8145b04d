"""`serinus rehearse` from start to end; it leaves nothing behind.

Whole rehearsals in real time, of a good release and of one that traffic meets, are in `tests/test_quickstart.py`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serinus.lambda_handlers.contract.lock import LOCK, read_lock

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "examples"))

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("rehearse")]
KEPT = ("serinus.toml", "serinus.lock", "package.json", "cdk.json")


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command in ``folder``, with its parent for temporary files, so that what is left behind shows."""
    return subprocess.run(
        [sys.executable, "-m", "serinus", *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder.parent)},
        capture_output=True,
        text=True,
        timeout=400,
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with a packaged model."""
    from train import train

    folder = tmp_path / "shop"
    train(folder / "training", trees=10)
    assert run(folder, "init", ".", "--name", "shop").returncode == 0
    (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    packed = run(folder, "package", "training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv")
    assert packed.returncode == 0, packed.stderr
    return folder


def test_wrong_answers_are_stopped_before_any_traffic(shop: Path) -> None:
    before = {name: (shop / name).read_bytes() for name in KEPT}
    pace = ("--speed", "30", "--rate", "20", "--seed", "7")
    done = run(shop, "rehearse", "tumour", *pace, "--inject", "wrong-answers", "--json")
    assert done.returncode == 3, done.stderr

    page = ".serinus/rehearsals/tumour.html"
    assert done.stderr.splitlines()[-1] == f"report: {shop / page}"
    data = json.loads(done.stdout)
    assert (data["exit_code"], data["verdict"]) == (3, "rolled back")
    assert data["rehearsed"]["candidate_model"] != data["rehearsed"]["stable_model"]
    assert data["requests_that_met_the_candidate"] == 0
    assert (data["failed_requests"], data["shift_began_s"]) == (0, None)
    assert data["requests_by_version_and_status"] == {"1": {"200": data["requests"]}}
    assert not [event for event in data["events"] if event["kind"] == "alias"]
    assert data["summary"][1].startswith("The pre-traffic check failed")
    assert "<b>none</b><span>of the requests reached the new version" in (shop / page).read_text()

    assert {name: (shop / name).read_bytes() for name in KEPT} == before
    assert list(shop.parent.glob("serinus-*-rehearsal")) == []
    assert [path.name for path in (shop / page).parent.iterdir()] == ["tumour.html"]


def test_a_new_model_is_compared_with_the_pinned_one_and_then_pinned(shop: Path) -> None:
    from train import train

    pinned = read_lock(shop / LOCK)["dev"]["tumour"].version
    train(shop / "training-2", trees=12)
    packed = run(
        shop, "package", "training-2/model.joblib", "--name", "tumour", "--sample", "training-2/sample.csv",
        "--candidate", "--json",
    )  # fmt: skip
    assert packed.returncode == 0, packed.stderr
    new = json.loads(packed.stdout)["version"]
    assert packed.stderr.splitlines()[-1].endswith("Next: serinus rehearse tumour, then serinus pin tumour")

    done = run(shop, "rehearse", "tumour", "--stepped", "--rate", "120", "--seed", "7", "--json")
    assert done.returncode == 0, done.stderr
    rehearsed = json.loads(done.stdout)["rehearsed"]
    assert (rehearsed["stable_model"], rehearsed["candidate_model"]) == (pinned[:12], new[:12])
    assert read_lock(shop / LOCK)["dev"]["tumour"].version == pinned

    chosen = run(shop, "pin", "tumour")
    assert chosen.returncode == 0, chosen.stderr
    assert read_lock(shop / LOCK)["dev"]["tumour"].version == new


def test_a_bad_release_is_rolled_back_when_time_is_skipped(shop: Path) -> None:
    pace = ("--stepped", "--rate", "120", "--seed", "7")
    done = run(shop, "rehearse", "tumour", *pace, "--inject", "errors=30%", "--json")
    assert done.returncode == 3, done.stderr
    data = json.loads(done.stdout)
    assert (data["verdict"], data["final_version"]) == ("rolled back", data["stable_version"])
    assert data["summary"][1].startswith("The judge: errors")
    assert (data["rehearsed"]["speed"], data["real_s"]["slowed"], data["real_s"]["held"]) == (None, 0, 0)
    assert data["requests_not_sent"] == 0
    # Fifteen-minute bakes are judged for ten: the alarm, not the end of the bake, stopped this one.
    assert 120 < data["shift_ended_s"] - data["shift_began_s"] < 660
    assert data["canary_share"]["within_three_standard_errors"]
    assert "120 requests per cloud minute in batches" in (shop / ".serinus/rehearsals/tumour.html").read_text()
