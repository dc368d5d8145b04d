"""What a rehearsal's record amounts to."""

from dataclasses import replace

import pytest

from cli.rehearse.as_data import as_data
from cli.rehearse.record import Record
from cli.rehearse.story import CanaryShare, Outcome, percentile, tell
from cli.rehearse.wording import summary
from cli.rollouts import JudgeVerdict


def test_a_promoted_release_exits_0_and_counts_every_request(promoted: Record) -> None:
    story = tell(promoted)
    assert story.outcome is Outcome.PROMOTED
    assert story.outcome.value == 0
    assert (story.requests, story.failed) == (901, 0)
    assert story.by_version == {"1": {"200": 840}, "2": {"200": 61}}
    assert story.shift_minutes == pytest.approx(10)
    assert "none was lost or failed" in summary(promoted, story)[-1]


def test_the_canary_share_is_compared_with_its_weight_in_standard_errors(promoted: Record) -> None:
    share = tell(promoted).canary_share
    assert share is not None
    assert (share.share, share.weight, share.as_weighted) == (pytest.approx(0.1), 0.1, True)
    assert not replace(share, canary=120).as_weighted


def test_a_rollback_exits_3_and_says_whom_it_touched(rolled_back: Record) -> None:
    story = tell(rolled_back)
    assert story.outcome is Outcome.ROLLED_BACK
    assert story.outcome.value == 3
    assert (story.met_canary, story.failed) == (12, 12)
    assert story.minutes_bad_to_back == pytest.approx(2)
    assert story.canary_share == CanaryShare(120, 12, 0.1), "by Lambda's counts: failures name no version"
    assert "undone without a person after 2.0 minutes" in summary(rolled_back, story)[0]


def test_a_release_that_no_request_met_says_so(rolled_back: Record) -> None:
    phases = tuple(replace(phase, status="Failed", started_at=None) for phase in rolled_back.deployments[1].phases)
    stopped = replace(rolled_back.deployments[1], phases=phases)
    record = replace(rolled_back, deployments=[stopped], verdicts=[], metered={})
    story = tell(record)
    assert (story.shift_minutes, story.met_canary) == (None, 0)
    assert "before any request met it" in summary(record, story)[0]


def test_a_promotion_without_enough_evidence_exits_4(promoted: Record) -> None:
    undecided = JudgeVerdict(0, "2", "not enough evidence", "too few requests")
    assert tell(replace(promoted, verdicts=[undecided])).outcome.value == 4


def test_a_machine_that_was_too_busy_is_told_of(rolled_back: Record) -> None:
    assert not any("busy" in sentence for sentence in summary(rolled_back, tell(rolled_back)))
    busy = replace(rolled_back, held_back=5000)
    assert "5000 could not be sent" in summary(busy, tell(busy))[-1]


def test_the_data_hold_cloud_seconds_since_the_release_was_ordered(rolled_back: Record) -> None:
    data = as_data(rolled_back, tell(rolled_back))
    assert (data["verdict"], data["exit_code"]) == ("rolled back", 3)
    assert (data["shift_began_s"], data["shift_ended_s"]) == (300.0, 420.0)
    assert data["requests_by_version_and_status"]["not named"] == {"502": 12}
    assert data["events"][0] == {
        "cloud_s": 300.0, "kind": "deployment", "text": "traffic shift begins", "tone": "plain"
    }  # fmt: skip


def test_a_percentile_is_a_value_that_occurred() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0], 0.99) == 1.0
