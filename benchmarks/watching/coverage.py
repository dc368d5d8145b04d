"""What share of the rows is counted where an environment ends each hour, without a word, as Lambda's do."""

import json
import uuid
from types import SimpleNamespace
from typing import Any

import numpy as np
from lab.contestants import proxy_event
from lab.models import Model, model
from table import Row

from serinus.lambda_handlers.contract.monitored import ProfileLine
from serinus.lambda_handlers.contract.signals import ENV_PROFILE
from serinus.lambda_handlers.inference.instrumented import open_instrumented
from watching.figures import Measurement

#: Mean seconds between the requests of one environment, and the hours that are measured.
RATES = {"10 a second": (0.1, 4), "1 a second": (1.0, 24), "6 a minute": (10.0, 24), "6 an hour": (600.0, 96)}
BEGIN_S = 1_790_000_040.0
HOUR_S = 3600.0


def measure_coverage(measurement: Measurement) -> list[Row]:
    """A row a rate: every hour a new environment, whose requests come at random moments."""
    trained, rows = model("boosting"), list[Row]()
    for rate, (apart_s, most_hours) in RATES.items():
        hours = max(1, round(most_hours * measurement.scale))
        shares = [_share_counted(trained, apart_s, seed) for seed in range(hours)]
        measurement.say(f"coverage at {rate}")
        rows.append(
            {
                "section": "Rows counted where an environment ends each hour",
                "requests": rate,
                "environments": hours,
                "counted %": round(100 * float(np.mean(shares)), 2),
                "least %": round(100 * min(shares), 2),
            }
        )
    return rows


def _share_counted(trained: Model, apart_s: float, seed: int) -> float:
    """The share of an environment's rows that its lines hold when it has ended after an hour."""
    written: list[bytes] = []
    handler = open_instrumented(
        {
            "SERINUS_MODEL_DIR": str(trained.bundle),
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "17",
            ENV_PROFILE: "1",
        },
        written.append,
    )
    event: dict[str, Any] = json.loads(proxy_event({"rows": trained.rows[:1]}))
    source, sent, at_s = np.random.default_rng(seed), 0, 0.0
    while at_s < HOUR_S:
        event["requestContext"] |= {
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int((BEGIN_S + at_s) * 1000),
        }
        if handler(event, SimpleNamespace(aws_request_id=str(uuid.uuid4())))["statusCode"] != 200:
            raise SystemExit("the function rejected a request of this benchmark")
        sent += 1
        at_s += source.exponential(apart_s)
    lines = [json.loads(line) for each in written for line in each.splitlines()]
    return sum(ProfileLine.from_json(line).rows for line in lines if "Profile" in line) / sent
