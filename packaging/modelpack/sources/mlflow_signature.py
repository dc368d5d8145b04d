"""Reads an MLflow model's input signature (names and types of columns) and its input example.

https://mlflow.org/docs/latest/ml/model/signatures/
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from serinus.modelpack.errors import SampleError, SourceError, first_line

#: Fewer rows are too few for agreement and a baseline; MLflow's examples often have five.
LEAST_ROWS = 20
_REALS = ("double", "float")
_WHOLE = ("long", "integer")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a signature; ``type`` is MLflow's: double, long, string and so on."""

    name: str
    type: str


def read_columns(document: dict[str, Any]) -> tuple[Column, ...] | None:
    """The named columns of MLmodel's signature. A signature is optional, and one of tensors names no columns: None
    then."""
    try:
        listed = json.loads(document["signature"]["inputs"])
        return tuple(Column(str(item["name"]), str(item["type"])) for item in listed) or None
    except (KeyError, TypeError, ValueError):
        return None


def strings_of(columns: tuple[Column, ...] | None) -> tuple[str, ...]:
    """Columns that are text even where their values look like numbers."""
    return tuple(column.name for column in columns or () if column.type == "string")


def apply_types(table: pd.DataFrame, columns: tuple[Column, ...] | None) -> pd.DataFrame:
    """The table with the signature's number types: whole numbers of a double column become floats, and floats of
    an integer column become integers where none is lost."""
    typed = table.copy()
    for column in columns or ():
        if column.name not in typed.columns:
            continue
        values = typed[column.name]
        if column.type in _REALS and pd.api.types.is_integer_dtype(values.dtype):
            typed[column.name] = values.astype("float64")
        elif column.type in _WHOLE and _is_whole(values):
            typed[column.name] = values.astype("int64")
    return typed


def _is_whole(values: "pd.Series[Any]") -> bool:
    return pd.api.types.is_float_dtype(values.dtype) and bool((values.notna() & (values % 1 == 0)).all())


def read_example(path: Path, columns: tuple[Column, ...] | None) -> pd.DataFrame:
    """The input example as a table; raises `SourceError` where it is not a table, and `SampleError` where it is
    too small to serve as a sample."""
    try:
        table = _table(json.loads(path.read_bytes()), columns)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(
            f"input example {path} is not a table ({first_line(error)}). Pass rows with --sample."
        ) from error
    if len(table) < LEAST_ROWS:
        raise SampleError(
            f"input example {path} has {len(table)} rows; at least {LEAST_ROWS} are required to show agreement "
            "and to measure drift. Pass rows like those that the model will see: --sample sample.csv"
        )
    return table


def _table(data: Any, columns: tuple[Column, ...] | None) -> pd.DataFrame:
    """Rows in any form that MLflow saves: a frame split or by records, an array, or columns by name."""
    if isinstance(data, list):
        return pd.DataFrame(data)
    for key in ("dataframe_split", "dataframe_records"):
        if key in data:
            data = data[key]
    if isinstance(data, list):
        return pd.DataFrame(data)
    if "data" in data:
        return pd.DataFrame(data["data"], columns=data.get("columns") or _positions(data["data"], columns))
    inputs = data["inputs"]
    if isinstance(inputs, dict):
        return pd.DataFrame(inputs)
    return pd.DataFrame(inputs, columns=_positions(inputs, columns))


def _positions(rows: list[Any], columns: tuple[Column, ...] | None) -> list[str]:
    if columns:
        return [column.name for column in columns]
    return [f"feature_{index}" for index in range(len(rows[0]))]
