"""Predicts every row of a file, and keeps what was answered if that fails on the way."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.cli.errors import CliError
from serinus.cli.prediction.batches import AnsweredBatch, RequestLimits, predict_in_batches
from serinus.cli.prediction.columns import prediction_columns, require_free_names
from serinus.cli.prediction.output import PredictionFile
from serinus.cli.prediction.progress import RowProgress
from serinus.cli.prediction.rows import RequestTable, drop_fields, is_table, read_json_rows
from serinus.cli.prediction.sending import EndpointClient, ServedModel
from serinus.lambda_handlers.contract.columns import FIELDS, OTHERS
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.limits import Limits

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """The rows in ``data`` without the columns ``drop``: ``rows``, or None for a table, which is read once the
    model's signature is there. ``output`` is a file for the predictions, None to keep them in memory."""

    data: Path
    drop: tuple[str, ...]
    output: Path | None
    rows: list[Any] | None

    @classmethod
    def read(cls, data: Path, drop: tuple[str, ...], output: Path | None) -> "PredictionRequest":
        """With the rows in ``data``, if they are JSON; raises `CliError` if it holds none."""
        rows = None if is_table(data) else drop_fields(read_json_rows(data), drop)
        return cls(data, drop, output, rows)


@dataclass(slots=True)
class Predicted:
    """How far it came: of ``count`` rows the first ``done`` are answered, by model ``model`` in ``versions`` (rows
    by version). ``response`` holds the answers as one response, where no file does; ``partial`` is the file that
    holds those before a failure."""

    count: int = 0
    done: int = 0
    model: str = ""
    versions: Counter[str] = field(default_factory=Counter)
    response: dict[str, Any] = field(default_factory=dict)
    partial: Path | None = None

    def add(self, batch: AnsweredBatch, *, keep: bool) -> None:
        """Count a batch, and join its response to the ones before with ``keep``."""
        self.done, self.model = batch.stop, batch.response["model"]
        self.versions[batch.response["version"]] += batch.stop - batch.start
        if keep:
            join_response(self.response, batch.response)


def predict_file(request: PredictionRequest, client: EndpointClient, predicted: Predicted) -> None:
    """Predict the rows, in requests within the endpoint's limits; ``predicted`` says how far that came, also after
    an exception. Raises `CliError`, `WrongUsage` and `SampleError`."""
    rows, frame, served = _open(request, client)
    predicted.count = len(rows)
    limits = Limits() if served is None else served
    file = None
    if request.output is not None and served is not None:
        columns = prediction_columns(served.signature)
        frame = _frame_of(rows, served.signature) if frame is None else frame
        require_free_names(columns, list(map(str, frame.columns)))
        file = PredictionFile(request.output, frame, columns)
    try:
        with RowProgress(len(rows)) as shown:
            within = RequestLimits(limits.max_rows, limits.max_body_bytes)
            for batch in predict_in_batches(client, rows.slice, len(rows), within):
                if file is not None:
                    file.write(batch.start, batch.stop, batch.response)
                predicted.add(batch, keep=file is None)
                shown.show(batch.stop)
    except BaseException:
        predicted.partial = None if file is None else file.keep_partial()
        raise
    if file is not None:
        file.finish()


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as requests hold them, a stretch at a time."""

    count: int
    slice: Callable[[int, int], Sequence[Any]]

    def __len__(self) -> int:
        return self.count


def _open(
    request: PredictionRequest, client: EndpointClient
) -> "tuple[_Rows, pd.DataFrame | None, ServedModel | None]":
    """The rows, their table if they are one, and what the endpoint serves, which JSON rows can do without."""
    if (listed := request.rows) is not None:
        rows = _Rows(len(listed), lambda start, stop: listed[start:stop])
        return rows, None, None if request.output is None else client.describe()
    served = client.describe()
    table = RequestTable(request.data, served.signature, request.drop)
    return _Rows(len(table), table.rows), table.frame, served


def _frame_of(rows: _Rows, signature: Signature) -> "pd.DataFrame":
    """JSON rows as a table: columns by name, those of arrays in the signature's order."""
    import pandas as pd

    names = signature.feature_names()
    named = []
    for number, row in enumerate(rows.slice(0, len(rows))):
        if not isinstance(row, (dict, list)):
            raise CliError(f"row {number} is neither an object nor an array, so --output has no columns for it.")
        named.append(row if isinstance(row, dict) else dict(zip(names, row, strict=False)))
    return pd.DataFrame(named)


def join_response(whole: dict[str, Any], part: dict[str, Any]) -> None:
    """Append the columns of ``part`` to those of ``whole``, which begins empty."""
    for name, value in part.items():
        if name in FIELDS.values():
            whole.setdefault(name, []).extend(value)
        elif name == OTHERS:
            for output, values in value.items():
                whole.setdefault(OTHERS, {}).setdefault(output, []).extend(values)
        else:
            whole.setdefault(name, value)
