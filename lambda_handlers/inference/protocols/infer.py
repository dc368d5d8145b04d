"""POST .../infer of the Open Inference Protocol, with its extension for binary tensors."""

from collections.abc import Sequence
from typing import Any

import msgspec

from serinus.lambda_handlers.contract.signature import Output
from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.http import OPEN_INFERENCE, Request
from serinus.lambda_handlers.inference.predict_response import count_non_finite
from serinus.lambda_handlers.inference.protocols.datatypes import name_of, pack
from serinus.lambda_handlers.inference.protocols.infer_request import (
    HEADER_JSON_BYTES,
    InferOutput,
    InferRequest,
    read_request,
    refuse,
)
from serinus.lambda_handlers.inference.protocols.infer_rows import read_rows
from serinus.lambda_handlers.inference.scoring import JSON, Response, Scorer, read_media
from serinus.lambda_handlers.inference.tensors import Array

OCTETS = "application/octet-stream"


class Infer:
    """Handles inference requests of one model."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def __call__(self, request: Request) -> Response:
        """Status 200, or a problem document with an ``error`` member."""
        return self._scorer.guard(f"{OPEN_INFERENCE}/", lambda: self._infer(request))

    def _infer(self, request: Request) -> Response:
        scorer = self._scorer
        signature = scorer.model.manifest.signature
        read_media(request.header("content-type"), JSON, OCTETS)
        scorer.admit(request.body)
        inference, parts = read_request(request)
        requested = _requested_outputs(inference, signature.outputs)
        rows = scorer.validate(read_rows(inference, parts, signature, scorer.limits.max_rows))
        outputs = scorer.score(rows)
        body, headers = self._write(inference, requested, outputs)
        return scorer.complete(body, headers, count_non_finite(outputs))

    def _write(
        self, request: InferRequest, requested: Sequence[tuple[int, InferOutput]], arrays: Sequence[Array]
    ) -> tuple[bytes, dict[str, str]]:
        manifest = self._scorer.model.manifest
        tensors, parts = [], []
        for number, output in requested:
            tensor, part = _tensor(output, arrays[number], _is_binary(request, output))
            tensors.append(tensor)
            if part is not None:
                parts.append(part)
        document = {"model_name": manifest.name, "model_version": manifest.short_version}
        if request.id is not None:
            document["id"] = request.id
        head = msgspec.json.encode({**document, "outputs": tensors})
        if not parts:
            return head, {"content-type": JSON}
        return b"".join((head, *parts)), {"content-type": OCTETS, HEADER_JSON_BYTES: str(len(head))}


def _requested_outputs(request: InferRequest, outputs: Sequence[Output]) -> list[tuple[int, InferOutput]]:
    """The requested outputs, all unless some are named, each with its index in the signature."""
    names = [output.name for output in outputs]
    for output in request.outputs:
        if output.name not in names:
            rule = f"is not an output of this model, which returns {', '.join(names[:10])}"
            raise refuse(rule, problems.echo(output.name))
    requested = request.outputs or [InferOutput(name) for name in names]
    return [(names.index(output.name), output) for output in requested]


def _is_binary(request: InferRequest, output: InferOutput) -> bool:
    return output.parameters.get("binary_data", request.parameters.get("binary_data_output")) is True


def _tensor(output: InferOutput, array: Array, binary: bool) -> tuple[dict[str, Any], bytes | None]:
    """The output's JSON, and its bytes if they follow it."""
    tensor: dict[str, Any] = {"name": output.name, "datatype": name_of(array), "shape": list(array.shape)}
    if binary:
        part = pack(array)
        return {**tensor, "parameters": {"binary_data_size": len(part)}}, part
    return {**tensor, "data": array.reshape(-1).tolist()}, None
