"""The Runtime API as a runtime client meets it: polling, answering, reporting errors."""

import asyncio

import pytest

from serinus.offline.core.errors import OfflineError
from serinus.offline.sandbox.runtime_api import RuntimeApi

PREFIX = "/2018-06-01/runtime"


class Recorder:
    """Remembers what the runtime said; refuses bodies over ten bytes."""

    def __init__(self):
        self.said = []

    def on_next(self):
        self.said.append("next")

    def on_response(self, request_id, body, size_bytes):
        self.said.append(("response", request_id, body, size_bytes))
        return size_bytes <= 10

    def on_error(self, request_id, body, error_type):
        self.said.append(("error", request_id, body, error_type))

    def on_init_error(self, body, error_type):
        self.said.append(("init error", body, error_type))

    def on_restore_next(self):
        self.said.append("restore next")

    def on_restore_error(self, body, error_type):
        self.said.append(("restore error", body, error_type))


async def speak(api: RuntimeApi, *requests: bytes, after=None) -> bytes:
    """Send raw requests over one connection; returns all that comes back."""
    host, port = (await api.start()).split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for request in requests:
        writer.write(request)
    if after is not None:
        await asyncio.sleep(0.05)
        after()
    answer = await reader.readuntil(b"}\n" if after is None else b"}")
    writer.close()
    await writer.wait_closed()
    api.close()
    return answer


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {PREFIX}{path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def test_a_poll_waits_for_the_next_invocation():
    recorder = Recorder()
    api = RuntimeApi(recorder)
    answer = asyncio.run(
        speak(
            api,
            f"GET {PREFIX}/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
            after=lambda: api.send_next({"Lambda-Runtime-Aws-Request-Id": "42"}, b'{"a":1}'),
        )
    )
    assert recorder.said == ["next"]
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Lambda-Runtime-Aws-Request-Id: 42\r\n" in answer
    assert answer.endswith(b'\r\n\r\n{"a":1}')


def test_work_for_a_runtime_that_does_not_ask_is_a_fault_of_ours():
    with pytest.raises(OfflineError, match="was not polling"):
        RuntimeApi(Recorder()).send_next({}, b"")


def test_a_response_is_accepted():
    recorder = Recorder()
    answer = asyncio.run(speak(RuntimeApi(recorder), post("/invocation/42/response", b'"ok"')))
    assert answer.startswith(b"HTTP/1.1 202 Accepted")
    assert recorder.said == [("response", "42", b'"ok"', 4)]


def test_a_response_that_is_too_large_is_refused():
    answer = asyncio.run(speak(RuntimeApi(Recorder()), post("/invocation/42/response", b"x" * 11)))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_chunked_response_is_understood():
    recorder = Recorder()
    request = (
        f"POST {PREFIX}/invocation/42/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        '2\r\n"o\r\n2\r\nk"\r\n0\r\n\r\n'
    )
    asyncio.run(speak(RuntimeApi(recorder), request.encode()))
    assert recorder.said == [("response", "42", b'"ok"', 4)]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/invocation/42/error", ("error", "42", b"{}", "Kind")),
        ("/init/error", ("init error", b"{}", "Kind")),
        ("/restore/error", ("restore error", b"{}", "Kind")),
    ],
)
def test_errors_are_reported_with_their_type(path, said):
    recorder = Recorder()
    asyncio.run(speak(RuntimeApi(recorder), post(path, b"{}", "Lambda-Runtime-Function-Error-Type: Kind")))
    assert recorder.said == [said]


def test_an_unknown_path_is_not_found():
    request = f"GET {PREFIX}/elsewhere HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    host_answer = asyncio.run(speak(RuntimeApi(Recorder()), request, after=lambda: None))
    assert host_answer.startswith(b"HTTP/1.1 404 ")
