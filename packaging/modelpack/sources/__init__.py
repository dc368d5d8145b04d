"""Trained models, by the framework that made them."""

from pathlib import Path
from typing import Any

from modelpack.errors import SourceError
from modelpack.progress import Progress
from modelpack.sources.files import open_model, recognise
from modelpack.sources.source import Category, Graph, Label, Source

__all__ = ["Category", "Graph", "Label", "Source", "load"]

#: Modules of this folder that open a file of their own format.
_OWN_FORMATS = ("xgboost", "lightgbm", "catboost", "onnx")


def load(path: Path, *, trust: tuple[str, ...], allow_version_skew: bool, progress: Progress) -> Source:
    """The model in ``path``; raises `SourceError` when it cannot be loaded or is of no framework known."""
    form = recognise(path)
    if form == "mlflow":
        from modelpack.sources import mlflow

        data = mlflow.read(path).data
        return load(data, trust=trust, allow_version_skew=allow_version_skew, progress=progress)
    if form in _OWN_FORMATS:
        from importlib import import_module

        source: Source = import_module(f"modelpack.sources.{form}").open_file(path)
        return source
    model = open_model(path, trust=trust, allow_version_skew=allow_version_skew, progress=progress)
    return from_object(model, path)


def from_object(model: Any, path: Path) -> Source:
    """A loaded model as a source; ``path`` is where it came from, for the error."""
    kind = type(model)
    libraries = [base.__module__.split(".")[0] for base in kind.__mro__]
    if libraries[0] == "catboost":
        from modelpack.sources import catboost

        return catboost.from_model(model)
    if "sklearn" in libraries:
        from modelpack.sources.sklearn import SklearnSource

        return SklearnSource(model)
    if libraries[0] == "xgboost":
        from modelpack.sources import xgboost

        return xgboost.from_booster(model)
    if libraries[0] == "lightgbm":
        from modelpack.sources import lightgbm

        return lightgbm.from_booster(model)
    raise SourceError(
        f"{path} holds a {kind.__module__}.{kind.__qualname__}, which is no model of a supported framework "
        "(scikit-learn, XGBoost, LightGBM, CatBoost, ONNX, MLflow). Save the fitted estimator or pipeline itself."
    )
