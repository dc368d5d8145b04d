"""The first deploy, where CodeDeploy has no part: CloudFormation always hears of the check."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from serinus.lambda_handlers.hooks.first_release import respond


@pytest.fixture
def response_url() -> Iterator[tuple[str, list[dict]]]:
    """Where CloudFormation waits for responses, and those that came."""
    received: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            assert self.headers["Content-Type"] == ""
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    thread.join()
    server.server_close()


def event(url: str, kind: str = "Create") -> dict:
    identity = {"StackId": "stack-1", "RequestId": "request-1", "LogicalResourceId": "Check"}
    return {**identity, "RequestType": kind, "ResponseURL": url, "ResourceProperties": {}}


def test_a_first_version_that_agrees_is_created(release, response_url):
    url, received = response_url
    respond(event(url), release, lambda: release.context)
    assert received[0]["Status"] == "SUCCESS"
    assert received[0]["PhysicalResourceId"] == "first-release-Check"
    assert received[0]["RequestId"] == "request-1"


def test_a_first_version_that_disagrees_fails_the_stack_with_the_reason(release, response_url):
    url, received = response_url
    release.functions.answers["7"] = release.functions.answers["6"]
    respond(event(url), release, lambda: release.context)
    assert received[0]["Status"] == "FAILED"
    assert "x-serinus-model-version" in received[0]["Reason"]


def test_a_check_that_crashes_is_answered_too(release, response_url):
    url, received = response_url
    release.environ["SERINUS_VERSION"] = "99"
    respond(event(url), release, lambda: release.context)
    assert received[0]["Status"] == "FAILED"
    assert "the check crashed: KeyError" in received[0]["Reason"]


def test_a_check_that_lambda_runs_again_answers_the_same(release, response_url):
    url, received = response_url
    for _ in range(3):
        respond(event(url), release, lambda: release.context)
    assert received[0]["Status"] == "SUCCESS"
    assert received == received[:1] * 3


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_updates_and_deletes_are_acknowledged_without_a_check(response_url, kind):
    url, received = response_url

    def surround():
        raise AssertionError("nothing but the standard library is needed")

    respond({**event(url, kind), "PhysicalResourceId": "kept"}, None, surround)
    assert (received[0]["Status"], received[0]["PhysicalResourceId"]) == ("SUCCESS", "kept")
