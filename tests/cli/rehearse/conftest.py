"""Records of rehearsals, made up: a release that was promoted, and one that was rolled back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from serinus.cli.rehearse.observer import Happening, Shares
from serinus.cli.rehearse.record import Metered, Play, Record
from serinus.cli.rehearse.traffic import Answered
from serinus.cli.release_reader import AliasState, Deployment, JudgeVerdict, Phase

START = 1_000_000.0
SHIFT, END = START + 300, START + 900


def answered(at: float, version: str, status: int = 200) -> Answered:
    return Answered(at, at + 1, status, version, "abc", 10.0)


def release(status: str, end: float) -> Deployment:
    phases = (
        Phase("BeforeAllowTraffic", "Succeeded", SHIFT - 60, SHIFT),
        Phase("AllowTraffic", "Succeeded" if status == "Succeeded" else "Failed", SHIFT, end),
        Phase("AfterAllowTraffic", "Succeeded" if status == "Succeeded" else "Skipped", None, None),
    )
    return Deployment("d-1", status, "1", "2", SHIFT - 60, end, phases)


@pytest.fixture
def promoted() -> Record:
    """Ten minutes of canary in which every tenth answer is the candidate's, then all are."""
    during = [answered(SHIFT + index, "2" if index % 10 == 0 else "1") for index in range(600)]
    return Record(
        play=Play("churn", "dev", "shop-dev-churn", "aaa", "bbb", False, "canary", None, 60, 200, 1, 90),
        stable="1",
        final="2",
        released_at=START,
        deployed_at=END + 60,
        deploy_log="",
        answers=[*(answered(START + index, "1") for index in range(300)), *during, answered(END + 5, "2")],
        held_back=0,
        slowed_s=0.0,
        held_s=0.0,
        shares=[Shares(START, AliasState("1")), Shares(SHIFT + 5, AliasState("1", "2", 0.1)),
                Shares(END + 5, AliasState("2"))],
        happenings=[Happening(SHIFT, "deployment", "traffic shift begins")],
        deployments=[release("Succeeded", END)],
        alarms=[],
        verdicts=[JudgeVerdict(END - 120, "2", "promote", "no sign of harm")],
        metered={"1": Metered(540, 0), "2": Metered(60, 0)},
        laps_s={"prepare": 20.0, "release": 16.0},
    )  # fmt: skip


@pytest.fixture
def rolled_back(promoted: Record) -> Record:
    """The same, but the candidate fails from its first answer on, and the alias is back after two minutes."""
    back = SHIFT + 120
    broken = [one for one in promoted.answers if one.at < back and one.version == "1"]
    broken += [answered(SHIFT + 10 * index, "", 502) for index in range(12)]
    undoing = replace(release("Succeeded", back), id="d-2", stable="2", canary="1", undoes="d-1")
    return replace(
        promoted,
        final="1",
        answers=sorted(broken, key=lambda one: one.at),
        deployments=[undoing, release("Stopped", back)],
        verdicts=[JudgeVerdict(back - 30, "2", "roll back", "errors are <b>more</b> frequent")],
        metered={"1": Metered(108, 0), "2": Metered(12, 12)},
    )


@pytest.fixture
def changed() -> Callable[..., Any]:
    return replace
