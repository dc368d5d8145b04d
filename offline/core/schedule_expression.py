"""Schedules of EventBridge's rules and of Application Auto Scaling: when each is next due, in cloud time.

rate(N unit) counts from the enabling of the rule; cron(minutes hours day-of-month month day-of-week year) is
in UTC or, for Application Auto Scaling, in a time zone of choice.
Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html,
https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from serinus.offline.core.errors import AwsError

RATE = re.compile(r"^rate\((\d+) (minute|hour|day)(s?)\)$")
CRON = re.compile(r"^cron\((.+)\)$")
UNIT_S = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
FIRST_YEAR, LAST_YEAR = 1970, 2199
#: Years searched for a next time; the Gregorian calendar repeats every 28 years within a century.
LONGEST_SEARCH_DAYS = 366 * 30


class Schedule(Protocol):
    def next_after(self, cloud_time: float) -> float | None:
        """The first due time after ``cloud_time`` (epoch seconds); None if there is none."""


def parse_schedule(expression: str, zone: tzinfo = UTC) -> Schedule:
    """The schedule in ``expression``, a cron in ``zone``; raises ValidationException if it is malformed."""
    rate = RATE.match(expression)
    if rate is not None:
        count = int(rate[1])
        if count < 1 or (count == 1) == bool(rate[3]):
            raise invalid()
        return Rate(count * UNIT_S[rate[2]])
    cron = CRON.match(expression)
    if cron is not None:
        return parse_cron(cron[1], zone)
    raise invalid()


def invalid() -> AwsError:
    return AwsError("ValidationException", "Parameter ScheduleExpression is not valid.")


@dataclass(frozen=True, slots=True)
class Rate:
    period_s: float

    def next_after(self, cloud_time: float) -> float:
        return cloud_time + self.period_s


@dataclass(frozen=True, slots=True)
class DayRule:
    """Which days match; ``by_week`` says whether the numbers are weekdays (1 = Sunday) or days of the month."""

    by_week: bool
    days: frozenset[int]
    last: bool = False
    nearest_weekday: int | None = None
    nth: tuple[int, int] | None = None

    def includes(self, day: datetime) -> bool:
        weekday = day.isoweekday() % 7 + 1
        last_of_month = calendar.monthrange(day.year, day.month)[1]
        if self.nth is not None:
            return weekday == self.nth[0] and (day.day - 1) // 7 + 1 == self.nth[1]
        if self.nearest_weekday is not None:
            return day.day == nearest_weekday(day.year, day.month, self.nearest_weekday)
        if self.last and not self.by_week:
            return day.day == last_of_month
        if self.last:
            return weekday in self.days and day.day > last_of_month - 7
        return (weekday if self.by_week else day.day) in self.days


def nearest_weekday(year: int, month: int, day: int) -> int:
    """The weekday of the month nearest to ``day``."""
    last = calendar.monthrange(year, month)[1]
    target_day = min(day, last)
    weekday = calendar.weekday(year, month, target_day)
    if weekday == calendar.SATURDAY:
        return target_day - 1 if target_day > 1 else target_day + 2
    if weekday == calendar.SUNDAY:
        return target_day + 1 if target_day < last else target_day - 2
    return target_day


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: DayRule
    months: frozenset[int]
    years: frozenset[int]
    zone: tzinfo = UTC

    def next_after(self, cloud_time: float) -> float | None:
        start = datetime.fromtimestamp(cloud_time, self.zone).replace(second=0, microsecond=0) + timedelta(
            minutes=1
        )
        day = start.replace(hour=0, minute=0)
        for _ in range(LONGEST_SEARCH_DAYS):
            if day.year in self.years and day.month in self.months and self.days.includes(day):
                due = self._next_within(day, start)
                if due is not None:
                    return due.timestamp()
            day += timedelta(days=1)
        return None

    def _next_within(self, day: datetime, start: datetime) -> datetime | None:
        times = (
            day.replace(hour=hour, minute=minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)
        )
        return next((time for time in times if time >= start), None)


def parse_cron(text: str, zone: tzinfo = UTC) -> Cron:
    fields = text.split()
    if len(fields) != 6 or (fields[2] == "?") == (fields[4] == "?"):
        raise invalid()
    minutes, hours, day_of_month, month, day_of_week, year = fields
    return Cron(
        numbers(minutes, 0, 59),
        numbers(hours, 0, 23),
        month_days(day_of_month) if day_of_week == "?" else week_days(day_of_week),
        numbers(month, 1, 12, MONTHS),
        numbers(year, FIRST_YEAR, LAST_YEAR),
        zone,
    )


def month_days(text: str) -> DayRule:
    if text == "L":
        return DayRule(False, frozenset(), last=True)
    if text.endswith("W"):
        return DayRule(False, frozenset(), nearest_weekday=number(text[:-1], 1, 31, {}))
    return DayRule(False, numbers(text, 1, 31))


def week_days(text: str) -> DayRule:
    if "#" in text:
        weekday, _, nth = text.partition("#")
        return DayRule(True, frozenset(), nth=(number(weekday, 1, 7, WEEKDAYS), number(nth, 1, 5, {})))
    if text == "L":
        return DayRule(True, frozenset({7}))
    if text.endswith("L"):
        return DayRule(True, frozenset({number(text[:-1], 1, 7, WEEKDAYS)}), last=True)
    return DayRule(True, numbers(text, 1, 7, WEEKDAYS))


def numbers(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """The numbers of a field: lists, ranges, steps, "*" and names."""
    allowed: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = number(first, low, high, names or {})
            end = number(last, low, high, names or {}) if dash else (high if slash else begin)
        allowed.update(range(begin, end + 1, number(step, 1, high, {}) if slash else 1))
        if begin > end:
            raise invalid()
    return frozenset(allowed)


def number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(text.upper(), int(text) if text.isdigit() else -1)
    if not low <= value <= high:
        raise invalid()
    return value
