"""XGBoost: model files in JSON or UBJSON, and pickled Boosters.

A file that one of the scikit-learn wrappers saved says so, and is predicted by the wrapper that its user would
load it with: it stops at the best iteration, where a bare Booster goes on to the last.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serinus.modelpack.convert.xgboost import read_booster, read_wrapper, refuse_several_labels
from serinus.modelpack.errors import SourceError, first_line
from serinus.modelpack.sources.boosted import BoostedSource
from serinus.modelpack.sources.extras import require
from serinus.modelpack.sources.pandas_categories import of_xgboost

#: Wrappers by the kind that they write into a file; those of random forests write the same and predict the same.
_WRAPPERS = {"classifier": "XGBClassifier", "regressor": "XGBRegressor", "ranker": "XGBRanker"}


def open_file(path: Path) -> BoostedSource:
    """The wrapper or booster in JSON or UBJSON file ``path``."""
    xgboost = require("xgboost", "xgboost")
    # From a path, XGBoost would decide the format by the suffix instead of the content.
    content = bytearray(path.read_bytes())
    booster = xgboost.Booster()
    try:
        booster.load_model(content)
        kind = _kind_of_wrapper(booster)
        wrapper = None if kind is None else getattr(xgboost, kind)()
        if wrapper is not None:
            wrapper.load_model(content)
    except Exception as error:
        raise SourceError(
            f"{path} cannot be loaded as an XGBoost model ({first_line(error)}). It may be cut short: save it "
            "again with save_model."
        ) from error
    return from_booster(booster) if wrapper is None else from_wrapper(wrapper)


def _kind_of_wrapper(booster: Any) -> str | None:
    """The wrapper that saved the booster, by the attribute that wrappers write; None where none did."""
    written = booster.attr("scikit_learn")
    return None if written is None else _WRAPPERS.get(json.loads(written).get("_estimator_type"))


def from_wrapper(wrapper: Any) -> BoostedSource:
    """A wrapper that was loaded from a file, or trained on pandas categories, as a source."""
    xgboost = require("xgboost", "xgboost")
    boosted = read_wrapper(wrapper)
    booster, name = wrapper.get_booster(), type(wrapper).__name__
    classifies = name == "XGBClassifier"
    return BoostedSource(
        framework=f"XGBoost {xgboost.__version__}",
        estimator=name,
        boosted=boosted,
        names=_names(booster),
        count=int(booster.num_features()),
        predict_raw=_by_name(wrapper.predict_proba if classifies else wrapper.predict, _names(booster)),
        predict_labels=_by_name(wrapper.predict, _names(booster)) if classifies else None,
        classifies=classifies,
        classes=tuple(np.asarray(wrapper.classes_).tolist()) if hasattr(wrapper, "classes_") else None,
        find_categories=of_xgboost(booster),
        refuse_unseen=True,
    )


def from_booster(booster: Any) -> BoostedSource:
    """A Booster as a source: `Booster.predict` uses all its rounds, also where training was stopped early."""
    xgboost = require("xgboost", "xgboost")
    boosted = read_booster(booster)
    classifies = boosted.link == "softmax" or '"binary:logistic"' in booster.save_config()
    if classifies:
        refuse_several_labels(boosted)

    categories = of_xgboost(booster)

    def predict(rows: Any) -> Any:
        # `predict` applies the link to the margins, except for `multi:softmax`, which returns labels alone.
        if categories is None:
            matrix = xgboost.DMatrix(
                rows, feature_names=booster.feature_names, feature_types=booster.feature_types
            )
        else:
            matrix = xgboost.DMatrix(rows, enable_categorical=True)
        if boosted.link == "softmax":
            margins = booster.predict(matrix, output_margin=True).astype(np.float64)
            shares = np.exp(margins - margins.max(axis=1, keepdims=True))
            return shares / shares.sum(axis=1, keepdims=True)
        return booster.predict(matrix)

    rounds, best = int(booster.num_boosted_rounds()), _best_rounds(booster)
    stopped = best < rounds
    return BoostedSource(
        framework=f"XGBoost {xgboost.__version__}",
        estimator=f"Booster with all its {rounds} rounds, of which {best} were best" if stopped else "Booster",
        boosted=boosted,
        names=_names(booster),
        count=int(booster.num_features()),
        predict_raw=predict,
        classifies=classifies,
        notice=_notice(rounds, best) if stopped else None,
        find_categories=categories,
        refuse_unseen=True,
    )


def _best_rounds(booster: Any) -> int:
    """How many rounds early stopping found best; all where training was not stopped."""
    best = booster.attr("best_iteration")
    return int(booster.num_boosted_rounds()) if best is None else int(best) + 1


def _notice(rounds: int, best: int) -> str:
    return (
        f"the model is a bare Booster of {rounds} rounds, of which early stopping found {best} best; it is "
        f"packaged with all of them, as Booster.predict uses them. Save booster[:{best}] to serve the best alone, "
        "as the scikit-learn wrappers do."
    )


def _by_name(predict: Callable[[Any], Any], names: tuple[str, ...] | None) -> Callable[[Any], Any]:
    """``predict``, which may require a table with the features' names."""

    def call(rows: Any) -> Any:
        bare = isinstance(rows, np.ndarray) and names is not None
        return predict(pd.DataFrame(rows, columns=list(names or ())) if bare else rows)

    return call


def _names(booster: Any) -> tuple[str, ...] | None:
    return None if booster.feature_names is None else tuple(booster.feature_names)
