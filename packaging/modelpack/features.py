"""The values that each feature accepts, determined by predicting with the model rather than by reading its parts.

Whether a model accepts a missing or an unseen value depends on every step before it; trying one is the only sure
test.
"""

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.signature import (
    Dtype,
    Feature,
    Output,
    OutputRole,
    Signature,
    Tensor,
    TextAnalysis,
)
from serinus.modelpack.errors import ModelpackError
from serinus.modelpack.robustness.id_ranges import find_id_range
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Category, Source
from serinus.modelpack.sources.source import MISSING_STRING

#: Numbers of a nested value that the signature still shows as an example.
LARGEST_EXAMPLE = 1000
#: Values that no model was trained on.
UNSEEN_STRING = "(a value never seen)"
UNSEEN_NUMBER = -987_654_321
_ROLES: dict[str, OutputRole] = {"label": "label", "probabilities": "probabilities", "value": "value"}
_ONNX_TYPES = {
    "float": "float32",
    "double": "float64",
    "int32": "int32",
    "int64": "int64",
    "bool": "bool",
    "string": "string",
}


def describe_features(source: Source, sample: Sample) -> tuple[Feature, ...]:
    """The features of a request, in the model's order."""
    categories = source.categories(sample.names)
    rows = _probe_rows(sample)
    return tuple(_feature(source, sample, rows, name, categories.get(name)) for name in sample.names)


def _accepts_unseen(source: Source, rows: pd.DataFrame, name: str, is_string: bool, is_encoded: bool) -> bool:
    """Always true for numbers that no encoder knows by value."""
    if not is_string and not is_encoded:
        return True
    return accepts(source, rows, name, UNSEEN_STRING if is_string else UNSEEN_NUMBER)


def build_signature(
    source: Source,
    sample: Sample,
    features: tuple[Feature, ...],
    types: dict[str, str],
    shapes: dict[str, tuple[int, ...]],
    string_inputs: dict[str, tuple[tuple[str, ...], TextAnalysis | None]],
) -> Signature:
    """The signature of a graph whose outputs have ONNX ``types``, and ``shapes`` by row (empty: one value).
    ``string_inputs`` maps each input of strings to its features, and how their texts are analysed."""
    tensors = []
    if sample.numbers:
        tensors.append(Tensor("numbers", "float64", sample.numbers))
    tensors += [Tensor(name, "string", *described) for name, described in string_inputs.items()]
    tensors += [Tensor(name, sample.dtypes[name], (name,)) for name in sample.shapes]
    outputs = tuple(
        Output(
            name=name,
            dtype=_ONNX_TYPES[kind.removeprefix("tensor(").removesuffix(")")],  # type: ignore[arg-type]
            role=_ROLES.get(name, "tensor"),
            shape=(None, *shapes[name]),
        )
        for name, kind in types.items()
    )
    return Signature(
        task=source.task,
        features=features,
        tensors=tuple(tensors),
        outputs=outputs,
        classes=source.classes,
        target_classes=getattr(source, "target_classes", None),
    )


def accepts(source: Source, rows: pd.DataFrame, name: str, value: Any) -> bool:
    """Whether the model predicts, rather than fails, with ``value`` in column ``name``."""
    tried = rows.copy()
    tried[name] = pd.Series([value] * len(rows), dtype=object if isinstance(value, str) else np.float64)
    if rows[name].dtype == object and not isinstance(value, str):
        tried[name] = tried[name].astype(object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            outputs = source.predict(tried)
        except ModelpackError:
            raise
        except Exception:  # noqa: BLE001 - any failure means that the value is refused
            return False
    return all(bool(np.isfinite(values).all()) for values in outputs.values() if values.dtype.kind == "f")


def _probe_rows(sample: Sample) -> pd.DataFrame:
    """Complete rows, so that only the tried value can fail; filled ones where none is complete."""
    complete = sample.frame.dropna()
    if len(complete):
        return complete.head(2).reset_index(drop=True)
    filled = sample.frame.bfill().ffill()
    return filled.head(2).reset_index(drop=True)


def _feature(
    source: Source, sample: Sample, rows: pd.DataFrame, name: str, learnt: tuple[Category, ...] | None
) -> Feature:
    values = sample.frame[name]
    lowest, highest = find_id_range(source, sample, name)
    if name in sample.shapes:
        return Feature(
            name,
            sample.dtypes[name],
            shape=sample.shapes[name],
            example=values.iloc[0] if math.prod(sample.shapes[name]) <= LARGEST_EXAMPLE else None,
            lowest=lowest,
            highest=highest,
        )
    present = values.dropna()
    is_string = sample.dtypes[name] == "string"
    missing = accepts(source, rows, name, np.nan)
    unseen = _accepts_unseen(source, rows, name, is_string, learnt is not None)
    categories = learnt
    if sample.dtypes[name] == "bool" and learnt is not None:
        categories = tuple(bool(value) for value in learnt)
    if is_string and not unseen and learnt is None:
        categories = tuple(sorted(set(present)))
    is_number = sample.dtypes[name] in ("float64", "int64")
    return Feature(
        name=name,
        dtype=sample.dtypes[name],
        categories=categories,
        unseen="accepted" if unseen else "refused",
        missing="accepted" if missing else "refused",
        missing_string=MISSING_STRING if is_string and missing else "",
        minimum=float(present.min()) if is_number else None,
        maximum=float(present.max()) if is_number else None,
        example=request_value(present.iloc[0], sample.dtypes[name]),
        lowest=lowest,
        highest=highest,
    )


def request_value(value: Any, dtype: Dtype) -> Any:
    """A cell of a feature of ``dtype`` as in a request: its column may be of floats, where another cell of it is
    missing."""
    plain = to_json_value(value)
    if plain is None or isinstance(plain, (str, list)):
        return plain
    return int(plain) if dtype == "int64" else bool(plain) if dtype == "bool" else plain


def to_json_value(value: Any) -> Any:
    """A cell as in a request: None where missing, else a plain Python value."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
