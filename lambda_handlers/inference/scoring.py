"""Bytes in, bytes out: the one implementation of validating, scoring and encoding.

The hot route and the FastAPI face both call `Scorer.predict`, so that an answer does not depend on the way it
was asked for. It speaks of HTTP only by status, headers and body.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from lambda_handlers.contract import signals
from lambda_handlers.contract.signature import Signature
from lambda_handlers.inference import problems
from lambda_handlers.inference.answers import compile_answer
from lambda_handlers.inference.diagnosis import diagnose
from lambda_handlers.inference.errors import Refused
from lambda_handlers.inference.limits import LARGEST_ANSWER_BYTES, Limits
from lambda_handlers.inference.problems import Problem
from lambda_handlers.inference.rules import compile_rules
from lambda_handlers.inference.session import Model
from lambda_handlers.inference.tensors import Array, compile_encoder
from lambda_handlers.inference.typed import Row, compile_decoder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, less what its transport adds. ``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class Scorer:
    """Answers predictions of one model; compiled once, then without state."""

    def __init__(self, model: Model, limits: Limits, function_version: str) -> None:
        """``function_version`` is Lambda's, told in every answer. Raises `ContractError` where the signature
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
        self._json = {"content-type": "application/json", **self.signals}
        self._problem = {"content-type": problems.CONTENT_TYPE, **self.signals}
        self._rules = compile_rules(signature)
        self._decode = compile_decoder(self._rules)
        self._encode = compile_encoder(signature)
        self._answer = compile_answer(model.manifest)
        self._output_names = _output_names(signature)
        #: Told of the outputs behind each answer, in signature order.
        self.observe: Callable[[Sequence[Array]], object] | None = None

    def predict(self, body: bytes, content_type: str | None) -> Answer:
        """The answer to ``body``: 200, or a problem document with 400, 413, 415, 422, or 500 where the graph
        itself fails, which is logged."""
        try:
            return self._predict(body, content_type)
        except Refused as refused:
            return self.refuse(refused.problem)
        except Exception:  # the boundary to callers, who must not see why
            log.exception("prediction failed")
            return self.refuse(problems.internal_error())

    def report(self, body: bytes) -> Answer:
        """JSON about the model as an answer."""
        return Answer(200, self._json, body)

    def refuse(self, problem: Problem) -> Answer:
        """``problem`` as an answer."""
        return Answer(problem.status, self._problem, problem.to_bytes())

    def _predict(self, body: bytes, content_type: str | None) -> Answer:
        if content_type != "application/json":
            _refuse_other_media(content_type)
        if len(body) > self.limits.max_body_bytes:
            raise Refused(problems.body_too_large(len(body), self.limits.max_body_bytes))
        rows = self._rows(body)
        outputs = self.model.session.run(self._output_names, self._encode(rows))
        answer, non_finite_rows = self._answer(outputs)
        if self.observe is not None:
            self.observe(outputs)
        if len(answer) > LARGEST_ANSWER_BYTES:
            raise Refused(problems.answer_too_large(len(answer), LARGEST_ANSWER_BYTES))
        if non_finite_rows:
            return Answer(200, {**self._json, signals.HEADER_NON_FINITE_ROWS: str(non_finite_rows)}, answer)
        return Answer(200, self._json, answer)

    def _rows(self, body: bytes) -> list[Row]:
        if self._decode is not None:
            try:
                rows = self._decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return diagnose(body, self._rules, self.limits.max_rows)
            if 0 < len(rows) <= self.limits.max_rows:
                return rows
        return diagnose(body, self._rules, self.limits.max_rows)


def _refuse_other_media(content_type: str | None) -> None:
    """JSON has one encoding, so parameters such as charset are ignored (RFC 8259, section 11)."""
    if content_type and content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(problems.unsupported_media_type(content_type))


def _output_names(signature: Signature) -> list[str]:
    return [output.name for output in signature.outputs]
