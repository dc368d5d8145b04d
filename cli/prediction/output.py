"""The file of `--output`: rows beside their predictions, written as they come, and in place once it is whole."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.prediction.columns import PredictionColumn
from serinus.modelpack.temporary_folder import TemporaryFolder

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SUFFIXES = (".csv", ".parquet", ".json", ".jsonl")
_ARROW_TYPES = {"float": "float64", "int": "int64", "bool": "bool_", "string": "string"}


def require_output(output: Path) -> None:
    """`WrongUsage` unless ``output`` is a new file in a folder that can be written to, with a suffix that says its
    format. A file that exists may be the rows themselves."""
    if output.suffix not in SUFFIXES:
        raise WrongUsage(f"--output {output} must end with {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    if output.exists():
        raise WrongUsage(f"--output {output} exists. Name a new file, or remove this one first.")
    try:
        TemporaryFolder(within=output.parent).cleanup()
    except OSError as error:
        raise WrongUsage(f"--output {output}: {output.parent} cannot be written to ({error.strerror}).") from error


class _Format(Protocol):
    def write(self, part: "pd.DataFrame") -> None: ...

    def close(self) -> None: ...


class PredictionFile:
    """Writes to a draft beside ``path``, which `finish` puts in its place. ``frame`` are all rows, ``columns`` the
    predictions' columns."""

    def __init__(self, path: Path, frame: "pd.DataFrame", columns: Sequence[PredictionColumn]) -> None:
        self.path = path
        self._frame, self._columns, self._rows = frame, columns, 0
        # If this process is killed, the next one that writes beside ``path`` deletes it.
        self._folder = TemporaryFolder(within=path.parent)
        self._draft = self._folder.path / path.name
        try:
            self._format = self._open()
        except BaseException:
            self._folder.cleanup()
            raise

    def write(self, start: int, stop: int, response: dict[str, Any]) -> None:
        """Add the rows from ``start`` up to, without, ``stop``, with the response to them; raises `CliError` if
        the disk is full."""
        cells = {column.name: column.values(response) for column in self._columns}
        try:
            self._format.write(self._frame.iloc[start:stop].assign(**cells))
        except OSError as error:
            raise CliError(f"{self.path} cannot be written: {error.strerror}.") from error
        self._rows += stop - start

    def finish(self) -> None:
        """Replace ``path`` by the draft."""
        try:
            self._format.close()
            self._draft.replace(self.path)
        except OSError as error:
            raise CliError(f"{self.path} cannot be written: {error.strerror}.") from error
        finally:
            self._folder.cleanup()

    def keep_partial(self) -> Path | None:
        """The file with the rows that were written, beside ``path``, which does not change; None if there are
        none, or they cannot be kept."""
        partial = self.path.with_suffix(f".partial{self.path.suffix}")
        try:
            self._format.close()
            if self._rows:
                self._draft.replace(partial)
                return partial
        except OSError:
            pass  # the disk is full
        finally:
            self._folder.cleanup()
        return None

    def _open(self) -> _Format:
        if self.path.suffix == ".csv":
            return _Csv(self._draft)
        if self.path.suffix == ".parquet":
            return _Parquet(self._draft, self._schema())
        return _Json(self._draft, as_lines=self.path.suffix == ".jsonl")

    def _schema(self) -> "pa.Schema":
        """Of all rows, since a batch may hold nothing but missing values."""
        import pyarrow as pa

        try:
            schema = pa.Schema.from_pandas(self._frame, preserve_index=False).remove_metadata()
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise CliError(
                f"the rows do not fit into {self.path}: {error}. Parquet requires one type a column; use .jsonl."
            ) from error
        for column in self._columns:
            kind = next(kind for start, kind in _ARROW_TYPES.items() if column.dtype.startswith(start))
            if not column.is_list:
                schema = schema.append(pa.field(column.name, getattr(pa, kind)()))
        return schema


class _Csv:
    """Lists are JSON text, as `serinus package` reads tensors."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._is_first = True

    def write(self, part: "pd.DataFrame") -> None:
        lists = [name for name in part.columns if part[name].map(_is_list).any()]
        text = {name: part[name].map(lambda value: json.dumps(_plain(value))) for name in lists}
        part.assign(**text).to_csv(self._file, index=False, header=self._is_first, lineterminator="\n")
        self._is_first = False

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path, schema: "pa.Schema") -> None:
        import pyarrow.parquet

        self._path, self._schema, self._parquet = path, schema, pyarrow.parquet
        self._writer: Any = None

    def write(self, part: "pd.DataFrame") -> None:
        import pyarrow as pa

        if self._writer is None:
            lists = [name for name in part.columns if name not in self._schema.names]
            inferred = pa.Schema.from_pandas(part[lists], preserve_index=False)
            self._schema = pa.schema([*self._schema, *inferred])
            self._writer = self._parquet.ParquetWriter(self._path, self._schema)
        self._writer.write_table(pa.Table.from_pandas(part, schema=self._schema, preserve_index=False))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class _Json:
    """A list of objects, or one object a line; missing values are null."""

    def __init__(self, path: Path, *, as_lines: bool) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._as_lines, self._is_first = as_lines, True

    def write(self, part: "pd.DataFrame") -> None:
        names = list(part.columns)
        for cells in zip(*(part[name].tolist() for name in names), strict=True):
            row = json.dumps(dict(zip(names, map(_plain, cells), strict=True)), ensure_ascii=False)
            if self._as_lines:
                self._file.write(f"{row}\n")
            else:
                self._file.write(("[\n" if self._is_first else ",\n") + row)
            self._is_first = False

    def close(self) -> None:
        if not self._as_lines and not self._file.closed:
            self._file.write("\n]\n")
        self._file.close()


def _is_list(value: Any) -> bool:
    return isinstance(value, list) or hasattr(value, "tolist")


def _plain(value: Any) -> Any:
    """A cell as JSON has it."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    # NaN, NaT and NA differ from themselves, or cannot be compared.
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    return None if str(value) in ("NaT", "<NA>") else str(value)
