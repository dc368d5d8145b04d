"""Trained models, by the framework that trained them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.modelpack.errors import RequestError, SourceError
from serinus.modelpack.progress import Progress
from serinus.modelpack.sources.files import PROGRAM_NOTICE, Format, detect_format, open_model
from serinus.modelpack.sources.model_file import ModelFile, read_model_file
from serinus.modelpack.sources.source import Category, Graph, Label, Source
from serinus.modelpack.sources.torch_files import torch_format

if TYPE_CHECKING:
    from serinus.modelpack.isolation.environment import Environment
    from serinus.modelpack.isolation.environment_spec import EnvironmentSpec

__all__ = [
    "Category",
    "Graph",
    "Label",
    "ModelFile",
    "Source",
    "detect_format",
    "load",
    "opened",
    "read_model_file",
]

#: Modules of this folder that open a file of their own format.
_OWN_FORMATS = ("xgboost", "lightgbm", "catboost", "onnx")


@contextmanager
def opened(
    file: ModelFile,
    *,
    trust: tuple[str, ...],
    allow_version_skew: bool,
    requirements: Path | None,
    progress: Progress,
    factory: str | None = None,
) -> Iterator[tuple[Source, "Environment | None"]]:
    """The model in ``file``; and the environment that it runs in until the block ends, where it was saved by other
    versions than the installed ones or ``requirements`` pin some. ``factory`` returns the module for PyTorch
    weights. Raises `SourceError` and `RequestError`."""
    if requirements is not None and file.format == "onnx":
        raise RequestError(f"{file.path} is an ONNX graph, which needs no libraries. Leave {requirements} out.")
    spec = None if allow_version_skew else _environment_spec(file, requirements, progress)
    if spec is None:
        source = load(
            file.data,
            file.format,
            trust=trust,
            allow_version_skew=allow_version_skew,
            progress=progress,
            factory=factory,
        )
        yield source, None
        return
    from serinus.modelpack.isolation import remote
    from serinus.modelpack.isolation.environment import ensure_environment

    environment = ensure_environment(spec, progress)
    with remote.opened(file.data, environment, trust=trust, progress=progress) as remote_source:
        yield remote_source, environment


def load(
    path: Path,
    format_: Format,
    *,
    trust: tuple[str, ...],
    allow_version_skew: bool,
    progress: Progress,
    factory: str | None = None,
) -> Source:
    """The model in file ``path``, of format ``format_``. Raises `SourceError` where it cannot be loaded or its
    framework is not supported."""
    if format_ == "torch":
        from serinus.modelpack.sources import torch

        if torch_format(path) == "exported":
            progress.notice(PROGRAM_NOTICE)
        return torch.open_file(path, factory)
    if factory is not None:
        raise SourceError(f"--factory returns the module for PyTorch weights; {path} is {format_}. Leave it out.")
    if format_ in _OWN_FORMATS:
        from importlib import import_module

        source: Source = import_module(f"serinus.modelpack.sources.{format_}").open_file(path)
    else:
        model = open_model(path, format_, trust=trust, allow_version_skew=allow_version_skew, progress=progress)
        source = from_object(model, path)
    if notice := getattr(source, "notice", None):
        progress.notice(notice)
    return source


def _environment_spec(file: ModelFile, requirements: Path | None, progress: Progress) -> "EnvironmentSpec | None":
    """The environment for ``file``: by the user's requirements, by those logged, or by the file itself."""
    from serinus.modelpack.isolation.environment_spec import spec_from_file, spec_from_requirements
    from serinus.modelpack.isolation.requirement_lines import read_logged_requirements, read_user_requirements

    if file.format == "onnx":
        return None
    if requirements is not None:
        lines = read_user_requirements(requirements)
        return spec_from_requirements(lines, str(requirements), file.data, always=True, python=None)
    if file.logged is not None and file.logged.requirements:
        logged = file.logged
        lines = read_logged_requirements(logged.requirements, logged.requirements_in, progress)
        return spec_from_requirements(lines, "logged by MLflow", file.data, always=False, python=logged.python)
    return spec_from_file(file.data)


def from_object(model: Any, path: Path) -> Source:
    """A loaded model as a source; ``path`` is where it came from, for the error."""
    kind = type(model)
    libraries = [base.__module__.split(".")[0] for base in kind.__mro__]
    if libraries[0] == "catboost":
        from serinus.modelpack.sources import catboost

        return catboost.from_model(model)
    if (source := _of_booster(model)) is not None:
        return source
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
        f"{path} holds a {kind.__module__}.{kind.__qualname__}, which is not a model of a supported framework "
        "(scikit-learn, XGBoost, LightGBM, CatBoost, PyTorch, ONNX, MLflow). Save the fitted estimator or "
        "pipeline itself."
    )


def _of_booster(model: Any) -> Source | None:
    """A booster's wrapper, the best of a search too, that scikit-learn's converters do not cover: a ranker, or one
    that was trained on pandas categories. None for others."""
    inner = getattr(model, "best_estimator_", model)
    library = type(inner).__module__.split(".")[0]
    is_ranker = type(inner).__name__ in ("LGBMRanker", "XGBRanker", "XGBRFRanker")
    if library == "lightgbm" and (
        is_ranker or getattr(getattr(inner, "booster_", None), "pandas_categorical", None)
    ):
        from serinus.modelpack.sources import lightgbm

        return lightgbm.from_wrapper(inner)
    if library == "xgboost" and (is_ranker or getattr(inner, "__sklearn_is_fitted__", bool)()):
        from serinus.modelpack.sources import xgboost
        from serinus.modelpack.sources.pandas_categories import of_xgboost

        has_own = is_ranker or of_xgboost(inner.get_booster()) is not None
        return xgboost.from_wrapper(inner) if has_own else None
    return None
