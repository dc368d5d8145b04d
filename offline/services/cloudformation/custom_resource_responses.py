"""Receives custom resources' responses, at a URL of this cloud for each request."""

import json
from concurrent.futures import Future
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serinus.offline.core.ports import CloudContext

PATH = "/_offline/cloudformation/answers"
MAX_ANSWER_BYTES = 4096


class PendingResponses:
    """The pending requests, by their id."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context
        self._expected: dict[str, Future[dict[str, Any]]] = {}

    def url(self, request_id: str) -> str:
        """The ResponseURL to which a custom resource's function PUTs its response."""
        return f"{self._context.config.endpoint_url}{PATH}/{request_id}"

    def expect(self, request_id: str) -> "Future[dict[str, Any]]":
        """A future that the response to ``request_id`` will complete."""
        answer: Future[dict[str, Any]] = Future()
        self._expected[request_id] = answer
        return answer

    def forget(self, request_id: str) -> None:
        self._expected.pop(request_id, None)

    def routes(self) -> list[Route]:
        return [Route(f"{PATH}/{{request_id}}", self._receive, methods=["PUT"])]

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        expected = self._expected.get(request.path_params["request_id"])
        if expected is not None and not expected.done():
            expected.set_result(_parsed(body))
        return Response(status_code=200)


def _parsed(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_ANSWER_BYTES:
        return {"Status": "FAILED", "Reason": f"Response object is too long: {len(body)} bytes, 4096 are allowed."}
    try:
        answer = json.loads(body)
    except ValueError as error:
        return {"Status": "FAILED", "Reason": f"Response is not JSON: {error}"}
    if not isinstance(answer, dict):
        return {"Status": "FAILED", "Reason": "Response is not a JSON object."}
    return answer
