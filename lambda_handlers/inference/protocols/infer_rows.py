"""From the tensors of a request to rows for validation.

An input is one of the graph's tensors, whose columns are features, or one feature by its name. Its datatype
defines how its values are written; the same rules as everywhere check them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from serinus.lambda_handlers.contract.signature import Feature, Signature
from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.protocols.datatypes import unpack
from serinus.lambda_handlers.inference.protocols.infer_request import InferInput, InferRequest, refuse


def read_rows(
    request: InferRequest, parts: Mapping[str, bytes], signature: Signature, max_rows: int
) -> list[tuple[Any, ...]]:
    """Rows in signature order, unchecked, None where missing; raises `Refused` with status 413 or 422. ``parts``
    holds the bytes of binary inputs."""
    rows = _count_rows(request, max_rows)
    columns: dict[str, Sequence[Any]] = {}
    for tensor in request.inputs:
        features = _features_of(tensor, signature)
        values = _values(tensor, parts.get(tensor.name), _row_shape(tensor, features))
        for number, feature in enumerate(features):
            if feature.name in columns:
                raise refuse("appears twice", feature.name)
            column = values if features[0].shape else values[number :: len(features)]
            columns[feature.name] = _adapted(column, feature, tensor)
    return _joined(columns, signature, rows)


def _count_rows(request: InferRequest, max_rows: int) -> int:
    counts = {tensor.shape[0] if tensor.shape else 0 for tensor in request.inputs}
    if len(counts) != 1 or min(counts) < 1:
        raise refuse("the inputs must have the same shape[0], the number of rows, which must be at least 1")
    rows = counts.pop()
    if rows > max_rows:
        raise Refused(problems.too_many_rows(rows, max_rows))
    return rows


def _features_of(tensor: InferInput, signature: Signature) -> list[Feature]:
    features = {feature.name: feature for feature in signature.features}
    for known in signature.addressed_tensors():
        if known.name == tensor.name:
            return [features[name] for name in known.features]
    if tensor.name in features:
        return [features[tensor.name]]
    names = [known.name for known in signature.addressed_tensors()]
    raise refuse(
        f"is not an input of this model, which accepts {', '.join(names[:10])}", problems.echo(tensor.name)
    )


def _row_shape(tensor: InferInput, features: Sequence[Feature]) -> tuple[int, ...]:
    """The shape of a row in ``tensor``, whose own shape must match."""
    expected = features[0].shape or (len(features),)
    actual = tuple(tensor.shape[1:])
    if actual != expected and not (actual == () and expected == (1,)):
        raise refuse(f"shape must be {[-1, *expected]}", tensor.name, f"shape {str(tensor.shape)[:50]}")
    return features[0].shape


def _values(tensor: InferInput, data: bytes | None, row_shape: tuple[int, ...]) -> list[Any]:
    """Row by row; where a row has a shape of its own, one nested list each."""
    flat = _flat(tensor) if data is None else _unpacked(tensor, data)
    if len(flat) != math.prod(tensor.shape):
        raise refuse(
            f"must hold as many values as its shape implies, {math.prod(tensor.shape)}", tensor.name, len(flat)
        )
    for size in reversed(row_shape):
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return flat


def _unpacked(tensor: InferInput, data: bytes) -> list[Any]:
    if tensor.data is not None:
        raise refuse("appears twice: as data, and as bytes", tensor.name)
    try:
        return unpack(tensor.datatype, data)
    except ValueError as error:
        raise refuse(f"cannot be read: {error}", tensor.name) from error


def _flat(tensor: InferInput) -> list[Any]:
    """The values of ``data``, which is flat or nested by the shape."""
    if tensor.data is None:
        raise refuse("has neither data nor binary_data_size", tensor.name)
    flat = tensor.data
    if not flat or not isinstance(flat[0], list):
        return flat
    for count, inner in zip(tensor.shape, tensor.shape[1:], strict=False):
        if len(flat) % count or any(not isinstance(part, list) or len(part) != inner for part in flat):
            raise refuse("data must be flat, or nested by its shape", tensor.name)
        flat = [value for part in flat for value in part]
    return flat


def _adapted(column: Sequence[Any], feature: Feature, tensor: InferInput) -> Sequence[Any]:
    """Values as rows hold them, where a tensor writes them differently: a boolean among numbers, and a missing
    string."""
    if tensor.datatype == "BYTES":
        if feature.missing == "accepted":
            return [None if value == feature.missing_string else value for value in column]
        return column
    if feature.dtype == "bool" and tensor.datatype != "BOOL":
        return [bool(value) if value in (0, 1) else value for value in column]
    return column


def _joined(columns: Mapping[str, Sequence[Any]], signature: Signature, rows: int) -> list[tuple[Any, ...]]:
    ordered = []
    for feature in signature.features:
        if feature.name not in columns and feature.missing != "accepted":
            raise refuse("is required", feature.name)
        ordered.append(columns.get(feature.name, [None] * rows))
    return list(zip(*ordered, strict=True))
