"""The rows of a request: sample or MLflow's input example, holdout and traffic, fitted to the model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from serinus.modelpack.acceptance import MOST_ROWS, acceptance_file, split_table
from serinus.modelpack.errors import SampleError
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.sample import MAX_ROWS, Sample, fit_to_model
from serinus.modelpack.sources import ModelFile, Source
from serinus.modelpack.sources.mlflow_signature import apply_types, read_example, strings_of
from serinus.modelpack.sources.onnx import OnnxSource
from serinus.modelpack.tables import Texts, is_parquet, read_header, read_table


def read_rows(request: PackageRequest, file: ModelFile, source: Source) -> pd.DataFrame:
    """The sample's rows; without a sample, those of the logged input example. Raises `SampleError`."""
    if request.sample is not None:
        return read_table(request.sample, _texts(request.sample, request, file, source))
    if file.example is not None:
        return read_example(file.example, file.columns)
    raise SampleError(
        f"{file.path} has no input example. Pass rows like those that the model will see: --sample sample.csv"
    )


def read_holdout(request: PackageRequest, file: ModelFile, source: Source) -> pd.DataFrame | None:
    """The holdout's rows, where the request names one. Raises `SampleError`."""
    path = request.holdout
    return None if path is None else read_table(path, _texts(path, request, file, source))


def read_acceptance(
    request: PackageRequest, file: ModelFile, source: Source, sample: Sample
) -> tuple[str, pd.DataFrame, Sample] | None:
    """The rows of the acceptance test, where there is one: the file's name, what is required of each row, and its
    features as the model's inputs. Raises `SampleError` and `RequestError`."""
    path = acceptance_file(request.project, request.acceptance)
    if path is None:
        return None
    texts: Texts = {**dict.fromkeys(sample.strings), **_texts(path, request, file, source)}
    table = read_table(path, texts, most_rows=MOST_ROWS + 1)
    features, required = split_table(path, table, sample.names)
    if set(features.columns) == set(sample.names):  # a model without names of its own reads columns by position
        features = features[list(sample.names)]
    try:
        fitted = fit_sample(replace(request, drop=(), target=None), file, source, features)
    except SampleError as error:
        raise SampleError(f"acceptance file {path}: {error}") from error
    return path.name, required, fitted


def read_traffic(request: PackageRequest, file: ModelFile, source: Source, sample: Sample) -> Sample | None:
    """Rows of live traffic, where the request names some, with columns of the same kinds as ``sample``. Its
    label and dropped columns may be missing. Raises `SampleError`."""
    path = request.traffic
    if path is None:
        return None
    try:
        table = read_table(path, _texts(path, request, file, source)).head(MAX_ROWS)
        unused = [name for name in (*request.drop, request.target) if name in table.columns]
        bare = replace(request, drop=(), target=None)
        traffic = fit_sample(bare, file, source, table.drop(columns=unused))
        for name in sample.names:
            kinds = [rows.dtypes[name] == "string" for rows in (sample, traffic)]
            if kinds[0] is not kinds[1]:
                expected, actual = ("text" if kind else "numbers" for kind in kinds)
                raise SampleError(f"column {name!r} holds {actual}; the sample's holds {expected}.")
    except SampleError as error:
        raise SampleError(f"--traffic {path}: {error}") from error
    return traffic


def fit_sample(request: PackageRequest, file: ModelFile, source: Source, table: pd.DataFrame) -> Sample:
    """``table`` as the model's inputs, under its own names or those of the logged signature. An ONNX file's
    scalars get the values of their columns, which are no features then. Raises `SampleError`."""
    if isinstance(source, OnnxSource):
        table = _with_scalars_set(source, table)
        unused = {*request.drop, request.target}
        columns = [name for name in table.columns if name not in unused]
        if len(columns) == 1 and _is_nested(table[columns[0]].iloc[0]):
            source.take_rows_nested()
    return fit_to_model(
        apply_types(table, file.columns),
        names=_names(file, source, list(map(str, table.columns))),
        count=source.feature_count,
        drop=request.drop,
        target=request.target,
        nested=source.nested,
    )


def _with_scalars_set(source: OnnxSource, table: pd.DataFrame) -> pd.DataFrame:
    """``table`` without the columns of the model's scalars, whose values become constants."""
    values: dict[str, float] = {}
    for name in source.scalars:
        if name not in table.columns:
            raise SampleError(
                f"input {name!r} of the model is a single value that all rows share. Add a column {name!r} to the "
                "sample with the value that requests shall be predicted with; it becomes a constant."
            )
        different = table[name].unique()
        if len(different) != 1 or pd.isna(different[0]):
            raise SampleError(
                f"input {name!r} of the model is a single value that all rows share; the sample has "
                f"{len(different)} different ones. Package the model once for each value."
            )
        values[name] = different[0]
    source.set_scalars(values)
    return table.drop(columns=list(values))


def _is_nested(cell: object) -> bool:
    return isinstance(cell, (list, np.ndarray)) or (isinstance(cell, str) and cell.lstrip().startswith("["))


def _names(file: ModelFile, source: Source, header: list[str]) -> tuple[str, ...] | None:
    """The features' names, as in ``header`` where the library wrote them otherwise: LightGBM has underscores in
    place of blanks."""
    columns, names = file.columns, source.feature_names
    if names is not None and source.framework.startswith("LightGBM"):
        return tuple(_as_in_header(name, header) for name in names)
    if names is None and columns is not None and source.feature_count in (None, len(columns)):
        return tuple(column.name for column in columns)
    return names


def _as_in_header(name: str, header: list[str]) -> str:
    written = [column for column in header if column.replace(" ", "_") == name]
    return written[0] if name not in header and len(written) == 1 else name


def _texts(path: Path, request: PackageRequest, file: ModelFile, source: Source) -> Texts:
    """The columns of CSV file ``path`` that are text to the model: by the logged signature, by what its encoders
    learnt, and the label's where its classes are text."""
    try:
        header = [] if is_parquet(path) else read_header(path)
    except (OSError, ValueError):  # `read_table` reports it
        return {}
    names = _names(file, source, header) or tuple(
        name for name in header if name not in request.drop and name != request.target
    )
    texts: dict[str, tuple[str, ...] | None] = dict.fromkeys(strings_of(file.columns), ())
    if source.feature_count in (None, len(names)):
        texts |= {name: None if known is None else tuple(known) for name, known in source.texts(names).items()}
    labels = source.classes or ()
    if request.target is not None and labels and all(isinstance(label, str) for label in labels):
        texts[request.target] = tuple(map(str, labels))
    return texts
