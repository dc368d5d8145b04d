"""The rows of a request: sample or MLflow's input example, holdout and traffic, fitted to the model."""

from dataclasses import replace

import pandas as pd

from serinus.modelpack.errors import SampleError
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.sample import MAX_ROWS, Sample, fit_to_model, read_table
from serinus.modelpack.sources import ModelFile, Source
from serinus.modelpack.sources.mlflow_signature import apply_types, read_example, strings_of


def read_rows(request: PackageRequest, file: ModelFile) -> pd.DataFrame:
    """The sample's rows; without a sample, those of the logged input example. Raises `SampleError`."""
    if request.sample is not None:
        return read_table(request.sample, strings_of(file.columns))
    if file.example is not None:
        return read_example(file.example, file.columns)
    raise SampleError(
        f"{file.path} has no input example. Pass rows like those that the model will see: --sample sample.csv"
    )


def read_holdout(request: PackageRequest, file: ModelFile) -> pd.DataFrame | None:
    """The holdout's rows, where the request names one. Raises `SampleError`."""
    return None if request.holdout is None else read_table(request.holdout, strings_of(file.columns))


def read_traffic(request: PackageRequest, file: ModelFile, source: Source, sample: Sample) -> Sample | None:
    """Rows of live traffic, where the request names some, with columns of the same kinds as ``sample``. Its
    label and dropped columns may be missing. Raises `SampleError`."""
    if request.traffic is None:
        return None
    try:
        table = read_table(request.traffic, strings_of(file.columns)).head(MAX_ROWS)
        unused = [name for name in (*request.drop, request.target) if name in table.columns]
        bare = replace(request, drop=(), target=None)
        traffic = fit_sample(bare, file, source, table.drop(columns=unused))
        for name in sample.names:
            kinds = [one.dtypes[name] == "string" for one in (sample, traffic)]
            if kinds[0] is not kinds[1]:
                wanted, got = ("text" if kind else "numbers" for kind in kinds)
                raise SampleError(f"column {name!r} holds {got}; the sample's holds {wanted}.")
    except SampleError as error:
        raise SampleError(f"--traffic {request.traffic}: {error}") from error
    return traffic


def fit_sample(request: PackageRequest, file: ModelFile, source: Source, table: pd.DataFrame) -> Sample:
    """``table`` as the model's inputs, under its own names or those of the logged signature."""
    columns, names = file.columns, source.feature_names
    if names is None and columns is not None and source.feature_count in (None, len(columns)):
        names = tuple(column.name for column in columns)
    return fit_to_model(
        apply_types(table, columns),
        names=names,
        count=source.feature_count,
        drop=request.drop,
        target=request.target,
        nested=source.nested,
    )
