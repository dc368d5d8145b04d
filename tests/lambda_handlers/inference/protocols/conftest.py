"""A way to call the protocols' routes without an event."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from serinus.lambda_handlers.inference.http import Request
from serinus.lambda_handlers.inference.protocols.routes import compile_routes
from serinus.lambda_handlers.inference.scoring import Response, Scorer

Post = Callable[..., Response]


@pytest.fixture
def post(scorers: dict[str, Scorer]) -> Post:
    """``post("churn", "/invocations", body, accept="text/csv")``: a body that is no bytes is sent as JSON."""

    def send(name: str, path: str, body: Any, **headers: str) -> Response:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        return compile_routes(scorers[name])["POST", path](Request(sent, named.get))

    return send
