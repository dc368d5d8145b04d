"""Ranks weights by the accuracy that rounding them costs, measured one by one on rows of the sample."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.quantization.stored_weights import find_weights

#: The largest tensors are measured; each costs a session, and the writing of a graph.
_MOST_TENSORS, _FEWEST_TENSORS, _MOST_WRITTEN_BYTES = 16, 4, 1_000_000_000

Outputs = dict[str, npt.NDArray[Any]]


def rank_by_cost(
    model: bytes, store: Callable[[bytes, tuple[str, ...]], bytes | None], run: Callable[[bytes], Outputs]
) -> list[str]:
    """Names of weights, the costliest for each byte saved first. ``store`` rounds all weights but those named;
    ``run`` returns a graph's outputs for the rows that are measured."""
    import onnx

    weights = find_weights(onnx.load_from_string(model))
    names = sorted(weights, key=lambda name: -weights[name].size)
    names = names[: max(_FEWEST_TENSORS, min(_MOST_TENSORS, _MOST_WRITTEN_BYTES // len(model)))]
    if len(names) < 2:
        return []
    exact = run(model)
    costs = {}
    for name in names:
        rounded = store(model, tuple(other for other in weights if other != name))
        if rounded is not None:
            costs[name] = distance(exact, run(rounded)) / weights[name].size
    return sorted(costs, key=lambda name: -costs[name])


def distance(expected: Outputs, actual: Outputs) -> float:
    """The mean squared difference of all numbers, in units of their spread."""
    total = 0.0
    for name, values in expected.items():
        if values.dtype.kind == "f":
            a, b = values.astype(np.float64), actual[name].astype(np.float64)
            total += float(np.nan_to_num(np.square(a - b)).mean()) / (float(np.nanvar(a)) or 1.0)
    return total
