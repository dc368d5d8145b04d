"""Records of rehearsals, made up: a release that was promoted, and one that was rolled back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from serinus.cli.rehearse.invocations import InvocationCounts
from serinus.cli.rehearse.observer import AliasSample, ObservedEvent
from serinus.cli.rehearse.record import RehearsalRecord, RehearsalSettings
from serinus.cli.rehearse.traffic import RequestResult
from serinus.cli.release_reader import AliasDeployment, AliasState, DeploymentPhase, JudgeVerdict

START = 1_000_000.0
SHIFT, END = START + 300, START + 900
SETTINGS = RehearsalSettings("churn", "dev", "shop-dev-churn", "aaa", "bbb", False, "canary", None, 60, 200, 1, 90)


def answered(at: float, version: str, status: int = 200) -> RequestResult:
    return RequestResult(at, at + 1, status, version, "abc", 10.0)


def release(status: str, end: float) -> AliasDeployment:
    phases = (
        DeploymentPhase("BeforeAllowTraffic", "Succeeded", SHIFT - 60, SHIFT),
        DeploymentPhase("AllowTraffic", "Succeeded" if status == "Succeeded" else "Failed", SHIFT, end),
        DeploymentPhase("AfterAllowTraffic", "Succeeded" if status == "Succeeded" else "Skipped", None, None),
    )
    return AliasDeployment("d-1", status, "1", "2", SHIFT - 60, end, phases)


@pytest.fixture
def promoted() -> RehearsalRecord:
    """Ten minutes of canary in which every tenth answer is the candidate's, then all are."""
    during = [answered(SHIFT + index, "2" if index % 10 == 0 else "1") for index in range(600)]
    return RehearsalRecord(
        settings=SETTINGS,
        stable="1",
        final="2",
        released_at=START,
        deployed_at=END + 60,
        deploy_log="",
        results=[*(answered(START + index, "1") for index in range(300)), *during, answered(END + 5, "2")],
        unsent=0,
        slowed_s=0.0,
        held_s=0.0,
        alias_samples=[AliasSample(START, AliasState("1")), AliasSample(SHIFT + 5, AliasState("1", "2", 0.1)),
                AliasSample(END + 5, AliasState("2"))],
        observed=[ObservedEvent(SHIFT, "deployment", "traffic shift begins")],
        deployments=[release("Succeeded", END)],
        alarms=[],
        verdicts=[JudgeVerdict(END - 120, "2", "promote", "no sign of harm")],
        invocations_by_version={"1": InvocationCounts(540, 0), "2": InvocationCounts(60, 0)},
        laps_s={"prepare": 20.0, "release": 16.0},
    )  # fmt: skip


@pytest.fixture
def rolled_back(promoted: RehearsalRecord) -> RehearsalRecord:
    """The same, but the candidate fails from its first answer on, and the alias is back after two minutes."""
    back = SHIFT + 120
    broken = [one for one in promoted.results if one.at < back and one.version == "1"]
    broken += [answered(SHIFT + 10 * index, "", 502) for index in range(12)]
    undoing = replace(release("Succeeded", back), id="d-2", stable="2", canary="1", undoes="d-1")
    return replace(
        promoted,
        final="1",
        results=sorted(broken, key=lambda one: one.at),
        deployments=[undoing, release("Stopped", back)],
        verdicts=[JudgeVerdict(back - 30, "2", "roll back", "errors are <b>more</b> frequent")],
        invocations_by_version={"1": InvocationCounts(108, 0), "2": InvocationCounts(12, 12)},
    )


@pytest.fixture
def changed() -> Callable[..., Any]:
    return replace
