"""Fits a table to the model: rows like those that the model was trained on, with the features' names as header.

All of the bundle's knowledge of inputs (names, dtypes, ranges, golden set, baseline) comes from here, so a
doubtful sample is rejected rather than guessed at.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.signature import Dtype
from serinus.modelpack.errors import SampleError

#: More rows add nothing to the profile and cost time in the comparison with the source model.
MAX_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Sample:
    """``frame`` holds the features in the model's order: float64, int64, bool or object (strings, NaN where
    missing) columns, as in ``dtypes``; booleans of which some are missing are float64 (0, 1, NaN), as models take
    them. ``target`` is the label column, where one was named."""

    frame: pd.DataFrame
    dtypes: dict[str, Dtype]
    target: "pd.Series[Any] | None"
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.dtypes)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns in the graph's input of numbers, in order."""
        return tuple(name for name, dtype in self.dtypes.items() if dtype != "string" and name not in self.shapes)

    @property
    def strings(self) -> tuple[str, ...]:
        """Columns in the graph's input of strings, in order."""
        return tuple(name for name, dtype in self.dtypes.items() if dtype == "string")


def fit_to_model(
    table: pd.DataFrame,
    *,
    names: tuple[str, ...] | None,
    count: int | None,
    drop: tuple[str, ...] = (),
    target: str | None = None,
    nested: dict[str, Dtype] | None = None,
) -> Sample:
    """The columns of ``table`` that the model was trained on, in its order.

    ``names`` are the names that the model was trained with, or None when it was trained on a bare array of
    ``count`` columns; then the header names them, by position. ``nested`` holds the columns that are tensors.
    Raises `SampleError` on any mismatch.
    """
    for column in (*drop, *((target,) if target else ())):
        if column not in table.columns:
            raise SampleError(f"the sample has no column {column!r}; it has {_listed(table.columns)}.")
    features = table.drop(columns=[*drop, *((target,) if target and target not in drop else ())])
    if names is not None:
        features = _select(features, names)
    elif count is not None and count != len(features.columns):
        raise SampleError(
            f"the model requires {count} features; the sample has {len(features.columns)} columns: "
            f"{_listed(features.columns)}. {_hint(features.columns[count:])}"
        )
    _check_names(map(str, features.columns))
    if target is not None:
        _check_labels(target, table[target])
    nested = nested or {}
    shapes: dict[str, tuple[int, ...]] = {}
    columns: dict[str, tuple[Dtype, pd.Series[Any]]] = {}
    for name in map(str, features.columns):
        if name in nested:
            shapes[name], values = _tensors(name, features[name], nested[name])
            columns[name] = nested[name], values
        else:
            columns[name] = _column(name, features[name])
    return Sample(
        shapes=shapes,
        frame=pd.DataFrame({name: values for name, (_, values) in columns.items()}),
        dtypes={name: dtype for name, (dtype, _) in columns.items()},
        target=table[target].reset_index(drop=True) if target else None,
    )


def _check_labels(name: str, labels: "pd.Series[Any]") -> None:
    missing = labels.isna().to_numpy()
    if missing.any():
        raise SampleError(
            f"label column {name!r} is empty in {int(missing.sum())} of {len(labels)} rows, first in row "
            f"{int(missing.argmax())}. Leave those rows out, or leave out the labels: --drop {name}."
        )


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise SampleError(
                f"the feature {name!r} has half of a character (a lone surrogate) in its name, which no "
                "request can hold. Rename the column, and train the model again."
            ) from error


def _select(features: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    missing = [name for name in names if name not in features.columns]
    if missing:
        raise SampleError(
            f"the sample lacks {_listed(missing)}, which the model was trained with; "
            f"it has {_listed(features.columns)}. Add the columns under the names used in training."
        )
    extra = [name for name in features.columns if name not in names]
    if extra:
        raise SampleError(f"the sample has columns that the model does not use: {_listed(extra)}. {_hint(extra)}")
    return features[list(names)]


def _hint(extra: object) -> str:
    names = [str(name) for name in extra] if isinstance(extra, (list, pd.Index)) else []
    if not names:
        return "Pass the columns that the model was trained with, in order."
    return f"If it is the label: --target {names[-1]}; to leave columns out: " + " ".join(
        f"--drop {name}" for name in names
    )


def _column(name: str, values: "pd.Series[Any]") -> "tuple[Dtype, pd.Series[Any]]":
    """The column's dtype, and its values as the plain numpy dtype of that kind."""
    values = values.reset_index(drop=True)
    missing = values.isna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        kind = values.cat.categories.dtype
        gaps: Any = np.float64 if kind.kind in "iu" else object
        values = values.astype(gaps if missing.any() and kind.kind in "iub" else kind)
    if missing.all():
        raise SampleError(f"sample column {name!r} is empty in all {len(values)} rows. Fill in some values.")
    if _are_booleans(values, missing):
        if missing.any():
            return "bool", pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return "bool", values.astype(bool)
    if pd.api.types.is_integer_dtype(values.dtype) and not missing.any():
        return "int64", values.astype(np.int64)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "float64", _finite(name, pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan)))
    kinds = {type(value) for value in values[~missing]}
    if kinds == {str}:
        return "string", pd.Series(np.where(missing, np.nan, values.to_numpy(dtype=object)), dtype=object)
    if kinds == {int}:
        row = next(place for place, value in enumerate(values) if not missing[place] and abs(value) >= 2**63)
        raise SampleError(
            f"sample column {name!r} holds {str(values[row])[:40]} in row {row}; whole numbers of 64 bits are "
            "supported. Use a float, or leave it out."
        )
    shown = sorted(kind.__name__ for kind in kinds)
    raise SampleError(
        f"sample column {name!r} holds {', '.join(shown)} (dtype {values.dtype}); numbers, booleans and strings "
        "are supported. Convert it to one of them before training, or leave it out."
    )


def _are_booleans(values: "pd.Series[Any]", missing: "pd.Series[bool]") -> bool:
    if pd.api.types.is_bool_dtype(values.dtype):
        return True
    return values.dtype == object and all(isinstance(value, (bool, np.bool_)) for value in values[~missing])


def _tensors(name: str, values: "pd.Series[Any]", dtype: Dtype) -> "tuple[tuple[int, ...], pd.Series[Any]]":
    """The shape that all values share, and the values as nested lists; from lists, or JSON text in a CSV file."""
    try:
        read = [json.loads(value) if isinstance(value, str) else value for value in values]
        array = np.array([_unwrapped(value) for value in read], dtype=np.dtype(dtype))
    except (ValueError, TypeError) as error:
        raise SampleError(
            f"sample column {name!r} does not hold tensors of one shape ({error}). Use nested lists of numbers, "
            "equally long in every row: in Parquet, or as JSON text in CSV."
        ) from error
    if array.ndim < 2:
        raise SampleError(
            f"sample column {name!r} holds single values; the model requires lists, such as [1.0, 2.0, …]."
        )
    return array.shape[1:], pd.Series(array.tolist(), dtype=object)


def _unwrapped(value: Any) -> Any:
    """Parquet is read as arrays of arrays."""
    return [_unwrapped(item) for item in value] if isinstance(value, (list, np.ndarray)) else value


def _finite(name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        raise SampleError(
            f"sample column {name!r} is infinite in row {int(infinite.argmax())}. "
            "JSON has no infinity, so no request could hold it. Use a finite value, or leave it empty."
        )
    return values.astype(object).astype(np.float64)


def _listed(names: object) -> str:
    items = [repr(str(name)) for name in names]  # type: ignore[attr-defined]
    return ", ".join(items[:12]) + (f" and {len(items) - 12} more" if len(items) > 12 else "")
