"""scikit-learn: estimators and pipelines that predict a class or a number."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from lambda_handlers.contract.agreement import Outputs
from lambda_handlers.contract.signature import Task
from modelpack.errors import ConversionError, SourceError
from modelpack.sample import Sample
from modelpack.sources.source import Category, Graph, Label


class SklearnSource:
    """A fitted scikit-learn classifier or regressor, alone or at the end of a pipeline."""

    def __init__(self, model: Any) -> None:
        import sklearn
        from sklearn.base import is_classifier, is_regressor
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        model = getattr(model, "best_estimator_", model)
        if not (is_classifier(model) or is_regressor(model)):
            raise SourceError(
                f"{_shown(model)} is neither a classifier nor a regressor. Package the whole pipeline that "
                "predicts, not a part of it."
            )
        try:
            check_is_fitted(model)
        except NotFittedError as error:
            raise SourceError(f"{_shown(model)} is not fitted. Call fit before saving it.") from error
        self.model = model
        self.framework = f"scikit-learn {sklearn.__version__}"
        self.task: Task = "classification" if is_classifier(model) else "regression"
        self.classes = self._read_classes()

    @property
    def estimator(self) -> str:
        return _shown(self.model)

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        names = getattr(self.model, "feature_names_in_", None)
        return None if names is None else tuple(str(name) for name in names)

    @property
    def feature_count(self) -> int | None:
        count = getattr(self.model, "n_features_in_", None)
        return None if count is None else int(count)

    def _read_classes(self) -> tuple[Label, ...] | None:
        if self.task != "classification":
            return None
        classes = self.model.classes_
        if isinstance(classes, list) or np.ndim(classes) != 1:
            raise ConversionError(
                f"{self.estimator} predicts several labels at once, which is not supported. "
                "Train one classifier a label, and package each.",
                self.estimator,
            )
        labels = np.asarray(classes)
        if labels.dtype.kind == "O":
            labels = np.asarray([str(label) for label in labels])
        if labels.dtype.kind not in "biufU" or (labels.dtype.kind == "f" and (labels != np.round(labels)).any()):
            raise ConversionError(
                f"{self.estimator} has labels {labels[:3].tolist()}…; strings, booleans and whole numbers are "
                "supported. Train with such labels.",
                self.estimator,
            )
        return tuple(label.item() for label in labels)

    def predict(self, frame: pd.DataFrame) -> Outputs:
        given = self._given(frame)
        if self.task == "regression":
            value = np.asarray(self.model.predict(given), dtype=np.float64)
            return {"value": value.ravel() if value.ndim == 2 and value.shape[1] == 1 else value}
        label = np.asarray(self.model.predict(given))
        outputs: Outputs = {"label": label.astype(str).astype(object) if label.dtype.kind in "OU" else label}
        if hasattr(self.model, "predict_proba"):
            outputs["probabilities"] = np.asarray(self.model.predict_proba(given), dtype=np.float64)
        return outputs

    def _given(self, frame: pd.DataFrame) -> pd.DataFrame | npt.NDArray[Any]:
        """What the model was trained on: a frame, or a bare array."""
        if self.feature_names is not None:
            return frame
        if all(dtype.kind in "biuf" for dtype in cast(list[np.dtype[Any]], list(frame.dtypes))):
            return frame.to_numpy(dtype=np.float64)
        return frame.to_numpy(dtype=object)

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        from modelpack.sources.encoders import trace_categories

        return trace_categories(self.model, names)

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        from modelpack.convert.sklearn import convert

        return convert(self, sample)


def _shown(model: Any) -> str:
    name = type(model).__name__
    steps = getattr(model, "steps", None)
    if not isinstance(steps, list):
        return name
    return f"{name}({', '.join(type(step).__name__ for _, step in steps)})"
