"""What the report's plots mark, where their labels go, and how many answers a point stands for."""

import re
from itertools import combinations, pairwise

import pytest

from serinus.cli.rehearse.observer import ObservedEvent
from serinus.cli.rehearse.outcome import evaluate
from serinus.cli.rehearse.page import render
from serinus.cli.rehearse.plots import NARROW, Frame, Mark, logarithmic_values, position_labels
from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.series import bucket_minutes, buckets, merge_small
from serinus.cli.rehearse.timeline import TimelineEvent, timeline_events

LABEL = "Alarm: errors on the new version"


def frame(*minutes: float, labelled: bool = True) -> Frame:
    marks = [Mark(minute, number, LABEL, "plain") for number, minute in enumerate(minutes, start=1)]
    return Frame(0, 20, 100, 150, marks=marks, labelled=labelled)


def test_labels_of_moments_at_nearly_the_same_time_take_rows_of_their_own() -> None:
    drawn = frame(5.0, 5.4, 6.0)
    assert [place.row for place in position_labels(drawn)] == [0, 1, 2]
    assert drawn.head > frame(5.0).head


def test_labels_with_room_share_a_row() -> None:
    assert [place.row for place in position_labels(frame(1.0, 12.0))] == [0, 0]


def test_a_label_at_the_right_end_stands_left_of_its_number() -> None:
    assert [place.label_left for place in position_labels(frame(1.0, 19.5))] == [False, True]


def test_numbers_alone_never_meet() -> None:
    places = position_labels(frame(5.0, 5.05, 5.1, 5.4, labelled=False))
    for one, other in combinations(places, 2):
        assert one.row != other.row or abs(one.x - other.x) >= 17


@pytest.mark.parametrize(
    ("bottom", "top", "values"),
    [(10.0, 100.0, [10, 20, 50, 100]), (1.0, 30.0, [1, 2, 5, 10, 20]), (1.0, 2000.0, [1, 10, 100, 1000])],
)
def test_ticks_of_powers_of_ten(bottom: float, top: float, values: list[float]) -> None:
    assert logarithmic_values(bottom, top) == pytest.approx(values)


def test_a_share_is_never_drawn_of_few_answers(promoted: RehearsalRecord) -> None:
    series = buckets(promoted, bucket_minutes(promoted))
    assert min(one.count for one in series) < 50
    joined = merge_small(series, 50)
    assert all(one.count >= 50 for one in joined)
    assert sum(one.count for one in joined) == sum(one.count for one in series)
    assert all(one.minute + one.minutes == pytest.approx(other.minute) for one, other in pairwise(joined))


def test_a_role_is_pooled_from_its_first_answer_on(promoted: RehearsalRecord) -> None:
    series = buckets(promoted, bucket_minutes(promoted))
    joined = merge_small(series, 10, "candidate")
    assert joined[0].minute == pytest.approx(5.0)
    assert all(len(one.results["candidate"]) >= 10 for one in joined)
    assert merge_small(series, 10, "unnamed") == []


def test_no_bucket_tells_of_both_before_and_after_the_shift_began(promoted: RehearsalRecord) -> None:
    series = buckets(promoted, bucket_minutes(promoted))
    assert any(one.minute == pytest.approx(5.0) for one in series)
    assert all(not one.results["candidate"] for one in series if one.minute < 4.99)


def test_a_promotion_is_told_in_its_moments(promoted: RehearsalRecord) -> None:
    told = timeline_events(promoted)
    assert [one.brief for one in told] == [
        "Pre-traffic check",
        "10% of requests to version 2",
        "Judge: no sign of harm",
        "All on version 2",
    ]
    assert [one.minute for one in told] == pytest.approx([4, 5, 13, 15])


def test_what_happened_at_once_is_one_moment_and_later_alarms_are_none(
    rolled_back: RehearsalRecord, changed
) -> None:
    fired = "Errors on the new version. More than 25 % fail."
    observed = [
        ObservedEvent(1_000_420.0, "alarm", fired, "bad"),
        ObservedEvent(1_000_480.0, "alarm", "Late.", "bad"),
    ]
    told = timeline_events(changed(rolled_back, observed=observed))
    assert told[-1] == TimelineEvent(
        7.0,
        "Alarm: errors on the new version; back on version 1",
        "Alarm: errors on the new version. More than 25 % fail. "
        "All requests are sent to version 1 again: the rollback was automatic.",
        "bad",
    )


def test_a_label_too_long_keeps_what_came_of_it(rolled_back: RehearsalRecord, changed) -> None:
    fired = [
        ObservedEvent(1_000_419.0, "alarm", f"Answers of the {word} kind.", "bad") for word in ("first", "last")
    ]
    told = timeline_events(changed(rolled_back, observed=fired))[-1]
    assert told.brief == "Alarm: answers of the last kind; back on version 1"
    assert "answers of the first kind" in told.text


def test_a_failed_check_is_told(rolled_back: RehearsalRecord, changed) -> None:
    release = rolled_back.deployments[1]
    phases = [changed(phase, status="Failed") for phase in release.phases[:1]]
    stopped = changed(release, phases=(*phases, changed(release.phases[1], status="Skipped", started_at=None)))
    record = changed(rolled_back, deployments=[stopped], verdicts=[])
    assert [one.brief for one in timeline_events(record)] == ["Pre-traffic check: failed"]


@pytest.mark.parametrize("name", ["promoted", "rolled_back"])
def test_every_plot_bears_every_moment(name: str, request: pytest.FixtureRequest) -> None:
    record = request.getfixturevalue(name)
    numbers = [str(number) for number, _ in enumerate(timeline_events(record), start=1)]
    page = render(record, evaluate(record))
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 2 * (2 if name == "promoted" else 3)
    for drawing in drawings:
        assert re.findall(r'<text class="number"[^>]*>(\d+)<', drawing) == numbers
        assert drawing.count('<line class="mark') == len(numbers)
    assert sum(f'viewBox="0 0 {NARROW:.0f} ' in drawing for drawing in drawings) == len(drawings) / 2
    assert re.findall(r'<i class="badge [a-z]+">(\d+)<', page) == numbers
