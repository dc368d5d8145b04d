"""Assigns a request's prediction to one of few bins, so that counts can compare two versions' predictions.

Only the first row counts: rows of one request are alike, and the judge compares requests.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serinus.lambda_handlers.contract.signals import PREDICTION_BINS, prediction_value
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.tensors import Array


def compile_bins(signature: Signature, baseline: Mapping[str, Any]) -> Callable[[Sequence[Array]], int | None]:
    """A function from outputs, in signature order, to the `prediction_value` of the first row's bin: the label's
    index among the classes, or else the value's decile in ``baseline``; None without either."""
    roles = [output.role for output in signature.outputs]
    if signature.classes is not None and "label" in roles:
        return _class_bin(roles.index("label"), signature.classes)
    if "value" in roles:
        number = roles.index("value")
        if deciles := _deciles(baseline.get("outputs", {}).get(signature.outputs[number].name, {})):
            return _decile_bin(number, deciles)
    return lambda _outputs: None


def _class_bin(number: int, classes: Sequence[Any]) -> Callable[[Sequence[Array]], int | None]:
    bins = {label: prediction_value(min(index, PREDICTION_BINS - 1)) for index, label in enumerate(classes)}

    def bin_of(outputs: Sequence[Array]) -> int | None:
        return bins.get(outputs[number].item(0))

    return bin_of


def _decile_bin(number: int, deciles: Sequence[float]) -> Callable[[Sequence[Array]], int | None]:
    def bin_of(outputs: Sequence[Array]) -> int | None:
        value = outputs[number].item(0)
        return None if math.isnan(value) else prediction_value(bisect_right(deciles, value))

    return bin_of


def _deciles(profile: Mapping[str, Any]) -> list[float]:
    """The output's deciles, of its first target if it has several; empty if no number was seen."""
    if profile.get("kind") == "columns":
        profile = next(iter(profile["columns"].values()), {})
    return list(profile.get("deciles", ()))
