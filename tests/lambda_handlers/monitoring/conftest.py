"""A monitored endpoint: columns with a reference, a bucket of moto's, and traffic as its lines."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from serinus.lambda_handlers.contract.monitored import Column, Monitored, ProfileLine
from serinus.lambda_handlers.monitoring.collector import collect
from serinus.lambda_handlers.monitoring.monitor import MonitorContext, monitor
from serinus.lambda_handlers.monitoring.store import Store

FUNCTION, BUCKET = "shop-prod-churn", "shop-prod-shared-monitor"
START = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp()) // 3600
#: A number of three bins, and a category.
AGE = Column("age", "input", "number", 1, 10_000, (3000, 6000, 0, 0, 0),
             ((0.28, 0.32), (0.58, 0.62), (0.0, 0.01), (0.0, 0.01), (0.0, 0.01), (0.43, 0.47)),
             edges=(30.0, 50.0), minimum=18.0, maximum=90.0)  # fmt: skip
PLAN = Column("plan", "input", "category", 1, 10_000, (6000, 4000, 0, 0, 0),
              ((0.57, 0.63), (0.37, 0.43), (0.0, 0.02), (0.0, 0.01), (0.0, 0.01)),
              categories=("basic", "full"))  # fmt: skip
SCORE = Column("probabilities of True", "output", "number", 1, 10_000, (5000, 0, 0, 0), edges=(0.5,), maximum=1.0)
MONITORED = Monitored("sample", (AGE, PLAN, SCORE), {"customer": "it has 10000 distinct values in 10000"})


class Metrics:
    """CloudWatch, as far as invocations go: as many as the lines say, or ``invoked`` an hour."""

    def __init__(self) -> None:
        self.invoked: dict[int, int] = {}

    def get_metric_data(self, **parameters: Any) -> dict[str, Any]:
        hour = int(parameters["StartTime"].timestamp()) // 3600
        return {"MetricDataResults": [{"Values": [float(self.invoked[hour])] if hour in self.invoked else []}]}


class Bus:
    """EventBridge's default bus."""

    def __init__(self) -> None:
        self.details: list[dict[str, Any]] = []

    def put_events(self, **parameters: Any) -> dict[str, Any]:
        self.details += [json.loads(entry["Detail"]) for entry in parameters["Entries"]]
        return {"FailedEntryCount": 0}


@dataclass
class Endpoint:
    """Traffic of an endpoint whose lines are collected, and the monitor that looks at it; ``start`` is the hour of
    its first line."""

    function, bucket, start = FUNCTION, BUCKET, START
    monitored, age = MONITORED, AGE

    s3: Any
    store: Store
    metrics: Metrics = field(default_factory=Metrics)
    bus: Bus = field(default_factory=Bus)
    settings: dict[str, Any] = field(default_factory=dict)
    sequence: int = 0
    invocations: int = 0
    now: float = START * 3600.0

    @property
    def context(self) -> MonitorContext:
        environ = {"SERINUS_ALIAS": "live", "SERINUS_MONITORED": json.dumps({FUNCTION: self.settings})}
        return MonitorContext(self.store, self.metrics, self.bus, environ)

    def draw(self, hour: int, rows: int = 600, *, shift: float = 0.0, seed: int = 0, **more: Any) -> ProfileLine:
        """A line of ``rows`` rows in an hour after `START`; ``shift`` moves rows of the first ages to the last."""
        random = np.random.default_rng([hour + 1000, seed, self.sequence])
        ages = random.multinomial(rows, [0.3 - shift, 0.3, 0.4 + shift])
        plans = random.multinomial(rows, [0.6, 0.4])
        counts = [ages[0], ages[0] + ages[1], 0, 0, 0, *plans, 0, 0, 0, rows // 2, 0, 0, 0]
        since = float((START + hour) * 3600 + more.pop("minute", 0) * 60)
        fields = {"environment": "e1", "sequence": self.sequence, "refused": 0, "requests": rows} | more
        self.sequence += 1
        return ProfileLine(function=FUNCTION, version="7", model_version="0123456789ab", baseline=MONITORED.id,
                           since=since, until=since + 60, rows=rows, counts=tuple(int(c) for c in counts),
                           **fields)  # fmt: skip

    def collect(self, *lines: ProfileLine) -> dict[str, int]:
        """Have the collector keep lines, as CloudWatch Logs delivers them."""
        self.now = max(self.now, *(line.until for line in lines))
        return self.deliver([json.dumps(line.to_json()) for line in lines])

    def deliver(self, messages: list[str]) -> dict[str, int]:
        """Have the collector keep log messages."""
        self.invocations += 1
        events = [
            {"id": f"{self.invocations}-{number}", "timestamp": int(self.now * 1000), "message": text}
            for number, text in enumerate(messages)
        ]
        batch = {"messageType": "DATA_MESSAGE", "logGroup": f"/aws/lambda/{FUNCTION}", "logEvents": events}
        data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
        return collect({"awslogs": {"data": data}}, self.store)

    def look(self, hour: int) -> dict[str, Any]:
        """The monitor's run ten minutes after an hour has ended; returns the latest report."""
        moment = datetime.fromtimestamp((START + hour + 1) * 3600 + 600, UTC)
        monitor({"time": moment.isoformat()}, self.context)
        return self.report()

    def report(self) -> dict[str, Any]:
        """The latest report."""
        body = self.s3.get_object(Bucket=BUCKET, Key=f"reports/{FUNCTION}/latest.json")["Body"].read()
        report: dict[str, Any] = json.loads(gzip.decompress(body))
        return report

    def live(self, hours: range, **traffic: Any) -> dict[str, Any]:
        """Twelve lines an hour, each hour looked at."""
        for hour in hours:
            self.collect(*(self.draw(hour, 100, minute=5 * block, **traffic) for block in range(12)))
            report = self.look(hour)
        return report


@pytest.fixture
def endpoint(moto_bucket: Callable[[str], Any]) -> Endpoint:
    """An endpoint whose reference was kept at its release, at the time of its lines."""
    s3 = moto_bucket(BUCKET)
    endpoint = Endpoint(s3, Store(s3, BUCKET))
    collect({"reference": MONITORED.to_json(), "function": FUNCTION}, endpoint.store)
    return endpoint
