"""Reads tables from CSV and Parquet files: samples, holdouts, traffic and rows to predict.

CSV has no types. Pandas guesses them, so that postal codes, "True" and "NA" would lose what they are; the model
says which columns are text.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from serinus.lambda_handlers.contract.signature import Signature
from serinus.modelpack.errors import SampleError
from serinus.modelpack.sample import MAX_ROWS

#: Columns that are text, by name, with the texts that are known; None where every cell is text, also an empty one.
Texts = Mapping[str, Sequence[str] | None]
#: No endpoint would accept a row of more values.
MAX_COLUMNS = 20_000


def read_table(
    path: Path, texts: Texts | None = None, *, most_rows: int | None = MAX_ROWS + 1, kind: str = "sample"
) -> pd.DataFrame:
    """The table in CSV or Parquet file ``path``: its first `MAX_ROWS`, and one more where there are more, or
    ``most_rows``; None for all. Errors call it ``kind``. Columns ``texts`` of a CSV file are read as text,
    whatever it looks like; a cell such as "NA" is missing unless it is among the column's texts.

    Raises `SampleError` when it is not a table or has no rows.
    """
    if not path.is_file():
        raise SampleError(f"{kind} {path} is not a file. Pass a CSV or Parquet file with a header.")
    try:
        frame = (
            _read_parquet(path, most_rows, kind)
            if is_parquet(path)
            else _read_csv(path, texts or {}, most_rows, kind)
        )
    except UnicodeDecodeError as error:
        raise SampleError(
            f"{kind} {path} is not UTF-8 (byte {error.object[error.start]:#04x} at {error.start}). "
            "Save it as UTF-8, or as Parquet."
        ) from error
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise SampleError(f"{kind} {path} cannot be read: {reason}. Pass a CSV or Parquet file.") from error
    if frame.empty:
        raise SampleError(f"{kind} {path} has a header but no rows. Add rows like the training data's.")
    return frame


def texts_of(signature: Signature) -> Texts:
    """The text columns of a packaged model. Where none may be missing, every cell is text, as the endpoint reads
    it."""
    return {
        feature.name: None if feature.missing == "refused" else tuple(map(str, feature.categories or ()))
        for feature in signature.features
        if feature.dtype == "string"
    }


def read_header(path: Path) -> list[str]:
    """The columns of CSV file ``path``, empty where it is empty."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def is_parquet(path: Path) -> bool:
    """Whether the content of ``path`` is Parquet."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _read_parquet(path: Path, most_rows: int | None, kind: str) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    frame = frame if most_rows is None else frame.head(most_rows)
    frame.columns = [str(column) for column in frame.columns]
    _check_header(path, list(frame.columns), kind)
    return frame


def _read_csv(path: Path, texts: Texts, most_rows: int | None, kind: str) -> pd.DataFrame:
    header = read_header(path)
    if not header:
        raise SampleError(f"{kind} {path} is empty. Add a header and rows like the training data's.")
    if len(header) == 1 and (separator := next((mark for mark in ";\t|" if mark in header[0]), None)) is not None:
        raise SampleError(
            f"{kind} {path} seems to be separated by {separator!r}: its header is {header[0][:60]!r}. Save it "
            "with commas, or as Parquet."
        )
    _check_header(path, header, kind)
    # Pandas decides which cells are missing: most training data was read by it too.
    settings: dict[str, Any] = {"encoding": "utf-8-sig", "nrows": most_rows, "low_memory": False}
    texts = {name: values for name, values in texts.items() if name in header}
    frame: pd.DataFrame = pd.read_csv(path, dtype=dict.fromkeys(texts, str), **settings)
    if not isinstance(frame.index, pd.RangeIndex):
        # Pandas took the first values of each row for row labels.
        more = frame.index.nlevels
        raise SampleError(
            f"{kind} {path} has {len(header)} names in its header and {len(header) + more} values in row 1. Name "
            "every column, and remove delimiters at the ends of rows."
        )
    doubtful = [name for name, values in texts.items() if values != () and frame[name].isna().any()]
    if doubtful:
        cells = pd.read_csv(path, usecols=doubtful, dtype=str, na_filter=False, **settings)
        for name in doubtful:
            values = texts[name]
            kept = cells[name] if values is None else cells[name].where(cells[name].isin(values), frame[name])
            frame[name] = kept
    return frame


def _check_header(path: Path, header: list[str], kind: str) -> None:
    if len(header) > MAX_COLUMNS:
        raise SampleError(
            f"{kind} {path} has {len(header)} columns; the limit is {MAX_COLUMNS}. Pass the features alone, or a "
            "tensor as one column of nested lists."
        )
    seen: set[str] = set()
    for position, name in enumerate(header, 1):
        if not name.strip():
            raise SampleError(f"{kind} {path} has no name for column {position}. Name every column in the header.")
        if name in seen:
            raise SampleError(f"{kind} {path} names column {name!r} twice. Feature names must be unique.")
        seen.add(name)
