"""Trained models, by the framework that made them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.modelpack.errors import RequestError, SourceError
from serinus.modelpack.progress import Progress
from serinus.modelpack.sources.files import PROGRAM_NOTICE, open_model, recognise
from serinus.modelpack.sources.source import Category, Graph, Label, Source
from serinus.modelpack.sources.torch_files import kind_of

if TYPE_CHECKING:
    from serinus.modelpack.isolation.environment import Environment
    from serinus.modelpack.isolation.environment_spec import Wanted
    from serinus.modelpack.sources.mlflow import MlflowModel

__all__ = ["Category", "Graph", "Label", "Source", "load", "opened"]

#: Modules of this folder that open a file of their own format.
_OWN_FORMATS = ("xgboost", "lightgbm", "catboost", "onnx")


@contextmanager
def opened(
    path: Path,
    *,
    trust: tuple[str, ...],
    allow_version_skew: bool,
    requirements: Path | None,
    progress: Progress,
    factory: str | None = None,
) -> Iterator[tuple[Source, "Environment | None"]]:
    """The model in ``path``, and the environment that it runs in until the block ends, where other versions than
    the installed ones saved it or ``requirements`` name some. ``factory`` makes the module that PyTorch's weights
    belong to. Raises `SourceError` and `RequestError`."""
    form = recognise(path)
    logged = _logged(path) if form == "mlflow" else None
    data = path if logged is None else logged.data
    if requirements is not None and recognise(data) == "onnx":
        raise RequestError(f"{path} is an ONNX graph, which needs no libraries: leave {requirements} out.")
    wanted = None if allow_version_skew else _wanted(data, logged, requirements, progress)
    if wanted is None:
        settings: Any = {"trust": trust, "allow_version_skew": allow_version_skew, "progress": progress}
        yield load(data, **settings, factory=factory), None
        return
    from serinus.modelpack.isolation import remote
    from serinus.modelpack.isolation.environment import make_environment

    environment = make_environment(wanted, progress)
    with remote.opened(data, environment, trust=trust, progress=progress) as source:
        yield source, environment


def load(
    path: Path, *, trust: tuple[str, ...], allow_version_skew: bool, progress: Progress, factory: str | None = None
) -> Source:
    """The model in ``path``; raises `SourceError` when it cannot be loaded or is of no framework known."""
    form = recognise(path)
    if form == "torch":
        from serinus.modelpack.sources import torch

        if kind_of(path) == "exported":
            progress.notice(PROGRAM_NOTICE)
        return torch.open_file(path, factory)
    if factory is not None:
        raise SourceError(f"--factory makes the module for PyTorch's weights; {path} is {form}. Leave it out.")
    if form == "mlflow":
        return load(_logged(path).data, trust=trust, allow_version_skew=allow_version_skew, progress=progress)
    if form in _OWN_FORMATS:
        from importlib import import_module

        source: Source = import_module(f"serinus.modelpack.sources.{form}").open_file(path)
    else:
        model = open_model(path, trust=trust, allow_version_skew=allow_version_skew, progress=progress)
        source = from_object(model, path)
    if notice := getattr(source, "notice", None):
        progress.notice(notice)
    return source


def _logged(folder: Path) -> "MlflowModel":
    from serinus.modelpack.sources import mlflow

    return mlflow.read(folder)


def _wanted(
    data: Path, logged: "MlflowModel | None", requirements: Path | None, progress: Progress
) -> "Wanted | None":
    """The environment for the model file ``data``: as asked for, as logged, or as the file itself says."""
    from serinus.modelpack.isolation.environment_spec import by_file, by_requirements
    from serinus.modelpack.isolation.requirement_lines import logged_lines, own_lines

    if recognise(data) == "onnx":
        return None
    if requirements is not None:
        lines = own_lines(requirements)
        return by_requirements(lines, str(requirements), data, always=True, python=None)
    if logged is not None and logged.requirements:
        lines = logged_lines(logged.requirements, logged.requirements_in, progress)
        return by_requirements(lines, "logged by MLflow", data, always=False, python=logged.python)
    return by_file(data)


def from_object(model: Any, path: Path) -> Source:
    """A loaded model as a source; ``path`` is where it came from, for the error."""
    kind = type(model)
    libraries = [base.__module__.split(".")[0] for base in kind.__mro__]
    if libraries[0] == "catboost":
        from serinus.modelpack.sources import catboost

        return catboost.from_model(model)
    if "sklearn" in libraries:
        from serinus.modelpack.sources.sklearn import SklearnSource

        return SklearnSource(model)
    if libraries[0] == "xgboost":
        from serinus.modelpack.sources import xgboost

        return xgboost.from_booster(model)
    if libraries[0] == "lightgbm":
        from serinus.modelpack.sources import lightgbm

        return lightgbm.from_booster(model)
    raise SourceError(
        f"{path} holds a {kind.__module__}.{kind.__qualname__}, which is no model of a supported framework "
        "(scikit-learn, XGBoost, LightGBM, CatBoost, PyTorch, ONNX, MLflow). Save the fitted estimator or "
        "pipeline itself."
    )
