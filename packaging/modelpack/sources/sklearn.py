"""scikit-learn: fitted predictors, clusterers, outlier detectors and transformers, alone or as a pipeline."""

import sys
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Dtype, Task
from serinus.modelpack.errors import ConversionError, SourceError
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.encoders import as_trained, mark_passed_nones, trace_categories, trace_texts
from serinus.modelpack.sources.several_labels import (
    has_several_labels,
    probabilities_by_target,
    read_target_classes,
)
from serinus.modelpack.sources.source import Category, Graph, Label
from serinus.modelpack.sources.vocabulary import read_words
from serinus.modelpack.tables import Texts

_BOOSTERS = {"xgboost": "XGBoost", "lightgbm": "LightGBM", "catboost": "CatBoost"}


class SklearnSource:
    """A fitted scikit-learn model. Its outputs by task: `label` and `probabilities` (classifiers; mixtures, which
    count as clustering), `label` alone (clusterers, several labels at once), `label` and `scores` (outliers: 1
    inside, -1 outside, scores positive inside), `value` (regressors), `transformed` (transformers)."""

    def __init__(self, model: Any) -> None:
        import sklearn
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        model = getattr(model, "best_estimator_", model)
        task = _task(model)
        if task is None:
            raise SourceError(
                f"{_shown(model)} neither predicts nor transforms. Package the whole pipeline, not a part of it."
            )
        try:
            check_is_fitted(model)
        except NotFittedError as error:
            raise SourceError(f"{_shown(model)} is not fitted. Call fit before saving it.") from error
        _refuse_own_categories(model)
        self.model = model
        self.framework = _framework(model, f"scikit-learn {sklearn.__version__}")
        self.task: Task = task
        self.several_labels = task == "classification" and has_several_labels(model)
        self.classes = self._read_classes()
        self.target_classes = read_target_classes(model) if self.several_labels else None
        self.nested: dict[str, Dtype] = {}
        self.known_words = read_words(model)

    @property
    def estimator(self) -> str:
        return _shown(self.model)

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        names = getattr(self.model, "feature_names_in_", None)
        return None if names is None else tuple(str(name) for name in names)

    @property
    def feature_count(self) -> int | None:
        if self.takes_text:
            return 1
        count = getattr(self.model, "n_features_in_", None)
        return None if count is None else int(count)

    @property
    def takes_text(self) -> bool:
        """Whether its input is documents, one a row, rather than a table."""
        return _takes_text(self.model)

    @property
    def doubt(self) -> str:
        """The step whose answers a graph may not reproduce, in a sentence; empty where there is none."""
        from sklearn.impute import KNNImputer

        from serinus.modelpack.convert.sklearn import fitted_parts

        if not any(isinstance(part, KNNImputer) for part in fitted_parts(self.model)):
            return ""
        return (
            "KNNImputer chooses among neighbours at equal distance as NumPy happens to sort them, which no graph "
            "can follow, and a tree behind it jumps at the means; SimpleImputer and IterativeImputer have no ties."
        )

    def _read_classes(self) -> tuple[Label, ...] | None:
        if self.task != "classification" or self.several_labels:
            return None
        labels = np.asarray(self.model.classes_)
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
        inputs = self.model_input(frame)
        if self.task == "transform":
            # A few transformers return [columns] for a single row.
            return {"transformed": _dense(self.model.transform(inputs)).reshape(len(frame), -1)}
        if self.task == "regression":
            value = np.asarray(self.model.predict(inputs), dtype=np.float64)
            return {"value": value.ravel() if value.ndim == 2 and value.shape[1] == 1 else value}
        label = np.asarray(self.model.predict(inputs))
        if self.task == "classification" and not self.several_labels and label.ndim == 2:
            label = label.ravel()
        if self.task in ("clustering", "outlier"):
            label = label.astype(np.int64)
        if label.dtype.kind == "f" and self.several_labels:
            label = label.astype(np.int64)
        outputs: Outputs = {"label": label.astype(str).astype(object) if label.dtype.kind in "OU" else label}
        if self.task == "outlier":
            outputs["scores"] = np.asarray(self.model.decision_function(inputs), dtype=np.float64)
        elif self.target_classes is not None:
            outputs |= probabilities_by_target(self.model, inputs)
        elif not self.several_labels and hasattr(self.model, "predict_proba"):
            outputs["probabilities"] = np.asarray(self.model.predict_proba(inputs), dtype=np.float64)
        return outputs

    def model_input(self, frame: pd.DataFrame) -> Any:
        """The rows in the form that the model was trained on: a frame, a bare array, or documents."""
        if self.takes_text:
            return frame.iloc[:, 0]
        frame = as_trained(self.model, frame)
        if self.feature_names is not None:
            return frame
        if all(dtype.kind in "biuf" for dtype in cast(list[np.dtype[Any]], list(frame.dtypes))):
            return frame.to_numpy(dtype=np.float64)
        return frame.to_numpy(dtype=object)

    def categories(self, names: tuple[str, ...]) -> dict[str, tuple[Category, ...]]:
        return trace_categories(self.model, names)

    def texts(self, names: tuple[str, ...]) -> Texts:
        return trace_texts(self.model, names)

    def graphs(self, sample: Sample) -> Iterator[Graph]:
        from serinus.modelpack.convert.sklearn import convert

        mark_passed_nones(self.model, sample.names)
        return convert(self, sample)


def _framework(model: Any, sklearn: str) -> str:
    """scikit-learn and, where the model is of a boosting library or ends with one's, that library."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    library = type(last).__module__.split(".")[0]
    if library not in _BOOSTERS:
        return sklearn
    booster = f"{_BOOSTERS[library]} {sys.modules[library].__version__}"
    return booster if last is model else f"{sklearn}, {booster}"


def _task(model: Any) -> Task | None:
    from sklearn.base import is_classifier, is_outlier_detector, is_regressor

    if is_classifier(model):
        return "classification"
    if is_regressor(model):
        return "regression"
    if is_outlier_detector(model) and hasattr(model, "predict"):
        return "outlier"
    if hasattr(model, "predict") and (_is_clusterer(model) or hasattr(model, "predict_proba")):
        return "clustering"
    return "transform" if hasattr(model, "transform") and not hasattr(model, "predict") else None


def _takes_text(model: Any) -> bool:
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    first = getattr(model, "steps", None) or getattr(model, "transformer_list", None)
    inside = first[0][1] if first else getattr(model, "best_estimator_", None)
    if inside is not None:
        return _takes_text(inside)
    return isinstance(model, (CountVectorizer, HashingVectorizer))


def _refuse_own_categories(model: Any) -> None:
    """A booster that encodes pandas categories itself is served alone, not inside other models: scikit-learn's
    steps do not keep such columns."""
    from serinus.modelpack.convert.sklearn import fitted_parts
    from serinus.modelpack.sources.pandas_categories import of_xgboost

    for part in fitted_parts(model):
        library = type(part).__module__.split(".")[0]
        booster = getattr(part, "booster_", None) if library == "lightgbm" else None
        coded = booster is not None and any(getattr(booster, "pandas_categorical", None) or [])
        if library == "xgboost" and getattr(part, "__sklearn_is_fitted__", bool)():
            coded = of_xgboost(part.get_booster()) is not None
        if coded:
            raise ConversionError(
                f"{_shown(part)} in {_shown(model)} was trained on pandas categories, which get lost there. "
                "Package it alone, or put an OrdinalEncoder before it in place of the categories.",
                _shown(part),
            )


def _is_clusterer(model: Any) -> bool:
    from sklearn import base

    # Releases before 1.6 have no such function and keep the kind in an attribute.
    if hasattr(base, "is_clusterer"):
        return bool(base.is_clusterer(model))
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return getattr(last, "_estimator_type", None) == "clusterer"


def _dense(values: Any) -> npt.NDArray[np.float64]:
    dense = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    return np.asarray(dense, dtype=np.float64)


def _shown(model: Any) -> str:
    name = type(model).__name__
    steps = getattr(model, "steps", None)
    if not isinstance(steps, list):
        return name
    return f"{name}({', '.join(type(step).__name__ for _, step in steps)})"
