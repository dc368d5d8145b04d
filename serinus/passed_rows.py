"""Rows and labels of Python as the files of a request to package: Parquet keeps their types."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.modelpack.errors import RequestError, SampleError, first_line

if TYPE_CHECKING:
    import pandas as pd

#: The label column where y has no name.
_TARGET = "target"


@dataclass(frozen=True, slots=True)
class PassedRows:
    """What `package` was called with: rows, or the paths of files with rows."""

    X: Any
    y: Any
    holdout: Any
    traffic: Any


def write_tables(model: Any, rows: PassedRows, folder: Path) -> dict[str, Any]:
    """The fields of a `PackageRequest` for ``rows``; what was passed as objects is written into ``folder``.

    Columns without a name have those that ``model`` was trained with. Raises `SampleError` and `RequestError`.
    """
    names = getattr(model, "feature_names_in_", None)
    sample, target = _sample(model, rows, names, folder)
    holdout, traffic = rows.holdout, rows.traffic
    if isinstance(holdout, tuple) and len(holdout) == 2:
        if target is None:
            raise RequestError("holdout has labels; pass those of X too: package(model, X, y, …)")
        holdout = _write(
            _labelled(_frame("holdout", holdout[0], names), holdout[1], target), folder / "holdout.parquet"
        )
    elif isinstance(holdout, tuple):
        raise RequestError(
            "holdout must be a pair of rows and labels, such as (X_test, y_test), or a file's path."
        )
    if not _is_file(traffic):
        traffic = _write(_frame("traffic", traffic, names), folder / "traffic.parquet")
    return {"sample": sample, "target": target, "holdout": holdout, "traffic": traffic}


def _is_file(value: Any) -> bool:
    """Whether ``value`` is the path of a file, or nothing."""
    return value is None or isinstance(value, str | os.PathLike)


def _sample(model: Any, rows: PassedRows, names: Any, folder: Path) -> tuple[Any, str | None]:
    """The sample's file, and its label column."""
    y = rows.y
    if not _is_file(rows.X):
        frame = _frame("X", rows.X, names)
        if y is None:
            return _write(frame, folder / "sample.parquet"), None
        target = str(getattr(y, "name", None) or _TARGET)
        while target in frame.columns:
            target += "_"
        return _write(_labelled(frame, y, target), folder / "sample.parquet"), target
    if rows.X is None and not _is_file(model):
        raise SampleError("X is None; pass rows like those that the endpoint will receive, such as X_train.")
    if y is not None and not isinstance(y, str):
        raise RequestError("y are labels, and X is no rows but a file. Pass the name of the label column as y.")
    return rows.X, y


def _frame(what: str, rows: Any, names: Any) -> "pd.DataFrame":
    """``rows`` as a table whose column names are text: its own, or ``names``."""
    import numpy as np
    import pandas as pd

    if isinstance(rows, pd.DataFrame):
        frame = rows
    elif hasattr(rows, "to_pandas"):
        frame = rows.to_pandas()
    elif isinstance(rows, pd.Series):
        frame = rows.to_frame()
    elif isinstance(rows, np.ndarray | list | tuple):
        frame = pd.DataFrame(rows)
    else:
        kind = type(rows).__name__
        raise SampleError(
            f"{what} is of type {kind}; pass a DataFrame, an array, a list of rows or a file's path."
        )
    if frame.empty:
        raise SampleError(f"{what} has no rows. Pass rows like those that the endpoint will receive.")
    named = all(isinstance(name, str) for name in frame.columns)
    if not named and names is not None and len(names) == len(frame.columns):
        columns = [str(name) for name in names]
    else:
        columns = [name if isinstance(name, str) else f"feature_{name}" for name in frame.columns]
    return frame.set_axis(columns, axis="columns").reset_index(drop=True)


def _labelled(frame: "pd.DataFrame", y: Any, target: str) -> "pd.DataFrame":
    """``frame`` with the labels ``y`` as column ``target``."""
    import numpy as np

    labels = np.asarray(y)
    if labels.ndim != 1 or len(labels) != len(frame):
        raise SampleError(
            f"y has shape {list(labels.shape)} for {len(frame)} rows; it must hold one label for each row."
        )
    return frame.assign(**{target: labels})


def _write(frame: "pd.DataFrame", path: Path) -> Path:
    """Parquet file ``path`` with as many rows as are used, and one more, which the notice about others needs."""
    from serinus.modelpack.sample import MAX_ROWS

    try:
        frame.head(MAX_ROWS + 1).to_parquet(path, index=False)
    except (ValueError, TypeError, OSError) as error:  # pyarrow's errors are ValueErrors and TypeErrors
        raise SampleError(
            f"the rows cannot be kept as a table: {first_line(error)}. Each column must hold values of one type."
        ) from error
    return path
