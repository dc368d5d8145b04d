"""Each key's use of each plan by day, for quotas and GetUsage."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any


def today(cloud_time: float) -> date:
    return datetime.fromtimestamp(cloud_time, UTC).date()


def period_start(period: str, day: date) -> date:
    """First day of the quota period (DAY, WEEK from Monday, MONTH) that holds ``day``, in UTC."""
    if period == "MONTH":
        return day.replace(day=1)
    if period == "WEEK":
        return day - timedelta(days=day.weekday())
    return day


@dataclass(slots=True)
class UsageLedger:
    """Admitted requests, by (plan id, key id) and UTC day of cloud time."""

    counts: dict[tuple[str, str], dict[date, int]] = field(default_factory=dict)

    def take(self, plan: dict[str, Any], key_id: str, cloud_time: float) -> bool:
        """Count one request; False, without counting it, if it exceeds the plan's quota."""
        day = today(cloud_time)
        counts = self.counts.setdefault((plan["id"], key_id), {})
        quota = plan.get("quota")
        if quota is not None and self.used(plan, key_id, day) + quota.get("offset", 0) >= quota["limit"]:
            return False
        counts[day] = counts.get(day, 0) + 1
        return True

    def used(self, plan: dict[str, Any], key_id: str, day: date) -> int:
        """Requests in the quota period of ``day``, up to and including that day."""
        quota = plan.get("quota") or {"period": "DAY"}
        first = period_start(quota["period"], day)
        counts = self.counts.get((plan["id"], key_id), {})
        return sum(count for counted, count in counts.items() if first <= counted <= day)

    def report(self, plan: dict[str, Any], key_id: str, first: date, last: date) -> list[list[int]]:
        """[used that day, remaining after it] for each day; remaining is 0 if the plan has no quota."""
        quota = plan.get("quota")
        counts = self.counts.get((plan["id"], key_id), {})
        rows = []
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            left = quota["limit"] - quota.get("offset", 0) - self.used(plan, key_id, day) if quota else 0
            rows.append([counts.get(day, 0), max(left, 0)])
        return rows
