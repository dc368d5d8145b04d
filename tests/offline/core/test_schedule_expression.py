"""Schedules find their next time in the calendar."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from serinus.offline.core.errors import AwsError
from serinus.offline.core.schedule_expression import parse_schedule


def next_after(expression: str, moment: str) -> str | None:
    due = parse_schedule(expression).next_after(datetime.fromisoformat(f"{moment}+00:00").timestamp())
    return None if due is None else datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("expression", "moment", "due"),
    [
        ("rate(1 minute)", "2026-01-01T00:00", "2026-01-01T00:01"),
        ("rate(2 days)", "2026-01-31T12:00", "2026-02-02T12:00"),
        ("cron(0 10 * * ? *)", "2026-01-01T10:00", "2026-01-02T10:00"),
        ("cron(15 12 * * ? *)", "2026-01-01T12:14", "2026-01-01T12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00", "2026-11-23T18:00"),
        ("cron(0 8 1 * ? *)", "2026-01-31T00:00", "2026-02-01T08:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-20T23:51", "2026-11-23T00:00"),
        ("cron(0 0 L * ? *)", "2028-02-01T00:00", "2028-02-29T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-03-01T00:00", "2028-02-29T00:00"),
        ("cron(0 0 15W * ? *)", "2026-08-01T00:00", "2026-08-14T00:00"),
        ("cron(0 0 1W * ? *)", "2026-07-31T12:00", "2026-08-03T00:00"),
        ("cron(0 0 31W * ? *)", "2026-05-01T00:00", "2026-05-29T00:00"),
        ("cron(0 0 ? * 6L *)", "2026-11-01T00:00", "2026-11-27T00:00"),
        ("cron(0 0 ? * 2#1 *)", "2026-11-21T00:00", "2026-12-07T00:00"),
        ("cron(0 0 1 1 ? 2027)", "2026-11-21T00:00", "2027-01-01T00:00"),
        ("cron(0 0 1 1 ? 2020)", "2026-11-21T00:00", None),
        ("cron(5,35 14 * JAN,JUL ? 2026-2027)", "2026-08-01T00:00", "2027-01-01T14:05"),
    ],
)
def test_the_next_time_is_found(expression: str, moment: str, due: str | None) -> None:
    assert next_after(expression, moment) == due


@pytest.mark.parametrize(
    "expression",
    [
        "every 5 minutes",
        "rate(5 seconds)",
        "rate(-1 minutes)",
        "cron(60 * * * ? *)",
        "cron(* 24 * * ? *)",
        "cron(* * ? * ? *)",
        "cron(* * * * ?)",
        "cron(* * 32 * ? *)",
        "cron(* * * 13 ? *)",
        "cron(* * ? * 8 *)",
        "cron(10-5 * * * ? *)",
        "cron(*/0 * * * ? *)",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(AwsError, match="ScheduleExpression is not valid"):
        parse_schedule(expression)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-01-15T05:00", "2026-01-15T06:00"),
        ("2026-07-15T04:30", "2026-07-15T05:00"),
        ("2026-03-28T06:30", "2026-03-29T05:00"),  # the clocks go forward in the night between
    ],
)
def test_a_time_of_day_follows_its_zone_through_summer_and_winter(moment: str, due: str) -> None:
    at_seven = parse_schedule("cron(0 7 * * ? *)", ZoneInfo("Europe/Zurich"))
    found = at_seven.next_after(datetime.fromisoformat(f"{moment}+00:00").timestamp())

    assert found is not None
    assert datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%dT%H:%M") == due
