"""A trained model that is an object of this process, as in a notebook: its own predictions are the reference."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.modelpack.errors import SourceError
from serinus.modelpack.progress import Progress
from serinus.modelpack.sources import from_object
from serinus.modelpack.sources.files import hash_file
from serinus.modelpack.sources.model_file import ModelFile
from serinus.modelpack.sources.source import Source

#: Libraries whose objects `from_object` knows.
_SUPPORTED = {"sklearn", "xgboost", "lightgbm", "catboost"}
#: Objects that are packaged from their files, by library, and how to write one.
_FROM_FILES = {
    "torch": "torch.export.save(torch.export.export(module, example), 'model.pt2')",
    "onnx": "onnx.save(model, 'model.onnx')",
    "mlflow": "mlflow.sklearn.save_model(model, 'folder')",
}


@dataclass(frozen=True, slots=True)
class LiveModel:
    """``source`` predicts by the object itself; ``file`` stands in the records for the file that it has not."""

    file: ModelFile
    source: Source

    @contextmanager
    def opened(self, progress: Progress) -> Iterator[tuple[Source, None]]:
        """The source, in no other environment: as `sources.opened` opens a file."""
        if notice := getattr(self.source, "notice", None):
            progress.notice(notice)
        yield self.source, None


def live_model(model: Any, folder: Path) -> LiveModel:
    """``model`` as a source. It is pickled into ``folder`` for the record of its hash and size, where it can be.
    Raises `SourceError` for an object that is no fitted model of a supported framework."""
    kind = type(model)
    shown = f"{kind.__module__}.{kind.__qualname__}"
    libraries = {base.__module__.split(".")[0] for base in kind.__mro__}
    for library in sorted(libraries & _FROM_FILES.keys()):
        raise SourceError(
            f"a {shown} is packaged from its file. Save it, such as with {_FROM_FILES[library]}, and pass the "
            "path in place of the object."
        )
    if not libraries & _SUPPORTED:
        raise SourceError(
            f"a {shown} is no model of a supported framework (scikit-learn, XGBoost, LightGBM, CatBoost). Pass "
            "the fitted estimator or pipeline itself, or the path of a model file."
        )
    source = from_object(model, Path("the model"))
    return LiveModel(_record(model, folder), source)


def _record(model: Any, folder: Path) -> ModelFile:
    import joblib

    path = folder / "model.joblib"
    try:
        joblib.dump(model, path)
        sha256, size_bytes = hash_file(path), path.stat().st_size
    except Exception:  # noqa: BLE001 - a model need not be picklable, and its code may raise anything
        sha256, size_bytes = "", 0
    path.unlink(missing_ok=True)
    return ModelFile(Path(type(model).__name__), path, "pickle", None, sha256, size_bytes)
