"""Assigns a request's prediction to one of few bins, so that counts can compare two versions' predictions.

Only the first row counts: rows of one request are alike, and the judge compares requests.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serinus.lambda_handlers.contract.prediction_bins import KEY
from serinus.lambda_handlers.contract.signals import PREDICTION_BINS, prediction_value
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.tensors import Array


def compile_bins(signature: Signature, baseline: Mapping[str, Any]) -> Callable[[Sequence[Array]], int | None]:
    """A function from outputs, in signature order, to the `prediction_value` of the first row's bin, as the
    bundle's ``baseline`` defines bins; None where it defines none."""
    bins = baseline.get(KEY)
    if not bins:
        return lambda _outputs: None
    number = [output.name for output in signature.outputs].index(bins["output"])
    if "edges" in bins:
        return _number_bin(number, bins["edges"])
    return _class_bin(number, signature.classes or ())


def _class_bin(number: int, classes: Sequence[Any]) -> Callable[[Sequence[Array]], int | None]:
    bins = {label: prediction_value(min(index, PREDICTION_BINS - 1)) for index, label in enumerate(classes)}

    def bin_of(outputs: Sequence[Array]) -> int | None:
        return bins.get(outputs[number].item(0))

    return bin_of


def _number_bin(number: int, edges: Sequence[float]) -> Callable[[Sequence[Array]], int | None]:
    def bin_of(outputs: Sequence[Array]) -> int | None:
        value = outputs[number].item(0)
        return None if math.isnan(value) else prediction_value(bisect_right(edges, value))

    return bin_of
