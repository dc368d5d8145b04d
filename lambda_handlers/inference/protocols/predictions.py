"""Outputs for MLflow's and SageMaker's clients: `predictions`, one entry for each row, or a CSV table.

The entry is the label or the value. If a model has neither, it is an object of the outputs by name.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.columns import field_of
from serinus.lambda_handlers.contract.signature import Output
from serinus.lambda_handlers.inference.tensors import Array


def write_json(manifest: Manifest, arrays: Sequence[Array]) -> bytes:
    """{"predictions": [...]}; for classifiers also ``classes`` and ``probabilities``."""
    signature = manifest.signature
    named = {
        field_of(output, signature.outputs): array for output, array in zip(signature.outputs, arrays, strict=True)
    }
    main = named.get("labels", named.get("values"))
    response: dict[str, Any] = {}
    if main is not None:
        response["predictions"] = _by_row(main)
    else:
        columns = [_by_row(array) for array in arrays]
        names = [output.name for output in signature.outputs]
        response["predictions"] = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if signature.classes is not None and "probabilities" in named:
        response["classes"] = signature.classes
        response["probabilities"] = named["probabilities"].tolist()
    return msgspec.json.encode(response)


def write_csv(manifest: Manifest, arrays: Sequence[Array]) -> bytes:
    """A header, then a line for each row: `prediction` first, probabilities by class, all else by output and
    index. A number that is not finite is an empty cell."""
    signature = manifest.signature
    columns: list[tuple[str, list[Any]]] = []
    for output, array in zip(signature.outputs, arrays, strict=True):
        columns += _columns(manifest, output, array)
    columns.sort(key=lambda column: not column[0].startswith("prediction"))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip(*(values for _, values in columns), strict=True))
    return text.getvalue().encode()


def _by_row(array: Array) -> list[Any]:
    flat = array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array
    return flat.tolist()


def _columns(manifest: Manifest, output: Output, array: Array) -> Iterator[tuple[str, list[Any]]]:
    signature = manifest.signature
    table = array.reshape(len(array), -1)
    suffixes: Sequence[object] = range(table.shape[1])
    match field_of(output, signature.outputs):
        case "labels" | "values":
            name = "prediction"
        case "probabilities" if signature.classes is not None and len(signature.classes) == table.shape[1]:
            name, suffixes = "probability", signature.classes
        case _:
            name = output.name
    for number, suffix in enumerate(suffixes):
        column = table[:, number]
        values = column.tolist()
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            values = [value if np.isfinite(value) else None for value in values]
        yield (name if table.shape[1] == 1 else f"{name}_{suffix}"), values
