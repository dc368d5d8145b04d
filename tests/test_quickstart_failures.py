"""`scripts/quickstart` where a step fails, which ends in a sentence and a log, and on a busy machine."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from quickstart import PROMOTED, Quickstart, StepFailed

#: In place of `serinus`: each call takes the next exit code and prints the JSON of a rehearsal that ended with it.
COMMAND = """
import json, pathlib, sys
left = pathlib.Path("codes.json")
code, *others = json.loads(left.read_text())
left.write_text(json.dumps(others))
headline = {0: "Promoted", 3: "Rolled back"}[code]
slowed = 0.0 if "--stepped" in sys.argv else 12.0
print(json.dumps({"exit_code": code, "headline": headline, "summary": [f"It was {headline.lower()}.", "Slow."],
                  "real_s": {"slowed": slowed, "held": 0.0}, "options": sys.argv,
                  "more": ["line"] * 300}, indent=1))
sys.exit(code)
"""


@pytest.fixture
def quickstart(tmp_path: Path) -> Quickstart:
    return Quickstart(tmp_path, tmp_path, tmp_path / "quickstart.log")


def end_with(quickstart: Quickstart, *codes: int) -> None:
    (quickstart.folder / "codes.json").write_text(json.dumps(codes))
    quickstart.command = [sys.executable, "-c", COMMAND]


def test_a_failed_command_is_one_sentence_and_the_log_has_the_rest(quickstart: Quickstart) -> None:
    with pytest.raises(StepFailed) as raised, quickstart.step("package it"):
        quickstart.serinus("package", "absent.joblib", "--name", "tumour")
    assert str(raised.value).startswith("package it: `serinus package` ended with exit code 1: ")
    assert "serinus.toml" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "$ serinus package absent.joblib" in quickstart.log.read_text()


def test_a_release_that_a_busy_machine_spoils_is_rehearsed_again_with_time_skipped(
    quickstart: Quickstart, capsys: pytest.CaptureFixture[str]
) -> None:
    end_with(quickstart, 3, 0)
    data: dict[str, Any] = quickstart.rehearse("good", expected=PROMOTED)
    printed = capsys.readouterr().out
    assert "it ended otherwise: Rolled back. This machine may be too busy" in printed
    assert "--stepped" in data["options"]
    assert json.loads((quickstart.reports / "good.json").read_text()) == data


def test_a_release_that_ends_otherwise_twice_is_a_failure_without_its_data(
    quickstart: Quickstart, capsys: pytest.CaptureFixture[str]
) -> None:
    end_with(quickstart, 3, 3)
    with pytest.raises(
        StepFailed, match=r"^the release ended otherwise than it should: It was rolled back\. Slow\.$"
    ):
        quickstart.rehearse("good", expected=PROMOTED)
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert "line" in quickstart.log.read_text()


def test_a_machine_that_slowed_the_release_is_named(
    quickstart: Quickstart, capsys: pytest.CaptureFixture[str]
) -> None:
    end_with(quickstart, 0)
    quickstart.rehearse("good", expected=PROMOTED)
    assert "this machine is busy: cloud time was slowed for 12 s" in capsys.readouterr().out
