"""Quotas are counted by day, week and month of cloud time."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from serinus.offline.services.apigateway.usage import UsageLedger, period_start


def at(day: str) -> float:
    return datetime.fromisoformat(f"{day}T12:00+00:00").astimezone(UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "first"), [("DAY", "2026-11-21"), ("WEEK", "2026-11-16"), ("MONTH", "2026-11-01")]
)
def test_a_period_begins(period: str, first: str) -> None:
    assert period_start(period, date(2026, 11, 21)) == date.fromisoformat(first)


def test_a_quota_starts_anew_with_its_period() -> None:
    ledger, plan = UsageLedger(), {"id": "p", "quota": {"limit": 2, "period": "DAY"}}
    assert [ledger.take(plan, "k", at("2026-11-21")) for _ in range(3)] == [True, True, False]
    assert ledger.take(plan, "k", at("2026-11-22")) is True
    report = ledger.report(plan, "k", date(2026, 11, 21), date(2026, 11, 22))
    assert report == [[2, 0], [1, 1]]


def test_each_key_has_a_quota_of_its_own() -> None:
    ledger, plan = UsageLedger(), {"id": "p", "quota": {"limit": 1, "period": "WEEK"}}
    assert ledger.take(plan, "k1", at("2026-11-21"))
    assert ledger.take(plan, "k2", at("2026-11-21"))
    assert not ledger.take(plan, "k1", at("2026-11-22"))


def test_an_offset_is_taken_off_the_limit() -> None:
    plan: dict[str, Any] = {"id": "p", "quota": {"limit": 2, "period": "MONTH", "offset": 1}}
    ledger = UsageLedger()
    assert [ledger.take(plan, "k", at("2026-11-21")) for _ in range(2)] == [True, False]
