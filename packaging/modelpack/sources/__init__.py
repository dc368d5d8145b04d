"""Trained models, by the framework that made them."""

from pathlib import Path

from modelpack.errors import SourceError
from modelpack.progress import Progress
from modelpack.sources.files import open_model
from modelpack.sources.source import Category, Graph, Label, Source

__all__ = ["Category", "Graph", "Label", "Source", "load"]


def load(path: Path, *, trust: tuple[str, ...], allow_version_skew: bool, progress: Progress) -> Source:
    """The model in file ``path``; raises `SourceError` when it cannot be loaded or is of no framework known."""
    model = open_model(path, trust=trust, allow_version_skew=allow_version_skew, progress=progress)
    kind = type(model)
    if any(base.__module__.split(".")[0] == "sklearn" for base in kind.__mro__):
        from modelpack.sources.sklearn import SklearnSource

        return SklearnSource(model)
    raise SourceError(
        f"{path} holds a {kind.__module__}.{kind.__qualname__}, which is no model of a supported framework "
        "(scikit-learn). Save the fitted estimator or pipeline itself."
    )
