"""A release is explained by the judge's own code: what decided it, and what would have changed that."""

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serinus.cli.explain.evidence import AFTER, BEFORE, CheckReport, JudgeLook, ReleaseEvidence, read_evidence
from serinus.cli.explain.explanation import Explanation, explain
from serinus.cli.explain.page import render
from serinus.cli.explain.replay import NoReplay, Replay, replay
from serinus.cli.release_reader import AliasDeployment, DeploymentPhase
from serinus.lambda_handlers.contract.release import Inconclusive, Strategy, Verdict
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.probe import Probe
from serinus.lambda_handlers.hooks.rollout_window import Rollout
from serinus.lambda_handlers.hooks.settings import Settings
from serinus.lambda_handlers.hooks.verdict import Rules, judge

START = 1_800_000_000.0
PASSED = Probe("passed", "")
SETTINGS = Settings(
    function="shop-prod-churn", alias="live", application="shop-prod-churn", group="g", strategy=Strategy.CANARY,
    bake_minutes=15, share=0.1, interval_minutes=2, inconclusive=Inconclusive.PROMOTE, minimum_requests=5,
    allow_breaking=False, cold_limit_ms=8000, warm_limit_ms=2000, settle_s=120, slow_ms=1000, rows_per_request=100,
)  # fmt: skip


def minutes(count: int, requests: int, errors: int) -> tuple[Minute, ...]:
    """A canary with ``requests`` a minute, of which ``errors`` fail, beside a stable version without errors."""
    canary = VersionMinute(requests=requests, errors=errors, invocations=requests)
    stable = VersionMinute(requests=9 * requests, invocations=9 * requests)
    return tuple(Minute(START + 60 * index, canary, stable) for index in range(count))


def spread(errors: int, observed: Sequence[Minute]) -> tuple[Minute, ...]:
    """``observed`` with so many errors of the canary, evenly over the minutes."""
    upto = [round(errors * index / len(observed)) for index in range(len(observed) + 1)]
    return tuple(
        replace(minute, canary=replace(minute.canary, errors=upto[index + 1] - upto[index]))
        for index, minute in enumerate(observed)
    )


def release(status: str = "Succeeded", error: str = "") -> AliasDeployment:
    phases = (DeploymentPhase("AllowTraffic", status, START, START + 900),)
    return AliasDeployment("d-1", status, "1", "2", START - 60, START + 900, phases, error)


def replay_of(observed: Sequence[Minute], *, probe: Probe = PASSED, over: bool = True, **settings: Any) -> Replay:
    rollout, with_settings = Rollout(tuple(observed)), replace(SETTINGS, **settings)
    rules = Rules(minimum_requests=with_settings.minimum_requests, inconclusive=with_settings.inconclusive)
    judgement = judge(rollout, probe, rules, bake_over=over)
    return Replay(START + 600, rollout, probe, rules, over, with_settings, judgement)


def explain_of(done: Replay, deployment: AliasDeployment, **logged: Any) -> Explanation:
    """As if the judge had logged what the replay finds, but for ``logged``."""
    judgement = done.judgement
    look = JudgeLook(
        done.at, judgement.verdict, judgement.reason, judgement.evidence, judgement.decides_at,
        judgement.canary_requests, done.probe.outcome, True, None,
    )  # fmt: skip
    look = replace(look, **logged)
    evidence = ReleaseEvidence(deployment, (look,), (), done.settings, False, START + 3600)
    return explain("churn", evidence, done)


def number_in(sentence: str, before: str) -> int:
    """The number that stands before some words of a sentence."""
    return int(sentence.partition(before)[0].split()[-1].replace(",", ""))


def test_a_rollback_is_explained_by_its_evidence_and_by_what_would_have_been_tolerated() -> None:
    done = replay_of(minutes(8, 20, 1))
    stopped = release("Stopped", "the following alarms fired: <shop-prod-churn-AlarmsVerdictB2C-Xy1>")
    told = explain_of(done, stopped)
    assert (told.headline, told.tone) == ("Rolled back", "bad")
    assert "10 min 0 s after traffic began to shift): roll back: errors: 5.0% of the canary's" in told.why[0]
    assert told.why[1] == "CodeDeploy returned all traffic when these alarms fired: Roll-back verdict."
    errors, total = told.signals[0], told.signals[-1]
    assert (errors.signal, errors.canary, errors.stable) == ("errors", "5.0%", "0.0%")
    assert total.signal == "all signals together"
    assert "20 to 1" in told.thresholds[0]

    sufficed, fewer = told.alternatives
    needed = number_in(sufficed, " judged minutes")
    assert done.finds_harm(Rollout(minutes(needed, 20, 1)))
    assert not done.finds_harm(Rollout(minutes(needed - 1, 20, 1)))
    least = number_in(fewer, " instead of 8 errors in its 160 requests")
    assert done.finds_harm(Rollout(spread(least, minutes(8, 20, 0))))
    assert not done.finds_harm(Rollout(spread(least - 1, minutes(8, 20, 0))))
    assert told.replay[1] == "It comes to the same verdict, by the same evidence."


def test_a_promotion_names_the_failures_that_would_have_stopped_it() -> None:
    done = replay_of(minutes(14, 200, 0))
    assert done.judgement.verdict is Verdict.PROMOTE
    told = explain_of(done, release())
    assert (told.headline, told.tone) == ("Promoted", "good")
    peak, failures = told.alternatives
    assert peak.startswith("The evidence of harm was at most ")
    least = number_in(failures, " of its 2,800 requests had failed; 0 did.")
    assert done.finds_harm(Rollout(spread(least, minutes(14, 200, 0))))
    assert not done.finds_harm(Rollout(spread(least - 1, minutes(14, 200, 0))))


@pytest.mark.parametrize(
    ("setting", "other", "outcome"),
    [(Inconclusive.PROMOTE, "roll_back", "rolled back"), (Inconclusive.ROLL_BACK, "promote", "promoted")],
)
def test_too_little_traffic_names_the_setting_and_the_requests_that_lacked(
    setting: Inconclusive, other: str, outcome: str
) -> None:
    done = replay_of(minutes(10, 4, 0), inconclusive=setting)
    status = "Stopped" if setting is Inconclusive.ROLL_BACK else "Succeeded"
    told = explain_of(done, release(status))
    first, second = told.alternatives
    assert first == f'It would have been {outcome} with `on_not_enough_evidence = "{other}"` (it is "{setting}").'
    lacked = number_in(second, " more requests like these")
    more = -(-lacked // 4)
    assert done.judge_again(rollout=Rollout(minutes(10 + more, 4, 0))).verdict is Verdict.PROMOTE
    assert done.judge_again(rollout=Rollout(minutes(10 + more - 1, 4, 0))).verdict is not Verdict.PROMOTE


def test_a_release_that_met_no_requests_or_too_many_failures_says_so() -> None:
    nothing = explain_of(replay_of(()), release())
    assert nothing.alternatives[-1].startswith("No request reached the new version while it was judged")
    stable = VersionMinute(requests=90, errors=36, invocations=90)
    failing = tuple(replace(minute, stable=stable) for minute in minutes(4, 10, 6))
    done = replay_of(failing, over=False)
    assert done.judgement.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert "would not have been enough to promote it" in explain_of(done, release()).alternatives[-1]


def test_golden_requests_that_failed_are_kept_apart_from_live_traffic() -> None:
    told = explain_of(replay_of(minutes(14, 200, 0), probe=Probe("failed", "row 3 disagrees")), release("Stopped"))
    assert told.alternatives == (
        "By its live requests alone, without the golden requests, the verdict would have been: promote.",
    )


def test_a_replay_that_disagrees_is_loud() -> None:
    told = explain_of(replay_of(minutes(14, 200, 0)), release(), evidence=31.0, verdict="roll back")
    assert told.replay[1].startswith(
        "THE REPLAY DISAGREES with what was decided: the judge logged: roll back, evidence 31 to 1, 2800 requests"
    )
    assert "the replay has: promote" in told.replay[1]


def bare(deployment: AliasDeployment, *reports: CheckReport, age_days: float = 0.1) -> ReleaseEvidence:
    return ReleaseEvidence(deployment, (), reports, None, True, START + age_days * 86_400)


def test_a_failed_pre_traffic_check_needs_no_judge() -> None:
    report = CheckReport(BEFORE, False, "3 of 32 golden rows disagree")
    told = explain("churn", bare(release("Failed"), report), NoReplay("no request reached the new version"))
    assert told.why == (
        "The pre-traffic check failed, so no live request reached the new version: 3 of 32 golden rows disagree.",
    )
    assert (told.signals, told.alternatives, told.not_kept) == ((), (), ())
    assert told.replay == ("The verdict was not replayed: no request reached the new version.",)


def test_a_failed_post_traffic_check_and_a_stop_are_named() -> None:
    report = CheckReport(AFTER, False, "the alias is throttled")
    told = explain("churn", bare(release("Stopped", "Deployment stopped by a person."), report), NoReplay("x"))
    assert told.why == (
        "The post-traffic check failed: the alias is throttled.",
        "CodeDeploy returned all traffic: Deployment stopped by a person.",
    )


def test_what_is_no_longer_kept_is_named() -> None:
    told = explain("churn", bare(release("Failed"), age_days=40), NoReplay("too old"))
    logs, metrics = told.not_kept
    assert logs.startswith("The logs hold nothing about this release")
    assert metrics.startswith("CloudWatch keeps values by the minute for 15 days")


def test_the_page_holds_every_sentence_and_escapes_them(tmp_path: Path) -> None:
    told = explain_of(replay_of(minutes(8, 20, 4)), release("Stopped", "<b>"), reason="<script>")
    page = render(told)
    assert page.startswith("<!doctype html>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    for sentence in (*told.thresholds, *told.replay):
        written = re.sub("`(.+?)`", r"<code>\1</code>", html.escape(sentence))
        assert written.replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page


class Reader:
    """Logs, and a judge's function, by name."""

    stack = "shop-prod-churn"

    def __init__(self, lines: dict[str, list[dict[str, Any]]], environment: dict[str, str] | None) -> None:
        self._lines, self._environment = lines, environment
        self.functions = self

    def journal(self, group: str, since: float) -> list[dict[str, Any]]:
        assert since == START - 60
        return self._lines.get(group.rpartition("/")[2], [])

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:
        assert FunctionName == "shop-prod-churn-judge"
        return {"Environment": {"Variables": self._environment or {}}}


def verdict_line(minute: int, verdict: str, deployment: str = "d-1", **more: Any) -> dict[str, Any]:
    judgement = replay_of(minutes(8, 20, 4)).judgement.to_json()
    time = f"2027-01-15T08:{minute:02d}:00+00:00"
    names = {"deployment": deployment, "canary": "2", "time": time, "final": True}
    return {"message": "verdict", **judgement, **names, "verdict": verdict, **more}


def test_the_first_demand_to_roll_back_decides_and_other_releases_do_not_count() -> None:
    from dataclasses import asdict

    logged = {"settings": asdict(replace(SETTINGS, bake_minutes=33))}
    lines = [
        verdict_line(7, "roll back", reason="later", **logged),
        verdict_line(6, "roll back", reason="first", **logged),
        verdict_line(5, "not enough evidence", **logged),
        verdict_line(4, "roll back", deployment="d-0", reason="another release"),
    ]
    after = [{"message": "hook failed", "deployment": "d-1", "reason": "the alias", "warnings": []}]
    reader: Any = Reader({"shop-prod-churn-judge": lines, "CodeDeployHook_after_shop-prod-churn": after}, None)
    read = read_evidence(reader, release("Stopped"), START)
    assert [look.reason for look in read.looks][-2:] == ["first", "later"]
    assert read.decisive_look is not None
    assert read.decisive_look.reason == "first"
    assert read.report_by(AFTER) == CheckReport(AFTER, False, "the alias")
    assert read.settings is not None
    assert (read.settings.bake_minutes, read.settings_are_current) == (33, False)
    assert read.settings.strategy is Strategy.CANARY


def test_without_logs_the_judges_settings_of_today_are_used_and_named() -> None:
    environment = {"SERINUS_FUNCTION": "shop-prod-churn", "SERINUS_ALIAS": "live", "SERINUS_BAKE_MINUTES": "7"}
    reader: Any = Reader({}, environment)
    read = read_evidence(reader, release(), START)
    assert read.settings is not None
    assert (read.settings.bake_minutes, read.settings_are_current) == (7, True)
    done = replay_of(minutes(14, 200, 0))
    told = explain("churn", read, done)
    assert "It uses the judge's settings of today: those of the release are not in its log." in told.replay


def test_a_release_of_more_than_fifteen_days_ago_is_not_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    from serinus.cli.explain import replay as explain_replay
    from serinus.lambda_handlers.hooks.deployment import Deployment

    old = Deployment("d-1", "1", "2", 1.0, START, START + 900, confirming=False)
    monkeypatch.setattr(explain_replay, "read_deployment", lambda *_: old)
    evidence = ReleaseEvidence(release(), (), (), SETTINGS, True, START + 16 * 86_400)
    done = replay(evidence, None, None)
    assert isinstance(done, NoReplay)
    assert "more than 15 days ago" in done.reason
