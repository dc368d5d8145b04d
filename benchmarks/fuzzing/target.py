"""The handler under fire: a request goes in as a proxy event, and its answer is looked over."""

import base64
import binascii
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Handler = Callable[[dict[str, Any], object], dict[str, Any]]

#: What an answer that leaks how it came about would hold.
LEAKS = (b"Traceback", b'.py"', b"site-packages", b"/lambda_handlers", b"line 1 in", b"onnxruntime.capi", b"0x7f")
_HEADERS = ("x-serinus-model", "x-serinus-model-version", "x-serinus-function-version")


class Finding(AssertionError):
    """An answer that no request may get."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``body`` as the client sends it, or as the event spells it where ``raw`` is set."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: str | None = None

    def event(self) -> dict[str, Any]:
        """As a REST API hands it on that treats every body as binary."""
        return {
            "resource": "/{proxy+}",
            "path": self.path,
            "httpMethod": self.method,
            "headers": dict(self.headers),
            "multiValueHeaders": {name: [value] for name, value in self.headers.items()},
            "pathParameters": {"proxy": self.path.removeprefix("/")},
            "requestContext": {"path": f"/live{self.path}", "stage": "live", "requestId": "fuzz", "identity": {}},
            "body": self.raw if self.raw is not None else base64.b64encode(self.body).decode() or None,
            "isBase64Encoded": self.raw is not None or bool(self.body),
        }

    def http_event(self) -> dict[str, Any]:
        """As an HTTP API hands it on with payload 2.0."""
        rest = self.event()
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": "",
            "headers": rest["headers"],
            "requestContext": {
                "stage": "$default",
                "requestId": "fuzz",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                },
            },
            "isBase64Encoded": rest["isBase64Encoded"],
        } | ({"body": rest["body"]} if rest["body"] is not None else {})


def fire(handler: Handler, request: Request, *, http_api: bool = False) -> int:
    """The status of the handler's answer; raises `Finding` where it breaks what every answer keeps."""
    answer = handler(request.http_event() if http_api else request.event(), None)
    try:
        _look_over(answer, request)
    except (Finding, KeyError, ValueError, binascii.Error) as error:
        shown = f"{request.method} {request.path[:200]} {dict(request.headers)!r:.300} {request.body[:300]!r}"
        raise Finding(f"{error!r} for {shown}: {answer!r:.800}") from error
    return int(answer["statusCode"])


def _look_over(answer: dict[str, Any], request: Request) -> None:
    status, headers = answer["statusCode"], answer["headers"]
    body = (
        base64.b64decode(answer["body"], validate=True) if answer["isBase64Encoded"] else answer["body"].encode()
    )
    if int(headers["content-length"]) != len(body):
        raise Finding("content-length is not the body's")
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    if not 200 <= status < 500:
        raise Finding(f"status {status}")
    if any(name not in headers for name in _HEADERS):
        raise Finding("a header is missing")
    if any("\n" in value or "\r" in value for value in headers.values()):
        raise Finding("a header breaks its line")
    if status >= 400:
        _look_over_problem(status, headers, body, request)


def _look_over_problem(status: int, headers: dict[str, str], body: bytes, request: Request) -> None:
    problem = json.loads(body)
    if headers["content-type"] != "application/problem+json" or problem["status"] != status:
        raise Finding("an error is no problem document")
    if ("error" in problem) != (request.path == "/v2" or request.path.startswith("/v2/")):
        raise Finding("`error` is told where it is not read, or the other way round")
    if len(body) > 20_000:
        raise Finding(f"an error of {len(body)} bytes")
    sent = request.body + request.path.encode("utf-8", "replace") + repr(request.headers).encode()
    for leak in LEAKS:
        if leak in body and leak not in sent:
            raise Finding(f"{leak!r} leaks")
