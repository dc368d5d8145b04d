"""A busy environment's requests share lines, and CloudWatch counts from them what lines of their own would say."""

import json
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serinus.lambda_handlers.inference.errors import BadSetting
from serinus.lambda_handlers.inference.gathering import Times
from serinus.lambda_handlers.inference.problems import internal_error, malformed_body, not_found
from serinus.lambda_handlers.inference.telemetry import Telemetry, read_keep_one_in

#: The beginning of a minute.
MINUTE_MS = 1_790_000_040_000
PROBLEMS = {500: internal_error(), 400: malformed_body("no JSON"), 404: not_found("/else")}


class Environment:
    """An environment whose requests are at times of the test's choice; ``written`` are its lines."""

    def __init__(self, keep_one_in: int = 1000, init_ms: float | None = None) -> None:
        self.telemetry = Telemetry(
            ("shop-dev-churn", "7", "churn", "3f2a9c0011aa"),
            init_ms=init_ms,
            bin_of=lambda outputs: int(outputs[0][0]) or None,
            bins="3f2a9c81",
            keep_one_in=keep_one_in,
        )
        self.written: list[dict[str, Any]] = []
        self.count = 0

    def request(
        self,
        at_ms: float = 0.0,
        *,
        status: int = 200,
        rows: int = 1,
        took_ms: float = 2.0,
        prediction: int = 4,
        received_ms: float | None = None,
        route: str = "POST /predict",
        **more: Any,
    ) -> list[dict[str, Any]]:
        """The lines written at the end of a request that arrived ``at_ms`` after `MINUTE_MS`."""
        self.telemetry.forget()
        self.telemetry.routed(route)
        self.count += 1
        if rows:
            self.telemetry.scored({}, [np.full(rows, float(prediction))], took_ms / 2)
        if status in PROBLEMS:
            self.telemetry.refused(PROBLEMS[status])
        started = MINUTE_MS + at_ms
        received = started if received_ms is None else MINUTE_MS + received_ms
        options = {"non_finite": False, "probe": False, "qualifier": None} | more
        data = self.telemetry.lines(
            f"request-{self.count}",
            status,
            took_ms,
            invocation_id=f"invocation-{self.count}",
            times=Times(received, started, int(started + took_ms)),
            **options,
        )
        assert not data or data.endswith(b"\n")
        lines = [json.loads(line) for line in data.splitlines()]
        self.written += lines
        return lines

    def busy(self, count: int, *, begin_ms: float = 0.0, apart_ms: float = 10.0, **more: Any) -> "Environment":
        """The environment after ``count`` requests, the first of which is its first."""
        for number in range(count):
            self.request(begin_ms + number * apart_ms, **more)
        return self

    def counted(self) -> dict[tuple[Any, ...], Counter[float]]:
        return count_metrics(self.written)


def count_metrics(lines: list[dict[str, Any]]) -> dict[tuple[Any, ...], Counter[float]]:
    """The values that CloudWatch counts by minute, metric and dimensions; each rule of the format that a line
    breaks fails.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    counted: dict[tuple[Any, ...], Counter[float]] = defaultdict(Counter)
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            (names,) = directive["Dimensions"]
            dimensions = tuple((name, line[name]) for name in names)
            assert all(isinstance(value, str) for _, value in dimensions)
            for metric in directive["Metrics"]:
                found = line[metric["Name"]]
                values = found if isinstance(found, list) else [found]
                assert 1 <= len(values) <= 100
                assert all(isinstance(value, int | float) for value in values)
                counted[line["_aws"]["Timestamp"] // 60_000, metric["Name"], dimensions].update(values)
    return dict(counted)


def ids(lines: list[dict[str, Any]]) -> list[str | int]:
    """The request of a line of its own, the number of requests of another."""
    return [line.get("RequestId") or line["Requests"] for line in lines]


def test_requests_of_a_busy_environment_share_a_line_of_a_hundred():
    environment = Environment().busy(101)
    assert ids(environment.written) == ["request-1", 100]
    line = environment.written[1]
    assert line["Latency"] == [2.0] * 100
    assert line["Errors"] == line["Rejected"] == line["NonFinite"] == [0] * 100
    assert (line["Rows"], line["ModelTime"], line["Prediction"]) == ([1] * 100, [1.0] * 100, [4] * 100)
    assert (line["FunctionName"], line["FunctionVersion"], line["Bins"]) == ("shop-dev-churn", "7", "3f2a9c81")
    assert (line["Model"], line["ModelVersion"], line["Route"]) == ("churn", "3f2a9c0011aa", "POST /predict")


def test_a_request_to_a_quiet_environment_is_written_at_once_after_what_was_gathered():
    environment = Environment().busy(3)
    assert ids(environment.request(1_019.0)) == []
    assert ids(environment.request(2_019.0)) == [3, "request-5"]
    assert ids(environment.request(3_019.0)) == ["request-6"]


def test_gathered_requests_wait_at_most_two_seconds_for_the_next_one():
    environment = Environment()
    environment.request(0)
    assert [len(environment.request(at_ms)) for at_ms in (900, 1_800, 2_700)] == [0, 0, 0]
    assert ids(environment.request(2_900)) == [4]


def test_a_line_never_holds_requests_of_two_minutes():
    environment = Environment().busy(3, begin_ms=59_970.0)
    assert ids(environment.request(60_000.0)) == [2]
    assert environment.written[-1]["_aws"]["Timestamp"] // 60_000 == MINUTE_MS // 60_000
    assert ids(environment.request(60_010.0, status=500)) == [1, "request-5"]
    assert environment.written[-2]["_aws"]["Timestamp"] // 60_000 == MINUTE_MS // 60_000 + 1


@pytest.mark.parametrize(
    "special",
    [
        {"status": 500},
        {"status": 400, "rows": 0},
        {"status": 404, "rows": 0},
        {"non_finite": True},
        {"probe": True},
        {"qualifier": "6"},
    ],
    ids=lambda special: "-".join(special),
)
def test_what_somebody_may_look_for_keeps_a_line_of_its_own_written_at_once(special):
    environment = Environment().busy(5)
    assert ids(environment.request(50.0, **special)) == [4, "request-6"]
    assert ids(environment.request(60.0)) == []


@pytest.mark.parametrize("init_ms", [None, 80.0])
def test_an_environments_first_request_keeps_a_line_of_its_own(init_ms):
    environment = Environment(init_ms=init_ms)
    # A golden request is no sign of traffic, and the place of the first is taken.
    assert ids(environment.request(0.0, probe=True)) == ["request-1"]
    assert ids(environment.request(10.0)) == ["request-2"]
    assert ids(environment.request(20.0)) == []
    environment = Environment(init_ms=init_ms)
    assert ids(environment.request(10.0)) == ["request-1"]
    assert ("Init" in environment.written[0]) == (init_ms is not None)
    assert ids(environment.request(20.0)) == []


def test_one_request_in_many_keeps_a_line_of_its_own():
    environment = Environment(keep_one_in=10).busy(31)
    assert ids(environment.written) == ["request-1", 8, "request-10", 9, "request-20", 9, "request-30"]


def test_with_all_every_request_has_a_line():
    assert ids(Environment(keep_one_in=1).busy(3).written) == ["request-1", "request-2", "request-3"]


def test_routes_and_unscored_requests_share_a_line_without_claims_about_them():
    environment = Environment().busy(1)
    environment.request(10.0)
    environment.request(20.0, route="GET /health", rows=0)
    line = environment.request(30.0, status=500)[0]
    assert "Route" not in line
    assert (line["Requests"], line["Latency"], line["Rows"], line["Prediction"]) == (2, [2.0, 2.0], [1], [4])
    environment.request(40.0, route="GET /health", rows=0)
    line = environment.request(50.0, status=500)[0]
    assert line["Route"] == "GET /health"
    assert not {"Rows", "ModelTime", "Prediction", "Bins"} & set(line)


def test_the_apis_clock_counts_too():
    """Where it runs faster than the function's, a minute of the API's may last a second here."""
    environment = Environment()
    environment.request(0.0, received_ms=0.0)
    assert ids(environment.request(1.0, received_ms=500.0)) == []
    assert ids(environment.request(2.0, received_ms=1_500.0)) == [1, "request-3"]
    assert ids(environment.request(3.0, received_ms=1_600.0)) == []
    assert ids(environment.request(4.0, received_ms=2_500.0)) == []
    assert ids(environment.request(5.0, received_ms=3_499.0)) == []
    assert ids(environment.request(6.0, received_ms=3_600.0)) == [4]
    environment.request(7.0, received_ms=59_999.0)
    assert ids(environment.request(8.0, received_ms=59_999.5)) == []
    assert ids(environment.request(9.0, received_ms=60_000.0)) == [1]


def test_requests_that_overtake_each_other_are_no_sign_of_quiet():
    environment = Environment().busy(2)
    assert ids(environment.request(20.0, received_ms=5.0)) == []


def test_a_clock_that_was_set_back_only_writes_more_lines():
    environment = Environment().busy(3, begin_ms=30_000.0)
    assert ids(environment.request(10_000.0)) == [2, "request-4"]


def test_a_copy_of_an_environment_begins_with_nothing_gathered():
    environment = Environment().busy(4)
    environment.telemetry.restored()
    assert ids(environment.request(50.0)) == ["request-5"]


REQUESTS = st.lists(
    st.fixed_dictionaries(
        {
            "apart_ms": st.sampled_from([0.0, 0.7, 10.0, 130.0, 999.0, 1_000.0, 1_900.0, 7_000.0, 61_000.0]),
            "took_ms": st.sampled_from([0.25, 3.125, 700.0]),
            "status": st.sampled_from([200] * 12 + [500, 400, 404]),
            "rows": st.sampled_from([0, 1, 1, 1, 40]),
            "prediction": st.sampled_from([0, 1, 2, 512]),
            "non_finite": st.sampled_from([False] * 9 + [True]),
            "probe": st.sampled_from([False] * 9 + [True]),
            "qualifier": st.sampled_from([None] * 9 + ["6"]),
        }
    ),
    max_size=150,
)


@settings(deadline=None, max_examples=60)
@given(requests=REQUESTS, keep_one_in=st.sampled_from([2, 5, 100]))
def test_gathering_changes_no_number_of_any_metric_in_any_minute(requests, keep_one_in):
    alone, gathered = Environment(keep_one_in=1, init_ms=80.0), Environment(keep_one_in, init_ms=80.0)
    at_ms = 0.0
    for request in requests:
        at_ms += request.pop("apart_ms")
        alone.request(at_ms, **request)
        gathered.request(at_ms, **request)
    alone.request(at_ms, status=500)
    gathered.request(at_ms, status=500)  # an error writes what is gathered
    assert gathered.counted() == alone.counted()
    own = {line["RequestId"] for line in gathered.written if "RequestId" in line}
    notable = [line for line in alone.written if line["Outcome"] != "answered" or line["NonFinite"]]
    assert {line["RequestId"] for line in notable} <= own


@pytest.mark.parametrize(("text", "expected"), [("all", 1), ("1", 1), ("250", 250), ("", 100), (None, 100)])
def test_the_setting_is_read_from_the_environment(text, expected):
    assert read_keep_one_in({} if text is None else {"SERINUS_REQUEST_LOG": text}) == expected


@pytest.mark.parametrize("text", ["0", "-1", "some", "1.5"])
def test_another_setting_is_refused_with_what_is_allowed(text):
    with pytest.raises(BadSetting, match=r'SERINUS_REQUEST_LOG is .*; it must be "all" or a positive integer'):
        read_keep_one_in({"SERINUS_REQUEST_LOG": text})
