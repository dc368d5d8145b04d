"""What the log of a request costs: our lines and Lambda's, in a busy environment and in a quiet one."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lab.contestants import proxy_event
from lab.models import Model, model
from table import Row, main

from serinus.infra import prices
from serinus.lambda_handlers.contract.signals import ENV_PROFILE, ENV_REQUEST_LOG
from serinus.lambda_handlers.inference.instrumented import open_instrumented
from serinus.offline.sandbox.platform_log import PlatformLog, Report
from serinus.offline.sandbox.spec import Archive, FunctionSpec

FUNCTION = "shop-prod-churn"
#: What CloudWatch Logs adds to the bytes of each event.
#: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
EVENT_OVERHEAD_BYTES = 26
#: Seconds between requests, and how many are sent after the environment's first.
RATES = {"100 a second": (0.01, 12_000), "10 a second": (0.1, 6_000), "one a minute": (60.0, 120)}
#: The beginning of a minute.
BEGIN_S = 1_790_000_040.0
_BYTES_A_GB = 2**30
NOTE = (
    "Bytes of log by request of one row, in one environment, from the real handler; the requests' times are those "
    "that the API states in their events, so that minutes pass in seconds. `ours` are the function's lines, "
    "`lambda` those of Lambda itself, both with the 26 bytes that CloudWatch Logs adds to each event. "
    '`before` is a line a request beside Lambda\'s START, END and REPORT; `request_log = "all"` is one without '
    "them; `monitored` adds the counts of 30 features and the predictions. "
    f"Dollars for a million requests in us-east-1, at {prices.PER_LOGGED_GB} a GB."
)


@dataclass
class Written:
    """Bytes of log events, and their number."""

    size: int = 0
    events: int = 0

    def write(self, lines: bytes) -> None:
        for line in lines.splitlines():
            self.size += len(line) + EVENT_OVERHEAD_BYTES
            self.events += 1


def measure() -> Iterator[Row]:
    """A row for each rate and way of logging."""
    trained = model("boosting")
    for rate, (apart_s, count) in RATES.items():
        for name, variables, log_format, level in (
            ("before", {ENV_REQUEST_LOG: "all"}, "Text", "INFO"),
            ('request_log = "all"', {ENV_REQUEST_LOG: "all"}, "JSON", "WARN"),
            ("default", {}, "JSON", "WARN"),
            ("default, monitored", {ENV_PROFILE: "1"}, "JSON", "WARN"),
        ):
            ours = log_requests(trained, variables, apart_s, count)
            lambdas = platform_bytes(log_format, level)
            total = ours.size / count + lambdas
            yield {
                "rate": rate,
                "name": name,
                "ours": round(ours.size / count, 1),
                "lambda": lambdas,
                "lines": round(ours.events / count, 3),
                "usd_per_million": round(total * 1e6 / _BYTES_A_GB * prices.PER_LOGGED_GB, 4),
            }


def log_requests(trained: Model, variables: Mapping[str, str], apart_s: float, count: int) -> Written:
    """What the function writes for ``count`` requests, the environment's first not among them."""
    written = Written()
    environ = {
        "SERINUS_MODEL_DIR": str(trained.bundle),
        "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
        "AWS_LAMBDA_FUNCTION_VERSION": "17",
        **variables,
    }
    handler = open_instrumented(environ, written.write)
    event: dict[str, Any] = json.loads(proxy_event({"rows": trained.rows[:1]}))
    for number in range(count + 1):
        if number == 1:
            written.size = written.events = 0
        event["requestContext"] |= {
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int((BEGIN_S + number * apart_s) * 1000),
        }
        handler(event, SimpleNamespace(aws_request_id=str(uuid.uuid4())))
    return written


def platform_bytes(log_format: str, level: str) -> int:
    """What Lambda writes for a warm request that is answered."""
    spec = FunctionSpec(
        region="us-east-1",
        account_id="123456789012",
        name=FUNCTION,
        version="17",
        revision="r",
        runtime="python3.13",
        handler="app.handler",
        role="arn",
        memory_mb=1024,
        timeout_s=10,
        code=Archive("code", "0", Path("code")),
        log_format="JSON" if log_format == "JSON" else "Text",
        system_log_level=level,
    )
    log, request_id = PlatformLog(spec), str(uuid.uuid4())
    report = Report(request_id, duration_ms=2.34, max_memory_mb=132)
    lines = [log.start(BEGIN_S, request_id), log.end(request_id), log.report(BEGIN_S, report)]
    return sum(len(line) + 1 + EVENT_OVERHEAD_BYTES for line in lines if line is not None)


if __name__ == "__main__":
    main("log_bill", lambda: list(measure()), note=NOTE)
