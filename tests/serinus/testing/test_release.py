"""The result of a rehearsed release: what can be asserted of it, and what pytest shows where that fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from serinus.testing import RehearsedRelease
from serinus.testing.release import rehearsal_error

LONG = "The judge: errors: 30.0% of the canary's requests. " * 10


def release(outcome: str, reason: str = "The judge: no sign of harm.") -> RehearsedRelease:
    headline = {"promoted": "Promoted", "rolled back": "Rolled back"}.get(outcome, "Promoted, but")
    return RehearsedRelease(outcome, reason, f"It ended. {reason}", Path("churn.html"), {"headline": headline})


@pytest.mark.parametrize(
    ("outcome", "promoted", "rolled_back"),
    [
        ("promoted", True, False),
        ("rolled back", False, True),
        ("not enough evidence", False, False),
        ("judged too late", False, False),
    ],
)
def test_only_a_judged_release_is_promoted(outcome: str, promoted: bool, rolled_back: bool) -> None:
    ended = release(outcome)
    assert (ended.is_promoted(), ended.is_rolled_back()) == (promoted, rolled_back)


def test_a_failed_assertion_shows_outcome_and_reason() -> None:
    with pytest.raises(AssertionError) as caught:
        assert release("rolled back").is_promoted()
    assert "<Rolled back. The judge: no sign of harm.>.is_promoted" in str(caught.value)


def test_a_long_reason_is_cut_where_pytest_would_cut_it_in_the_middle() -> None:
    with pytest.raises(AssertionError) as caught:
        assert release("rolled back", LONG).is_promoted()
    assert "<Rolled back. The judge: errors: 30.0% of" in str(caught.value)
    assert str(release("rolled back", LONG)) == f"It ended. {LONG}"
    assert "…>.is_promoted" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--inject", "fire"], "fault 'fire' is not a fault; use one of errors=20%"),
        (["--rate", "0.5"], "Invalid value for 'rate': "),
        (["--seed", "-1"], "Invalid value for 'seed': "),
        ([], "no endpoint 'churn' in serinus.toml for 'dev'; it has none: "),
    ],
)
def test_an_error_of_the_command_names_the_arguments(options: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "serinus.toml").write_text('[project]\nname = "shop"\n')
    log = tmp_path / "rehearse.log"
    command = [sys.executable, "-m", "serinus", "rehearse", "churn", "--stepped", "--json", *options]
    with log.open("wb") as output:
        subprocess.run(command, cwd=tmp_path, stderr=output, stdout=subprocess.DEVNULL, timeout=120)
    assert rehearsal_error(log).startswith(message)


def test_a_command_that_ended_without_an_error_leaves_its_log(tmp_path: Path) -> None:
    (tmp_path / "rehearse.log").write_text("deploying …")
    assert rehearsal_error(tmp_path / "rehearse.log") == (
        f"the rehearsal ended without a result (log: {tmp_path / 'rehearse.log'})"
    )
