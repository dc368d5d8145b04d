"""A deployed endpoint, called over HTTP from Python as `serinus predict` calls it."""

import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serinus.cli.request_auth import RequestAuth

#: Real seconds that a request may take: longer than API Gateway waits.
_TIMEOUT_S = 60.0
_SHOWN_CHARACTERS = 300


class EndpointError(Exception):
    """A deployed endpoint cannot be found or reached, or failed; the message says why and the next step."""


def post_rows(base: str, auth: "RequestAuth", body: bytes, *, use_proxy: bool) -> dict[str, Any]:
    """What the endpoint at ``base`` answers to ``body``, the JSON of a request. ``use_proxy`` honours the shell's
    proxy variables. Raises `RequestRejected` where it rejects the rows, and `EndpointError`."""
    import httpx

    url = f"{base}/predict"
    try:
        response = httpx.post(
            url, content=body, headers=auth.headers(url, body), timeout=_TIMEOUT_S, trust_env=use_proxy
        )
    except httpx.HTTPError as error:
        raise EndpointError(
            f"{url} did not answer: {error or type(error).__name__}. Check that it runs."
        ) from error
    if response.status_code == httpx.codes.OK:
        content: dict[str, Any] = response.json()
        return content
    raise _failure(url, response.status_code, response.content)


def _failure(url: str, status: int, body: bytes) -> Exception:
    """The error for a response of another status than 200: a rejection where the endpoint's own problem document
    says so, or what API Gateway or Lambda answered."""
    import msgspec

    from serinus.lambda_handlers.inference.problems import Problem
    from serinus.loaded import RequestRejected

    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        return EndpointError(
            f"{url} answered {status}: {_message(body)}. `serinus logs` shows the function's log."
        )
    if status < 500:
        return RequestRejected(problem, over_http=True)
    return EndpointError(f"{url} answered {status}: {problem.detail}")


def _message(body: bytes) -> str:
    """What an answer that is no problem document says, in one line."""
    text = body.decode(errors="replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    return " ".join(text.split())[:_SHOWN_CHARACTERS].rstrip(".") or "nothing"
