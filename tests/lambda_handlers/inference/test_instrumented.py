"""Every answer of the handler, by either way, leaves the line that the judge's metrics are made of."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.inference.errors import UnknownEvent
from serinus.lambda_handlers.inference.instrumented import InstrumentedEndpoint, open_instrumented, write_lines

Event = dict[str, Any]
PROBE = "serinus-probe"


def event(body: bytes, *, method: str = "POST", path: str = "/predict", stage: str = "live") -> Event:
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "pathParameters": {"proxy": path[1:]},
        "requestContext": {"stage": stage, "path": f"/{stage}{path}", "requestId": "request-9", "identity": {}},
        "body": body.decode() or None,
        "isBase64Encoded": False,
    }


@pytest.fixture
def lines() -> list[Event]:
    return []


@pytest.fixture(params=["1", "0"], ids=["hot route", "face"])
def reported(iris: Path, request: pytest.FixtureRequest, lines: list[Event]) -> Iterator[InstrumentedEndpoint]:
    environ = {
        "SERINUS_MODEL_DIR": str(iris),
        "SERINUS_HOT_ROUTE": request.param,
        "AWS_LAMBDA_FUNCTION_NAME": "shop-dev-iris",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "SERINUS_REQUEST_LOG": "all",
    }
    opened = open_instrumented(environ, lambda line: lines.append(json.loads(line)))
    yield opened
    opened.endpoint.close()


@pytest.fixture
def rows(iris: Path) -> bytes:
    return msgspec.json.encode({"rows": read_golden(iris).rows})


def test_an_answer_is_reported_with_its_prediction_and_the_first_with_init(reported, rows, lines):
    answers = [reported(event(rows), None) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [200, 200]
    assert (lines[0]["FunctionName"], lines[0]["FunctionVersion"]) == ("shop-dev-iris", "7")
    first_label = json.loads(answers[0]["body"])["labels"][0]
    assert lines[0]["Prediction"] == [1, 2, 4][[0, 1, 2].index(first_label)]
    assert "Init" not in lines[1]
    assert lines[1]["RequestId"] == "request-9"


def test_a_refusal_is_reported_without_the_prediction_before_it(reported, rows, lines):
    reported(event(rows), None)
    assert reported(event(b"{}"), None)["statusCode"] == 422
    assert lines[1]["Rejected"] == 1
    assert "Prediction" not in lines[1]


def test_other_routes_are_requests_too(reported, lines):
    assert reported(event(b"", method="GET", path="/health"), None)["statusCode"] == 200
    assert (lines[0]["Errors"], lines[0]["Rejected"]) == (0, 0)
    assert "Prediction" not in lines[0]


def test_a_failing_graph_is_reported_as_an_error(reported, rows, lines, monkeypatch):
    monkeypatch.setattr(reported.endpoint.scorer, "_encode", lambda _rows: {"no such input": 1})
    assert reported(event(rows), None)["statusCode"] == 500
    assert lines[0]["Errors"] == 1


def test_golden_requests_are_reported_apart(reported, rows, lines):
    reported(event(rows, stage="serinus-probe"), None)
    assert "_aws" not in lines[0]
    assert lines[0]["Probe"] is True


@pytest.mark.parametrize(
    ("kind", "waited"),
    [(None, True), ("on-demand", True), ("snap-start", False), ("provisioned-concurrency", False)],
)
def test_a_golden_request_that_waited_for_init_is_told_so_and_no_other(iris, rows, kind, waited):
    environ = {"SERINUS_MODEL_DIR": str(iris)} | ({"AWS_LAMBDA_INITIALIZATION_TYPE": kind} if kind else {})
    opened = open_instrumented(environ, lambda line: None)
    marked = ["x-serinus-cold-start" in opened(probe, None)["headers"] for probe in [event(rows, stage=PROBE)] * 2]
    assert marked == [waited, False]
    opened = open_instrumented(environ, lambda line: None)
    live = [event(rows), event(rows, stage=PROBE)]
    assert ["x-serinus-cold-start" in opened(request, None)["headers"] for request in live] == [False, False]


def test_requests_to_a_busy_environment_leave_one_line(iris, rows):
    written: list[bytes] = []
    opened = open_instrumented({"SERINUS_MODEL_DIR": str(iris)}, written.append)
    request = event(rows)
    for number in range(5):
        request["requestContext"]["requestTimeEpoch"] = 1_790_000_040_000 + number * 10
        opened(request, None)
    assert len(written) == 1
    opened(event(b"{}"), None)
    gathered, refused = (json.loads(line) for line in written[1].splitlines())
    assert (gathered["Requests"], refused["Status"]) == (4, 422)


def test_what_is_no_request_is_lambdas_to_count(reported, lines):
    with pytest.raises(UnknownEvent):
        reported({"hello": "world"}, None)
    assert not lines


def test_lines_go_to_standard_output_as_it_is_now(capfd):
    write_lines(b'{"a": 1}\n')
    assert capfd.readouterr().out == '{"a": 1}\n'
