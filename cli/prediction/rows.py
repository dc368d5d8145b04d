"""The rows of a file: a JSON list as it is, or a table, checked against the signature of the served model."""

import csv
import json
import math
import shlex
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.prediction.sending import describe_infinite
from serinus.cli.request_values import as_request_value
from serinus.lambda_handlers.contract.signature import Feature, Signature

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".parquet")
#: Columns that an error names.
_LISTED = 12


def is_table(path: Path) -> bool:
    """Whether ``path`` is read as a table, by its suffix."""
    return path.suffix.lower() in TABLES


def read_json_rows(path: Path) -> list[Any]:
    """The rows in ``path``, JSON or JSON lines; raises `CliError` if it holds none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".jsonl":
            rows: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            rows = json.loads(text)
    except FileNotFoundError as error:
        raise CliError(f"{path} does not exist. --data names the file with the rows.") from error
    except (ValueError, OSError, RecursionError) as error:
        raise CliError(f"{path} cannot be read as {path.suffix or '.json'}: {error}") from error
    if isinstance(rows, dict):
        rows = rows.get("rows", [rows])
    if not isinstance(rows, list) or not rows:
        raise CliError(f"{path} holds no rows. It must hold a list of records, or {{'rows': [...]}}.")
    return rows


def drop_fields(rows: list[Any], drop: Sequence[str]) -> list[Any]:
    """``rows`` without the fields ``drop``; rows that are arrays stay."""
    return [
        {name: value for name, value in row.items() if name not in drop} if isinstance(row, dict) else row
        for row in rows
    ]


class RequestTable:
    """The rows of a CSV or Parquet file for one model: ``frame`` holds every column of the file, also the dropped
    ones, and `rows` the model's features alone."""

    def __init__(self, path: Path, signature: Signature, drop: Sequence[str]) -> None:
        """Raises `WrongUsage` for columns that do not fit, and `SampleError` for what is no table."""
        from serinus.modelpack.tables import read_table, texts_of

        require_pandas()
        features = {feature.name: feature for feature in signature.features}
        others = dict.fromkeys((name for name in _csv_header(path) if name not in features), ())
        self.frame: pd.DataFrame = read_table(
            path, {**others, **texts_of(signature)}, most_rows=None, kind="--data"
        )
        _require_columns(path, list(map(str, self.frame.columns)), signature, drop)
        self._features = signature.features
        self._absent = [name for name in features if name in drop or name not in self.frame.columns]

    def __len__(self) -> int:
        return len(self.frame)

    def rows(self, start: int, stop: int) -> list[list[Any]]:
        """The rows from ``start`` up to, without, ``stop``, as arrays in the signature's order. Raises `CliError`
        for an infinite number."""
        part = self.frame.iloc[start:stop]
        columns = [
            [None] * len(part) if feature.name in self._absent else _values(feature, part[feature.name])
            for feature in self._features
        ]
        for feature, values in zip(self._features, columns, strict=True):
            for row, value in enumerate(values, start):
                if isinstance(value, float) and math.isinf(value):
                    raise CliError(describe_infinite(row, feature.name, value))
        return [list(row) for row in zip(*columns, strict=True)]


def require_pandas() -> None:
    """`CliError` when the packages that read and write tables are not installed."""
    if any(find_spec(name) is None for name in ("pandas", "pyarrow")):
        raise CliError(
            "tables need an extra that is not installed: pip install 'serinus[sklearn]'. Without it, --data reads "
            ".json and .jsonl."
        )


def _csv_header(path: Path) -> list[str]:
    """The columns of a CSV file; none for what is not one, which `read_table` reports."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (OSError, ValueError, csv.Error):
        return []


def _require_columns(path: Path, columns: list[str], signature: Signature, drop: Sequence[str]) -> None:
    names = signature.feature_names()
    if unknown := [name for name in drop if name not in columns]:
        raise WrongUsage(f"--drop {unknown[0]}: {path} has no such column; it has {_listed(columns)}.")
    required = [feature.name for feature in signature.features if feature.missing == "refused"]
    if missing := [name for name in required if name not in columns or name in drop]:
        raise WrongUsage(
            f"{path} lacks {_listed(missing)}, which the model requires; it has {_listed(columns)}. Add the "
            "columns under the names used in training."
        )
    if unused := [name for name in columns if name not in names and name not in drop]:
        options = " ".join(f"--drop {shlex.quote(name)}" for name in unused)
        raise WrongUsage(f"{path} has columns that the model does not use: {_listed(unused)}. Add {options}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more


def _values(feature: Feature, column: "pd.Series[Any]") -> list[Any]:
    from serinus.modelpack.features import to_json_value

    if column.dtype.kind == "f" and feature.dtype.startswith("float"):  # by far the most cells of most tables
        numbers: list[float] = column.tolist()
        return [None if math.isnan(number) else number for number in numbers]
    return [as_request_value(feature, _plain(feature, to_json_value(value))) for value in column]


def _number(text: str) -> Any:
    """A cell of numbers among which one is none, for which pandas leaves all as text; ``text`` itself if it is
    that one."""
    if text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(text) if text.strip().lstrip("+-").isdecimal() else number


def _plain(feature: Feature, value: Any) -> Any:
    """Tensors as nested lists, from arrays or from JSON text in a CSV file; what JSON does not have as text."""
    import pandas as pd

    if feature.shape and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value  # the endpoint says what is wrong with it
    if hasattr(value, "tolist"):
        return [_plain(feature, item) for item in value.tolist()]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str) and feature.dtype != "string":
        return _number(value)
    return value if isinstance(value, (str, int, float, bool, list)) else str(value)
