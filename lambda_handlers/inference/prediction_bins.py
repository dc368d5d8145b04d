"""Into which of few bins a request's prediction falls, so that counts can compare two versions' predictions.

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
    """A function from outputs, in signature order, to the `prediction_value` of the first row's bin: of the label
    by its place among the classes, else of the value by the deciles of ``baseline``; None where neither is."""
    roles = [output.role for output in signature.outputs]
    if signature.classes is not None and "label" in roles:
        return _class_bin(roles.index("label"), signature.classes)
    if "value" in roles:
        number = roles.index("value")
        if deciles := _deciles(baseline.get("outputs", {}).get(signature.outputs[number].name, {})):
            return _decile_bin(number, deciles)
    return lambda _outputs: None


def _class_bin(number: int, classes: Sequence[Any]) -> Callable[[Sequence[Array]], int | None]:
    places = {label: prediction_value(min(place, PREDICTION_BINS - 1)) for place, label in enumerate(classes)}

    def place(outputs: Sequence[Array]) -> int | None:
        return places.get(outputs[number].item(0))

    return place


def _decile_bin(number: int, deciles: Sequence[float]) -> Callable[[Sequence[Array]], int | None]:
    def place(outputs: Sequence[Array]) -> int | None:
        value = outputs[number].item(0)
        return None if math.isnan(value) else prediction_value(bisect_right(deciles, value))

    return place


def _deciles(profile: Mapping[str, Any]) -> list[float]:
    """Those of the output, of its first target where it has several; none where no number was seen."""
    if profile.get("kind") == "columns":
        profile = next(iter(profile["columns"].values()), {})
    return list(profile.get("deciles", ()))
