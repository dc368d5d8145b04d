"""What only the wire can do wrong: lengths that lie, headers without end, bombs. The endpoint stays up."""

import gzip
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("endpoint")]

GROUP = "/aws/lambda/churn"


def call(deployed: Any, **request: Any) -> httpx.Response:
    headers = {**deployed.headers, **request.pop("headers", {})}
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.request(
            request.pop("method", "POST"),
            deployed.url + request.pop("path", "/predict"),
            headers=headers,
            **request,
        )


@pytest.fixture(autouse=True)
def answers_after_all(deployed: Any) -> Any:
    yield
    assert call(deployed, json={"rows": deployed.rows[:2]}).status_code == 200


def send_raw(deployed: Any, head: str, body: bytes) -> bytes:
    """What comes back, until the other side closes or is silent."""
    url = urlsplit(deployed.url)
    with socket.create_connection((url.hostname, url.port), timeout=2) as connection:
        first = f"POST {url.path}/predict HTTP/1.1"
        lines = [first, f"Host: {url.netloc}", f"x-api-key: {deployed.key}", head, "", ""]
        connection.sendall("\r\n".join(lines).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except TimeoutError:
            return received
        return received


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5",
        "Content-Length: 100000",
        "Content-Length: -1",
        "Content-Length: 1\r\nContent-Length: 2",
    ],
)
def test_lengths_that_lie_get_no_5xx(deployed, head):
    received = send_raw(deployed, head, b'{"rows": [[1, 2, "monthly"]]}')
    statuses = [line.split()[1] for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert all(status.startswith(b"4") for status in statuses), received
    assert b"Traceback" not in received


def test_chunks_that_break_off_get_no_5xx(deployed):
    received = send_raw(deployed, "Transfer-Encoding: chunked", b"ffff\r\n{")
    assert not received.startswith(b"HTTP/1.1 5")


def test_a_bomb_is_refused_as_too_large(deployed):
    bomb = gzip.compress(bytes(50_000_000), 9)
    answer = call(deployed, content=bomb, headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:serinus:body-too-large")


def test_headers_without_end_are_refused_by_the_gateway(deployed):
    assert 400 <= call(deployed, json={}, headers={"x-large": "x" * 20_000}).status_code < 500


def test_a_body_beyond_the_limits_is_refused(deployed):
    within_the_gateways = call(deployed, content=b" " * 4_400_000)
    assert within_the_gateways.status_code == 413
    assert call(deployed, content=b" " * 11_000_000).status_code == 413


@pytest.mark.parametrize("path", ["/predict/../model", "/%2e%2e/etc/passwd", "/v2/models/%00/infer", "/é"])
def test_path_tricks_lead_nowhere(deployed, path):
    answer = call(deployed, path=path, json={"rows": deployed.rows[:1]})
    assert answer.status_code in (400, 403, 404, 405)


def test_a_log_line_tells_route_rows_and_outcome_and_no_data(deployed):
    secret = "4711.0815"
    call(deployed, path="/v2/models/churn/infer", json={"inputs": []})
    call(deployed, path="/invocations", content=f"3,{secret},monthly\n" * 7, headers={"content-type": "text/csv"})
    call(deployed, method="GET", path="/nowhere-zebra")
    expected = {("POST /v2/models/churn/infer", "invalid-request", 0, 422), ("other", "not-found", 0, 404)}
    until = time.monotonic() + 30
    while True:  # the log follows the response
        logged = [event["message"] for event in deployed.logs.filter_log_events(logGroupName=GROUP)["events"]]
        told = [json.loads(message) for message in logged if message.startswith("{")]
        own = [line for line in told if "Outcome" in line]
        found = {(line["Route"], line["Outcome"], line["Rows"], line["Status"]) for line in own}
        # An answer that follows another request within a second shares a line.
        answered = any(7 in np.atleast_1d(line.get("Rows", 0)) for line in told)
        if (expected <= found and answered) or time.monotonic() > until:
            break
        time.sleep(0.05)
    assert expected <= found
    assert answered, told
    assert not [message for message in logged if secret in message or "zebra" in message]
    last = own[-1]
    assert last["Model"] == "churn"
    assert last["RequestId"]
    assert len(last["ModelVersion"]) == 12
    assert last["FunctionVersion"] == "$LATEST"
    assert all(line["ModelTime"] > 0 for line in own if line["Rows"])
