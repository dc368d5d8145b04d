"""One version of the endpoint's function, invoked directly: past the API, its keys and the alias' weights.

The requests are proxy events of a REST API with a stage of their own, so that the function does not count them as
live traffic.
"""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from serinus.lambda_handlers.contract.signals import HEADER_COLD_START, PROBE_STAGE
from serinus.lambda_handlers.hooks.errors import NoResponse, NotReady, Throttled

#: Error codes that say nothing about the version: no capacity, or an error of Lambda's own.
_THROTTLES = ("TooManyRequestsException", "ServiceException", "EC2ThrottledException")
#: Error codes of what may pass: a role or key whose permissions are seconds old, a version that Lambda is still
#: preparing. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
_NOT_READY = (
    "AccessDeniedException",
    "KMSAccessDeniedException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "SnapStartException",
    "SnapStartNotReadyException",
    "SnapStartTimeoutException",
)


class Invoker(Protocol):
    """boto3's Lambda client, as far as it is used here."""

    def invoke(self, **parameters: Any) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class VersionResponse:
    """A version's HTTP response. ``duration_ms`` is the caller's waiting time; ``cold``: it waited for
    the init of a new environment; ``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes
    duration_ms: float
    cold: bool

    def data(self) -> Any:
        """The body's JSON; raises `NoResponse` if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NoResponse(f"a response of status {self.status} is not JSON: {self.body[:200]!r}") from error


@dataclass(frozen=True, slots=True)
class Version:
    """A published version, or an alias, of a function."""

    client: Invoker
    function: str
    qualifier: str

    def post(self, path: str, data: Any) -> VersionResponse:
        """The response to a POST of JSON; raises `NoResponse`, or its subclasses, if there is none."""
        return self._invoke(proxy_event("POST", path, json.dumps(data)))

    def get(self, path: str) -> VersionResponse:
        """The response to a GET; raises as `post`."""
        return self._invoke(proxy_event("GET", path, None))

    def _invoke(self, event: dict[str, Any]) -> VersionResponse:
        started = time.monotonic()
        try:
            result = self.client.invoke(
                FunctionName=self.function,
                Qualifier=self.qualifier,
                Payload=json.dumps(event).encode(),
            )
            payload = result["Payload"].read()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _THROTTLES:
                raise Throttled(f"version {self.qualifier} could not be reached: {error}") from error
            if code in _NOT_READY:
                raise NotReady(f"version {self.qualifier} could not be invoked: {error}") from error
            raise NoResponse(f"version {self.qualifier} could not be invoked: {error}") from error
        except (ConnectionError, HTTPClientError) as error:
            raise NoResponse(f"version {self.qualifier} did not respond: {error}") from error
        duration_ms = (time.monotonic() - started) * 1000
        if "FunctionError" in result:
            raise NoResponse(f"version {self.qualifier} failed: {payload.decode(errors='replace')[:500]}")
        return self._read_response(payload, duration_ms)

    def _read_response(self, payload: bytes, duration_ms: float) -> VersionResponse:
        try:
            written = json.loads(payload)
            headers = {name.lower(): str(value) for name, value in (written.get("headers") or {}).items()}
            body = written.get("body") or ""
            content = base64.b64decode(body) if written.get("isBase64Encoded") else body.encode()
            cold = HEADER_COLD_START in headers
            return VersionResponse(int(written["statusCode"]), headers, content, duration_ms, cold)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            shown = payload.decode(errors="replace")[:200]
            raise NoResponse(f"version {self.qualifier} returned {shown!r}, not an HTTP response") from error


def proxy_event(method: str, path: str, body: str | None) -> dict[str, Any]:
    """A REST API's proxy event as API Gateway would send it, with the probes' stage."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "stage": PROBE_STAGE,
            "path": path,
            "resourcePath": path,
            "httpMethod": method,
            "requestId": "probe",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "serinus-probe"},
        },
        "body": body,
        "isBase64Encoded": False,
    }
