"""The model file of a request, read once: every later step uses what this read."""

from dataclasses import dataclass
from pathlib import Path

from serinus.modelpack.sources import mlflow
from serinus.modelpack.sources.files import Format, detect_format, hash_file, total_bytes
from serinus.modelpack.sources.mlflow_signature import Column


@dataclass(frozen=True, slots=True)
class ModelFile:
    """``path`` as requested, a file or an MLflow folder; ``sha256`` and ``size_bytes`` are of all of it. ``data``
    is the file that holds the model, in ``format``; ``logged`` is what MLflow logged beside it. The versions that
    saved it are read by `isolation`, only where the environment depends on them."""

    path: Path
    data: Path
    format: Format
    logged: mlflow.MlflowModel | None
    sha256: str
    size_bytes: int

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """Names and types of the logged signature, where there is one."""
        return None if self.logged is None else self.logged.columns

    @property
    def example(self) -> Path | None:
        """The logged input example, where there is one."""
        return None if self.logged is None else self.logged.example


def read_model_file(path: Path) -> ModelFile:
    """Read ``path`` without running anything in it. Raises `SourceError`."""
    format_ = detect_format(path)
    logged = mlflow.read(path) if format_ == "mlflow" else None
    data = path if logged is None else logged.data
    return ModelFile(
        path=path,
        data=data,
        format=format_ if logged is None else detect_format(data),
        logged=logged,
        sha256=hash_file(path),
        size_bytes=total_bytes(path),
    )
