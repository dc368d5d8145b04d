"""Parses and serializes the Invoke operation directly.

It is the only operation whose speed matters, and its status, headers and request id belong to the invocation, so
the general path through AWS's service model would only cost time.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import InvocationType
from serinus.offline.core.protocol import AwsResponse
from serinus.offline.services.lambda_.invocation import InvokeResult

if TYPE_CHECKING:
    from moto.core.request import Request

INVOKE_PATH = re.compile(r"^/2015-03-31/functions/(?P<function>[^/]+)/invocations/?$")
INVOCATION_TYPES = ("RequestResponse", "Event", "DryRun")
UNMODELLED_HEADERS = ("X-Amz-Tenant-Id", "X-Amz-Durable-Execution-Name")


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """An Invoke request; ``client_context`` is decoded JSON."""

    function: str
    qualifier: str | None
    payload: bytes
    invocation_type: InvocationType
    log_tail: bool
    client_context: str | None
    trace_id: str | None


def invoked_function(request: "Request") -> str | None:
    """The function that a request invokes; None if it is another operation."""
    match = INVOKE_PATH.match(request.path) if request.method == "POST" else None
    return unquote(match["function"]) if match else None


def read(request: "Request", function: str) -> InvokeRequest:
    """Parse and check a request; raises the errors of AWS's front end."""
    headers, payload = request.headers, request.data
    for name in UNMODELLED_HEADERS:
        if headers.get(name):
            raise NotModelled(f"lambda:Invoke with {name}")
    kind = headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    if kind not in INVOCATION_TYPES:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{kind}' at 'invocationType' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(INVOCATION_TYPES)}]",
            status=400,
        )
    _require_json(payload)
    return InvokeRequest(
        function,
        request.args.get("Qualifier"),
        payload,
        cast(InvocationType, kind),
        headers.get("X-Amz-Log-Type") == "Tail",
        _decoded_context(headers.get("X-Amz-Client-Context")),
        headers.get("X-Amzn-Trace-Id"),
    )


def write(result: InvokeResult) -> AwsResponse:
    """The HTTP response to an invocation."""
    headers = {"x-amzn-RequestId": result.request_id, "Content-Type": "application/json"}
    if result.status == 200:
        headers["X-Amz-Executed-Version"] = result.executed_version
    if result.function_error is not None:
        headers["X-Amz-Function-Error"] = result.function_error
    if result.log_tail is not None:
        headers["X-Amz-Log-Result"] = base64.b64encode(result.log_tail.encode()).decode()
    return AwsResponse(result.status, headers, result.payload)


def _require_json(payload: bytes) -> None:
    if not payload:
        return
    try:
        json.loads(payload)
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}", Type="User"
        ) from error


def _decoded_context(client_context: str | None) -> str | None:
    if not client_context:
        return None
    try:
        return base64.b64decode(client_context, validate=True).decode()
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException", "Client context must be base64-encoded JSON.", Type="User"
        ) from error
