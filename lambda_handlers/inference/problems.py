"""Problem documents (RFC 9457): the one form of every error that a caller sees.

Hot route and FastAPI application both build their errors here, so that they are equal byte for byte.
"""

from typing import Any

import msgspec

from serinus.lambda_handlers.inference.http import EXPLAIN, HEALTH, INVOCATIONS, MODEL, OPEN_INFERENCE, PREDICT

CONTENT_TYPE = "application/problem+json"
_ROUTES = ", ".join(" ".join(route) for route in (PREDICT, INVOCATIONS, MODEL, HEALTH))
_OPEN_INFERENCE_ROUTES = (
    f"GET {OPEN_INFERENCE}, GET {OPEN_INFERENCE}/health/live, GET {OPEN_INFERENCE}/health/ready, "
    f"POST {OPEN_INFERENCE}/repository/index, GET {OPEN_INFERENCE}/models/MODEL with /ready and /config, and "
    f"POST {OPEN_INFERENCE}/models/MODEL/infer"
)
#: Echoed text is cut to this many characters: an error must not be longer than the request.
ECHOED_CHARACTERS = 64


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value that violates a rule. ``row`` counts from 0; ``row`` and ``field`` are left out if the fault lies
    above them; ``value`` is left out if the field is missing."""

    rule: str
    row: int | None = None
    field: str | None = None
    value: Any = msgspec.UNSET

    def summary(self) -> str:
        """The fault in one line."""
        row = "" if self.row is None else f"row {self.row}: "
        name = "" if self.field is None else f"{self.field} "
        return f"{row}{name}{self.rule}"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An RFC 9457 problem; ``errors`` holds the first faults, ``errors_omitted`` counts the others. ``error`` is
    for clients of the Open Inference Protocol, on its routes only."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] = ()
    errors_omitted: int = 0
    error: str = ""

    def to_bytes(self) -> bytes:
        return msgspec.json.encode(self)


def malformed_body(detail: str) -> Problem:
    return Problem("urn:serinus:malformed-body", "The body is malformed", 400, detail)


def body_too_large(size_bytes: int, limit_bytes: int) -> Problem:
    return Problem(
        "urn:serinus:body-too-large",
        "The body is too large",
        413,
        f"The body has {size_bytes} bytes; the limit is {limit_bytes}. Send fewer rows in each request.",
    )


def too_many_rows(rows: int, limit: int) -> Problem:
    return Problem(
        "urn:serinus:too-many-rows",
        "Too many rows",
        413,
        f"The body holds {rows} rows; the limit is {limit}. Split them over several requests.",
    )


def response_too_large(size_bytes: int, limit_bytes: int) -> Problem:
    return Problem(
        "urn:serinus:answer-too-large",
        "The response is too large",
        413,
        f"The response would have {size_bytes} bytes; Lambda returns at most {limit_bytes}. Send fewer rows.",
    )


def explanation_too_slow(rows: int, limit_ms: int) -> Problem:
    return Problem(
        "urn:serinus:explanation-too-slow",
        "The explanation takes too long",
        413,
        f"Explaining {rows} row{'s' if rows > 1 else ''} takes more than {limit_ms} ms, the limit. Send fewer "
        "rows.",
    )


def decompressed_too_large(limit_bytes: int) -> Problem:
    return Problem(
        "urn:serinus:body-too-large",
        "The body is too large",
        413,
        f"The body decompresses to more than {limit_bytes} bytes, the limit. Send fewer rows in each request.",
    )


def unsupported_media_type(content_type: str, *accepted: str) -> Problem:
    return Problem(
        "urn:serinus:unsupported-media-type",
        "The content type is not supported",
        415,
        f"Content-Type is {echo(content_type)!r}; send {' or '.join(accepted)}.",
    )


def unsupported_content_encoding(coding: str) -> Problem:
    return Problem(
        "urn:serinus:unsupported-content-encoding",
        "The content encoding is not supported",
        415,
        f"Content-Encoding is {echo(coding)!r}; send gzip, deflate or none.",
    )


def not_acceptable(accept: str, *offered: str) -> Problem:
    return Problem(
        "urn:serinus:not-acceptable",
        "Not acceptable",
        406,
        f"Accept is {echo(accept)!r}; this route returns {' or '.join(offered)}.",
    )


def invalid_request(faults: tuple[Fault, ...], omitted: int) -> Problem:
    count = len(faults) + omitted
    return Problem(
        "urn:serinus:invalid-request",
        "The request does not fit the model's signature",
        422,
        f"{count} error{'s' if count > 1 else ''}. GET /model shows what this model takes.",
        faults,
        omitted,
    )


def not_found(path: str) -> Problem:
    routes = f"{_ROUTES} and the Open Inference Protocol below {OPEN_INFERENCE}"
    if path == OPEN_INFERENCE or path.startswith(f"{OPEN_INFERENCE}/"):
        routes = f"{_ROUTES}, and of the Open Inference Protocol {_OPEN_INFERENCE_ROUTES}"
    return Problem(
        "urn:serinus:not-found",
        "Not found",
        404,
        f"{echo(path)} is not a route of this endpoint. Its routes are {routes}.{_reason_of_absence(path)}",
    )


def _reason_of_absence(path: str) -> str:
    """Why there is no such route, where a caller may expect one."""
    if path == EXPLAIN[1]:
        return " Predictions are explained where [endpoint.NAME.explanations] in serinus.toml switches it on."
    if path.startswith(f"{OPEN_INFERENCE}/models/") and path.endswith("/stats"):
        return " Statistics are in CloudWatch: an environment of the function sees only its own requests."
    if path.startswith(f"{OPEN_INFERENCE}/repository/"):
        return " The endpoint serves one model, which a deploy changes."
    return ""


def method_not_allowed(method: str, allowed: str) -> Problem:
    return Problem(
        "urn:serinus:method-not-allowed",
        "Method not allowed",
        405,
        f"The method is {echo(method)}; this route accepts {allowed}.",
    )


def internal_error() -> Problem:
    """Hides the cause, which is in the function's log: a traceback is not for callers."""
    return Problem(
        "urn:serinus:internal-error",
        "Internal error",
        500,
        "The request is valid, but processing it failed. The function's log holds the error.",
    )


def with_protocol_error(path: str, problem: Problem) -> Problem:
    """``problem`` for callers of ``path``: below /v2 with ``error``, as the Open Inference Protocol requires
    (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md)."""
    if path != OPEN_INFERENCE and not path.startswith(f"{OPEN_INFERENCE}/"):
        return problem
    faults = "".join(f" {fault.summary()}." for fault in problem.errors)
    return msgspec.structs.replace(problem, error=f"{problem.title}: {problem.detail}{faults}")


def echo(value: object) -> Any:
    """A JSON value as an error shows it: short scalars as they are, all else in few words."""
    match value:
        case None | bool():
            return value
        case int():
            return value if -(2**53) <= value <= 2**53 else _cut(f"an integer of {value.bit_length()} bits")
        case float():
            return value if abs(value) != float("inf") else ("Infinity" if value > 0 else "-Infinity")
        case str():
            return _cut(value)
        case list() | tuple():
            return f"an array of {len(value)}"
        case dict():
            return f"an object of {len(value)}"
    return type(value).__name__


def _cut(text: str) -> str:
    """The first characters, in a form that UTF-8 can hold (JSON's escapes can spell lone surrogates)."""
    short = text if len(text) <= ECHOED_CHARACTERS else text[:ECHOED_CHARACTERS] + "…"
    return short.encode("utf-8", "backslashreplace").decode("utf-8")
