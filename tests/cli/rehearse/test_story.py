"""What a rehearsal's record amounts to."""

from dataclasses import replace

import pytest

from serinus.cli.rehearse.json_output import as_data
from serinus.cli.rehearse.outcome import CanaryShare, RehearsalOutcome, evaluate, percentile
from serinus.cli.rehearse.page import render
from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.summary import headline, summary
from serinus.cli.rehearse.timeline import timeline_events
from serinus.cli.release_reader import JudgeVerdict


def test_a_promoted_release_exits_0_and_counts_every_request(promoted: RehearsalRecord) -> None:
    story = evaluate(promoted)
    assert story.outcome is RehearsalOutcome.PROMOTED
    assert story.outcome.value == 0
    assert (story.requests, story.failed) == (901, 0)
    assert story.by_version == {"1": {"200": 840}, "2": {"200": 61}}
    assert story.shift_minutes == pytest.approx(10)
    assert "none was lost or failed" in summary(promoted, story)[-1]


def test_the_canary_share_is_compared_with_its_weight_in_standard_errors(promoted: RehearsalRecord) -> None:
    share = evaluate(promoted).canary_share
    assert share is not None
    assert (share.share, share.weight, share.as_weighted) == (pytest.approx(0.1), 0.1, True)
    assert not replace(share, canary=120).as_weighted


def test_a_rollback_exits_3_and_says_whom_it_touched(rolled_back: RehearsalRecord) -> None:
    story = evaluate(rolled_back)
    assert story.outcome is RehearsalOutcome.ROLLED_BACK
    assert story.outcome.value == 3
    assert (story.canary_requests, story.failed) == (12, 12)
    assert story.recovery_minutes == pytest.approx(2)
    assert story.canary_share == CanaryShare(120, 12, 0.1), "by Lambda's counts: failures name no version"
    assert "rolled back automatically after 2.0 minutes" in summary(rolled_back, story)[0]


def test_a_release_undone_for_want_of_evidence_is_not_called_bad(rolled_back: RehearsalRecord) -> None:
    said = " ".join(summary(rolled_back, evaluate(replace(rolled_back, verdicts=judged("roll back")))))
    assert "without enough evidence, which rolls back by setting" in said
    assert "12 of 120 requests (10.0%) reached the new version" in said
    assert "bad version" not in said


def test_a_release_that_no_request_met_says_so(rolled_back: RehearsalRecord) -> None:
    phases = tuple(replace(phase, status="Failed", started_at=None) for phase in rolled_back.deployments[1].phases)
    stopped = replace(rolled_back.deployments[1], phases=phases)
    record = replace(rolled_back, deployments=[stopped], verdicts=[], invocations_by_version={})
    story = evaluate(record)
    assert (story.shift_minutes, story.canary_requests) == (None, 0)
    assert "before it received any request" in summary(record, story)[0]


def test_a_promotion_without_enough_evidence_exits_4(promoted: RehearsalRecord) -> None:
    undecided = JudgeVerdict(0, "2", "not enough evidence", "too few requests")
    assert evaluate(replace(promoted, verdicts=[undecided])).outcome.value == 4


def judged(*verdicts: str) -> list[JudgeVerdict]:
    reason = "the bake ends without enough evidence, which rolls back by setting"
    return [JudgeVerdict(float(at), "2", verdict, reason) for at, verdict in enumerate(verdicts)]


@pytest.mark.parametrize("verdicts", [("roll back",), ("roll back", "promote"), ("promote", "roll back")])
def test_what_the_judge_would_have_rolled_back_is_never_told_as_a_plain_promotion(
    promoted: RehearsalRecord, verdicts: tuple[str, ...]
) -> None:
    record = replace(promoted, verdicts=judged(*verdicts))
    story = evaluate(record)
    assert (story.outcome, story.outcome.value) == (RehearsalOutcome.JUDGED_TOO_LATE, 5)
    assert headline(story) == "Promoted against the judge's verdict"
    assert summary(record, story)[1].startswith("The judge's verdict was to roll back, but it came too late: ")
    assert as_data(record, story)["verdict"] == "judged too late"
    assert '<h1 class="bad">Promoted against' in render(record, story)


def test_a_rollback_that_the_judge_asked_for_is_told_by_its_reason_whatever_it_said_later(
    rolled_back: RehearsalRecord,
) -> None:
    story = evaluate(replace(rolled_back, verdicts=judged("roll back", "promote")))
    assert story.outcome is RehearsalOutcome.ROLLED_BACK
    assert story.reason.startswith("The judge: the bake ends without enough evidence")


def test_a_release_that_was_stopped_after_all_traffic_had_moved_counts_everyone_who_met_it(
    rolled_back: RehearsalRecord,
) -> None:
    moved, shift = rolled_back.deployments[1], rolled_back.shift
    assert shift is not None
    phases = (
        moved.phases[0],
        replace(moved.phases[1], status="Succeeded", ended_at=shift[0] + 60),
        replace(moved.phases[2], status="Failed", started_at=shift[0] + 60, ended_at=shift[1] - 1),
    )
    before = evaluate(rolled_back)
    record = replace(rolled_back, deployments=[rolled_back.deployments[0], replace(moved, phases=phases)])
    story = evaluate(record)
    late = sum(shift[0] + 60 <= one.at < shift[1] for one in record.results)
    assert late > 0
    assert (story.canary_requests, story.shift_requests) == (
        before.canary_requests + late,
        before.shift_requests + late,
    )
    assert any(one.brief.startswith("All on version 2") for one in timeline_events(record))
    quiet = replace(record, verdicts=[])
    assert evaluate(quiet).reason == "The post-traffic check failed, after all traffic had been shifted to it."


def test_a_machine_that_was_too_busy_is_told_of(rolled_back: RehearsalRecord) -> None:
    assert not any("busy" in sentence for sentence in summary(rolled_back, evaluate(rolled_back)))
    busy = replace(rolled_back, unsent=5000)
    assert "5000 could not be sent" in summary(busy, evaluate(busy))[-1]


def test_the_data_hold_cloud_seconds_since_the_release_was_ordered(rolled_back: RehearsalRecord) -> None:
    data = as_data(rolled_back, evaluate(rolled_back))
    assert (data["verdict"], data["exit_code"]) == ("rolled back", 3)
    assert (data["shift_began_s"], data["shift_ended_s"]) == (300.0, 420.0)
    assert data["requests_by_version_and_status"]["not named"] == {"502": 12}
    assert data["events"][0] == {
        "cloud_s": 300.0, "kind": "deployment", "text": "traffic shift begins", "tone": "plain"
    }  # fmt: skip


def test_a_percentile_is_a_value_that_occurred() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0], 0.99) == 1.0


def test_the_page_of_an_all_at_once_release_does_not_deny_that_requests_reached_it(
    promoted: RehearsalRecord,
) -> None:
    moved = promoted.deployments[0]
    phases = tuple(replace(phase, ended_at=phase.started_at) for phase in moved.phases)
    record = replace(
        promoted,
        settings=replace(promoted.settings, strategy="all_at_once"),
        deployments=[replace(moved, phases=phases)],
        alias_samples=[promoted.alias_samples[0], promoted.alias_samples[-1]],
        verdicts=[],
        invocations_by_version={},
    )
    result = evaluate(record)
    assert "strategy all_at_once shifts all traffic at once" in result.reason
    page = render(record, result)
    assert "of the requests reached the new version" not in page
    assert "requests after the shift reached the new version" in page
