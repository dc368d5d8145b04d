"""Bytes in, bytes out: the one implementation of validating, scoring and encoding.

The hot routes and the FastAPI application both end here, so that a response does not depend on its way in; so do
the `protocols`, which differ in how rows are read and outputs are written. It knows of HTTP only status, headers
and body.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.fast_decoder import Row, compile_converter, compile_decoder
from serinus.lambda_handlers.inference.limits import LARGEST_RESPONSE_BYTES, ExplainLimits, Limits
from serinus.lambda_handlers.inference.predict_response import compile_response
from serinus.lambda_handlers.inference.problems import Problem
from serinus.lambda_handlers.inference.rules import compile_rules
from serinus.lambda_handlers.inference.session import Model
from serinus.lambda_handlers.inference.tensors import Array, Feeds, compile_encoder

log = logging.getLogger(__name__)

JSON = "application/json"


class Response(msgspec.Struct, frozen=True):
    """An HTTP response, before its transport adds headers. ``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class Observer(Protocol):
    """Receives the events of a request, for its log line."""

    def scored(self, feeds: Feeds, outputs: Sequence[Array], model_ms: float) -> None:
        """The graph returned ``outputs``, in signature order, for ``feeds`` after ``model_ms`` milliseconds."""

    def routed(self, name: str) -> None:
        """The request is for the route of ``name``."""

    def refused(self, problem: Problem) -> None:
        """The response is ``problem``."""


class Scorer:
    """Serves predictions of one model; compiled once, then without state."""

    def __init__(
        self,
        model: Model,
        limits: Limits,
        function_version: str,
        explain_limits: ExplainLimits | None = None,
    ) -> None:
        """``function_version`` is Lambda's, a header of every response; without ``explain_limits`` there are no
        explanations. Raises `ContractError` if the signature
        cannot be compiled."""
        signature = model.manifest.signature
        self.model = model
        self.limits = limits
        self.function_version = function_version
        self.signals = {
            signals.HEADER_MODEL: model.manifest.name,
            signals.HEADER_MODEL_VERSION: model.manifest.short_version,
            signals.HEADER_FUNCTION_VERSION: function_version,
        }
        self._json = {"content-type": JSON, **self.signals}
        self._problem = {"content-type": problems.CONTENT_TYPE, **self.signals, "cache-control": "no-store"}
        self.rules = compile_rules(signature)
        self._decode = compile_decoder(self.rules)
        self._convert: Callable[[Sequence[Any]], list[Row]] | None = None
        self._encode = compile_encoder(signature)
        self._encode_response = compile_response(model.manifest)
        self.observer: Observer | None = None
        self.explain_limits = explain_limits
        self._explainer: Any = None

    def predict(self, body: bytes, content_type: str | None) -> Response:
        """The response to ``body``: 200, or a problem document with 400, 413, 415, 422, or 500 if the graph itself
        fails, which is logged."""
        try:
            if content_type != JSON:
                read_media(content_type, JSON)
            self.admit(body)
            encoded, non_finite_rows = self._encode_response(self.score(self._rows(body)))
            return self.complete(encoded, _JSON_HEADERS, non_finite_rows)
        except Exception as error:  # noqa: BLE001  the boundary to callers: `fail` logs it
            return self.fail(error, "/predict")

    def explain(self, body: bytes, content_type: str | None) -> Response:
        """The response of /explain to ``body``: 200, or a problem document as for `predict`."""
        return self.guard("/explain", lambda: self._explain(body, content_type))

    def _explain(self, body: bytes, content_type: str | None) -> Response:
        assert self.explain_limits is not None
        if self._explainer is None:
            # For the first explanation: predictions do without the module.
            from serinus.lambda_handlers.inference.explaining import open_explainer

            self._explainer = open_explainer(self)
        return self._explainer.respond(body, content_type, self.explain_limits)  # type: ignore[no-any-return]

    def guard(self, path: str, respond: Callable[[], Response]) -> Response:
        """The response of ``respond`` to a request of ``path``; if it raises, that of `fail`."""
        try:
            return respond()
        except Exception as error:  # noqa: BLE001  the boundary to callers: `fail` logs it
            return self.fail(error, path)

    def fail(self, error: Exception, path: str) -> Response:
        """The problem document for ``error`` on ``path``; an error that is not the caller's is logged."""
        if isinstance(error, Refused):
            return self.refuse(error.problem, path)
        log.error("request failed", exc_info=error)  # callers must not see why
        return self.refuse(problems.internal_error(), path)

    def report(self, data: object, *, keep_s: int = 0) -> Response:
        """``data`` about the model as JSON, which the caller (but no shared cache) may keep ``keep_s`` seconds."""
        return Response(200, {**self._json, "cache-control": cache_control(keep_s)}, msgspec.json.encode(data))

    def refuse(self, problem: Problem, path: str) -> Response:
        """``problem`` as the response to a request of ``path``."""
        if self.observer is not None:
            self.observer.refused(problem)
        return Response(problem.status, self._problem, problems.with_protocol_error(path, problem).to_bytes())

    def admit(self, body: bytes) -> None:
        """Raises `Refused` (413) for a body beyond the limit."""
        if len(body) > self.limits.max_body_bytes:
            raise Refused(problems.body_too_large(len(body), self.limits.max_body_bytes))

    def validate(self, rows: Sequence[Any]) -> list[Row]:
        """Rows that are parsed already, objects or arrays as in a request of /predict, in signature order; raises
        `Refused` with status 413 or 422."""
        limit = self.limits.max_rows
        return self.convert(rows) if 0 < len(rows) <= limit else self._check(rows, limit)

    def convert(self, rows: Sequence[Any]) -> list[Row]:
        """As `validate`, however many rows there are."""
        if self._convert is None:
            self._convert = compile_converter(self.rules)  # not at init, since the hot route does not need it
        if self._convert is not None:
            try:
                return self._convert(rows)
            except msgspec.ValidationError:
                return self._check(rows, len(rows))
        return self._check(rows, len(rows))

    def run(self, rows: Sequence[Row]) -> list[Array]:
        """As `score`, for rows that no caller sent: they are not counted."""
        return self.model.run(self._encode(rows))

    def score(self, rows: Sequence[Row]) -> list[Array]:
        """The graph's outputs for checked rows, in signature order."""
        feeds = self._encode(rows)
        if self.observer is None:
            return self.model.run(feeds)
        started = time.perf_counter()
        outputs = self.model.run(feeds)
        self.observer.scored(feeds, outputs, (time.perf_counter() - started) * 1000)
        return outputs

    def complete(self, body: bytes, headers: Mapping[str, str], non_finite_rows: int) -> Response:
        """``body`` with predictions as a response; raises `Refused` (413) if it is larger than Lambda returns."""
        if len(body) > LARGEST_RESPONSE_BYTES:
            raise Refused(problems.response_too_large(len(body), LARGEST_RESPONSE_BYTES))
        complete = self._json if headers is _JSON_HEADERS else {**headers, **self.signals}
        if non_finite_rows:
            complete = {**complete, signals.HEADER_NON_FINITE_ROWS: str(non_finite_rows)}
        return Response(200, complete, body)

    def _rows(self, body: bytes) -> list[Row]:
        if self._decode is not None:
            try:
                rows = self._decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return self._diagnose(body)
            if 0 < len(rows) <= self.limits.max_rows:
                return rows
        return self._diagnose(body)

    def _diagnose(self, body: bytes) -> list[Row]:
        from serinus.lambda_handlers.inference.validation_errors import (
            diagnose,  # for the first rejection, and not at init
        )

        return diagnose(body, self.rules, self.limits.max_rows)

    def _check(self, rows: Sequence[Any], max_rows: int) -> list[Row]:
        from serinus.lambda_handlers.inference.validation_errors import check_rows  # likewise

        return check_rows(rows, self.rules, max_rows)


_JSON_HEADERS = {"content-type": JSON}


def read_media(content_type: str | None, *accepted: str) -> str:
    """The media type among ``accepted`` that Content-Type names, the first if there is none; raises `Refused`
    (415) for others. JSON has one encoding, so parameters such as charset are ignored (RFC 8259, section 11)."""
    media = content_type.partition(";")[0].strip().lower() if content_type else ""
    if not content_type or media in accepted:
        return media or accepted[0]
    raise Refused(problems.unsupported_media_type(content_type, *accepted))


def cache_control(keep_s: int) -> str:
    """Cache-Control for a response that one caller may keep ``keep_s`` seconds: responses belong to a key."""
    return f"private, max-age={keep_s}" if keep_s else "no-store"
