"""A request of the Open Inference Protocol: JSON, with tensors within it or as bytes behind it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.http import Request
from serinus.lambda_handlers.inference.problems import Fault
from serinus.lambda_handlers.inference.protocols.datatypes import KNOWN
from serinus.lambda_handlers.inference.validation_errors import parse

#: Length of the body's JSON, if tensors' bytes follow; responses have the same header.
HEADER_JSON_BYTES = "inference-header-content-length"
#: Parameters that would change the response if they were supported.
_UNSUPPORTED = ("classification", "sequence_id", "sequence_start", "sequence_end", "shared_memory_region")


class InferInput(msgspec.Struct, frozen=True):
    """One tensor: ``data`` nested or flat, or bytes behind the JSON."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] | None = None


class InferOutput(msgspec.Struct, frozen=True):
    """A requested output."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, frozen=True):
    """The JSON of a request. Members that the protocol does not define are ignored, as it requires."""

    inputs: list[InferInput]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[InferOutput] = []


def refuse(rule: str, field: str | None = None, value: Any = msgspec.UNSET) -> Refused:
    """An invalid request, by one fault."""
    return Refused(problems.invalid_request((Fault(rule, field=field, value=value),), 0))


def read_request(request: Request) -> tuple[InferRequest, dict[str, bytes]]:
    """The inference request, and the bytes of each binary input; raises `Refused` with status 400 or 422."""
    length = _json_length(request)
    document = parse(request.body[:length])
    try:
        inference = msgspec.convert(document, InferRequest)
    except msgspec.ValidationError as error:
        raise refuse(f"is not an inference request: {error}") from error
    _refuse_unsupported("the request", inference.parameters)
    for output in inference.outputs:
        _refuse_unsupported(output.name, output.parameters)
    for tensor in inference.inputs:
        _refuse_unsupported(tensor.name, tensor.parameters)
        if tensor.datatype not in KNOWN:
            raise refuse(
                f"datatype must be one of {', '.join(KNOWN)}", problems.echo(tensor.name), tensor.datatype[:64]
            )
    return inference, _split(inference, request.body[length:])


def _json_length(request: Request) -> int:
    text = request.header(HEADER_JSON_BYTES)
    if text is None:
        return len(request.body)
    if len(text) <= 10 and text.isascii() and text.isdecimal() and int(text) <= len(request.body):
        return int(text)
    detail = f"{HEADER_JSON_BYTES} is {problems.echo(text)!r}; the body has {len(request.body)} bytes."
    raise Refused(problems.malformed_body(detail))


def _refuse_unsupported(where: str, parameters: Mapping[str, Any]) -> None:
    for name in _UNSUPPORTED:
        if name in parameters:
            raise refuse(f"parameter {name} is not supported", problems.echo(where))


def _split(request: InferRequest, data: bytes) -> dict[str, bytes]:
    parts, start = {}, 0
    for tensor in request.inputs:
        size = tensor.parameters.get("binary_data_size")
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(data) - start:
            rule = (
                f"binary_data_size must be an integer of bytes that follow the JSON; {len(data) - start} are left"
            )
            raise refuse(rule, problems.echo(tensor.name), problems.echo(size))
        parts[tensor.name] = data[start : start + size]
        start += size
    if start != len(data):
        raise refuse(f"{len(data) - start} bytes behind the JSON belong to no input")
    return parts
