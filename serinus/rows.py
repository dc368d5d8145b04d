"""Rows of Python as the JSON of a request: the endpoint's values exactly, or TypeError by name."""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serinus.lambda_handlers.inference.validation_errors import MOST_NESTED

#: Beyond every number type, and longer than the integers that a request may spell: read as infinity.
_BEYOND = 10**401


def encode_rows(rows: Any, features: Sequence[str]) -> bytes:
    """The body of `POST /predict` for ``rows``; ``features`` are named in errors.

    A pandas DataFrame gives its columns by name, without its index. None, NaN and pandas' other missing values
    become null, NumPy's scalars the numbers that they hold. Raises TypeError for what has no such value.
    """
    return encode_records(plain_records(rows, features))


def plain_records(rows: Any, features: Sequence[str]) -> list[Any]:
    """``rows`` as `json` writes them, by the rules of `encode_rows`."""
    return [_row(number, row) for number, row in enumerate(_listed(rows, features))]


def encode_records(records: Sequence[Any]) -> bytes:
    """The body of `POST /predict` for `plain_records`."""
    body = {"rows": records}
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except (
        UnicodeEncodeError
    ):  # lone surrogates, which the endpoint rejects by row and field where they are escaped
        return json.dumps(body).encode()


def _listed(rows: Any, features: Sequence[str]) -> Any:
    kind = type(rows).__name__
    features = features or ("feature",)
    example = f"[{{{', '.join(f'{name!r}: …' for name in features[:2])}{', …' if len(features) > 2 else ''}}}]"
    if _is_a(rows, "pandas", "DataFrame"):
        return _records(rows)
    if _is_a(rows, "pandas", "Series"):
        raise TypeError("rows is a Series, which is one row or one column. Pass [series.to_dict()] for one row.")
    if _is_a(rows, "numpy", "ndarray"):
        return _table(rows)
    if isinstance(rows, Mapping):
        raise TypeError(f"rows is of type {kind}, which is one row. Pass a list: predict([row])")
    if hasattr(rows, "to_dicts"):
        raise TypeError(f"rows is of type {kind}; pass its rows as dicts: predict(frame.to_dicts())")
    if isinstance(rows, str | bytes | bytearray) or not isinstance(rows, Sequence | Iterator):
        raise TypeError(
            f"rows is of type {kind}; it must be a list of rows, such as {example}, or a pandas DataFrame."
        )
    return rows


def _is_a(value: object, module: str, name: str) -> bool:
    """Whether ``value`` is of that class of a library, which is not imported for the question."""
    library = sys.modules.get(module)
    return library is not None and isinstance(value, getattr(library, name))


def _records(frame: Any) -> Iterator[dict[str, Any]]:
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"column {name!r} of the DataFrame is of type {type(name).__name__}; columns must be the "
                "features' names. Rename them: frame.columns = [...]"
            )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TypeError(f"the DataFrame has several columns {repeated[0]!r}. Leave one of them.")
    columns = [_column(frame[name]) for name in names]
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def _column(series: Any) -> list[Any]:
    return [None if absent else value for value, absent in zip(series.tolist(), series.isna(), strict=True)]


def _table(array: Any) -> Any:
    if array.dtype.names is not None:
        raise TypeError("rows is an array of records; pass a DataFrame: predict(pandas.DataFrame(array))")
    if array.ndim < 2:
        raise TypeError(
            f"rows is an array of shape {list(array.shape)}; it must be [rows, features], in the signature's "
            "order. Pass array.reshape(1, -1) for one row."
        )
    return array.tolist()


def _row(number: int, row: Any) -> Any:
    if _is_a(row, "pandas", "Series"):
        raise TypeError(f"row {number} is a Series; pass series.to_dict(), or the whole DataFrame.")
    if isinstance(row, tuple) and hasattr(row, "_asdict"):
        row = row._asdict()  # its names, for its order need not be the signature's
    if not isinstance(row, Mapping):
        return _plain(row, f"row {number}", 0)
    for name in row:
        if not isinstance(name, str):
            raise TypeError(
                f"row {number} has the key {name!r}, of type {type(name).__name__}; keys are names of features."
            )
    return {name: _plain(value, f"row {number}: {name}", 0) for name, value in row.items()}


def _plain(value: Any, where: str, depth: int) -> Any:
    """``value`` as `json` writes it."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return max(-_BEYOND, min(int(value), _BEYOND))
    if isinstance(value, float):
        return _number(value)
    if depth > MOST_NESTED:
        raise TypeError(f"{where} is nested deeper than {MOST_NESTED} levels; rows never are.")
    if _is_a(value, "numpy", "ndarray"):
        return _plain(value.tolist(), where, depth)
    if isinstance(value, list | tuple):
        return [_plain(item, where, depth + 1) for item in value]
    if isinstance(value, Mapping):  # no feature holds one: the endpoint's rule says so
        return {str(name): _plain(item, where, depth + 1) for name, item in value.items()}
    return _scalar(value, where)


def _scalar(value: Any, where: str) -> Any:
    """A scalar of NumPy or pandas."""
    if _is_a(value, "numpy", "bool_"):
        return bool(value)
    if _is_a(value, "numpy", "integer"):
        return int(value)
    if _is_a(value, "numpy", "floating"):
        return _number(float(value))
    pandas = sys.modules.get("pandas")
    if pandas is not None and (value is pandas.NA or value is pandas.NaT):
        return None
    raise TypeError(
        f"{where} is of type {type(value).__name__}, which no feature holds. Convert it as for training: to a "
        "number, a str, True or False, or None where it is missing."
    )


def _number(value: float) -> Any:
    """NaN is a missing value to pandas and scikit-learn; infinity is a number that the endpoint rejects."""
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else int(math.copysign(1, value)) * _BEYOND
