"""A monitor's bucket of moto's, with the reference of one endpoint and hours that were looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from serinus.cli.monitoring.reader import MonitorBucket
from serinus.lambda_handlers.contract.monitored import Column, Monitored
from serinus.lambda_handlers.monitoring.store import Store

FUNCTION, BUCKET = "shop-prod-churn", "monitor"
AGE = Column("age", "input", "number", 1, 10_000, (3000, 6000, 0, 0, 0), ((0.2, 0.4),) * 6, edges=(30.0, 50.0),
             minimum=18.0, maximum=90.0)  # fmt: skip
SCORE = Column("score <b>", "output", "number", 1, 10_000, (5000, 0, 0, 0), edges=(0.5,), maximum=1.0)
MONITORED = Monitored(
    "sample", (AGE, SCORE), {"score <b>": "counted and not tested: no holdout", "id": "distinct"}
)
NOW = datetime(2026, 11, 30, 12, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Filled:
    """``bucket`` as the monitor leaves it."""

    bucket: MonitorBucket
    function: str = FUNCTION
    now: datetime = NOW
    monitored: Monitored = MONITORED

    def look_at(self, hours: int, rows: int) -> None:
        """The last ``hours`` had ``rows`` each, of which half are at most 30."""
        last = int(self.now.timestamp()) // 3600
        for hour in range(last - hours, last):
            counts = [rows // 2, rows // 2, 0, 0, 0, rows // 4, 0, 0, 0]
            blocks = {self.monitored.id: [[hour * 3600, rows, 0, rows, counts]]}
            self.bucket.store.put_hour(self.function, hour, {"hour": hour, "late": 0, "blocks": blocks})

    def report(self, **changes: Any) -> dict[str, Any]:
        """A report in which age drifts."""
        look = {
            "hour": 1,
            "evidence": 9000.0,
            "alarms_at": 6000.0,
            "alarm": True,
            "columns": [{"column": "age", "evidence": 18000.0, "named": True, "stream": "at most 30"}],
        }
        columns = [
            {"column": "score <b>", "role": "output", "tested": False,
             "before": {"up to 0.5": 0.5, "above 0.5": 0.5}, "now": {"up to 0.5": 0.4, "above 0.5": 0.6}},
            {"column": "age", "role": "input", "tested": True, "before": {"up to 30": 0.3, "above 30": 0.7},
             "now": {"up to 30": 0.5, "above 30": 0.5}},
        ]  # fmt: skip
        finding = {"kind": "drift", "text": "input age: share at most 30 50.0%, 30.0% in the reference",
                   "baseline": self.monitored.id, "column": "age", "role": "input", "clock": "slow",
                   "stream": "at most 30", "before": 0.3, "now": 0.5, "named": True, "identity": ["drift"],
                   "since": "2026-11-29T00:00:00+00:00"}  # fmt: skip
        baseline = {"baseline": self.monitored.id, "reference": "sample", "rows": 24_000, "requests": 24_000,
                    "refused": 240, "looks": {"slow": look}, "columns": columns,
                    "unwatched": dict(self.monitored.unwatched)}  # fmt: skip
        return {
            "function": self.function,
            "until": "2026-11-30T12:00:00+00:00",
            "title": f"{self.function}: drift (age)",
            "text": finding["text"],
            "findings": [finding],
            "baselines": [baseline],
            "coverage": {"counted": 23_000, "invoked": 24_000},
            "late_rows": 0,
        } | changes


@pytest.fixture
def filled(moto_bucket: Callable[[str], Any]) -> Filled:
    store = Store(moto_bucket(BUCKET), BUCKET)
    store.put_reference(FUNCTION, MONITORED.id, 0, {"reference": MONITORED.to_json()})
    return Filled(MonitorBucket(BUCKET, store, "shop-prod-shared-monitor"))
