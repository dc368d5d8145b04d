"""`serinus rehearse` from start to end; it leaves nothing behind.

Whole rehearsals in real time, of a good release and of one that traffic meets, are in `tests/test_quickstart.py`,
those of a candidate over the pinned bundle in `tests/docs/test_tutorial.py`, one that skips time in
`tests/test_wheel.py`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
