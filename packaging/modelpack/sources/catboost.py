"""CatBoost: model files in its own binary format, and pickled models.

A file does not say which of CatBoost's classes saved it; its loss does, and that class predicts: labels by the
threshold that `set_probability_threshold` set, counts by their logarithm.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from serinus.modelpack.convert.boosted import Boosted
from serinus.modelpack.convert.catboost import read_model
from serinus.modelpack.errors import SourceError, first_line
from serinus.modelpack.sources.boosted import BoostedSource
from serinus.modelpack.sources.extras import require


def open_file(path: Path) -> BoostedSource:
    """The model in .cbm file ``path``."""
    catboost = require("catboost", "catboost")
    _refuse_false_size(path)
    model = catboost.CatBoost()
    try:
        model.load_model(str(path), format="cbm")
    except Exception as error:
        raise SourceError(
            f"{path} cannot be loaded as a CatBoost model ({first_line(error)}). It may be cut short: save it "
            "again with save_model."
        ) from error
    boosted = read_model(model)
    wrapper = catboost.CatBoostClassifier() if boosted.classes else catboost.CatBoostRegressor()
    return _source(wrapper.load_model(str(path), format="cbm"), boosted)


def _refuse_false_size(path: Path) -> None:
    """CatBoost allocates memory for the size that the file claims, and ends the process where it gets none."""
    with path.open("rb") as file:
        head = file.read(8)
    claimed = int.from_bytes(head[4:8], "little")
    size = path.stat().st_size
    if len(head) < 8 or 8 + claimed > size:
        raise SourceError(
            f"{path} cannot be loaded as a CatBoost model (it claims {claimed} bytes of trees and has {size}). It "
            "may be cut short: save it again with save_model."
        )


def from_model(model: Any) -> BoostedSource:
    """A fitted CatBoost model as a source."""
    return _source(model, read_model(model))


def _source(model: Any, boosted: Boosted) -> BoostedSource:
    catboost = require("catboost", "catboost")
    names = tuple(str(name) for name in model.feature_names_)
    unnamed = names == tuple(str(index) for index in range(len(names)))
    classes = [
        label.item() if isinstance(label, np.generic) else label for label in np.asarray(model.classes_).tolist()
    ]
    # Rankers and regressors have their own `predict`; a plain CatBoost returns raw sums by default.
    plain = type(model) is catboost.CatBoost
    classifier = catboost.CatBoostClassifier
    settings = {"prediction_type": "Exponent" if boosted.link == "exp" else "RawFormulaVal"} if plain else {}
    return BoostedSource(
        framework=f"CatBoost {catboost.__version__}",
        estimator=type(model).__name__,
        boosted=boosted,
        names=None if unnamed else names,
        count=len(names),
        predict_raw=partial(classifier.predict_proba, model)
        if boosted.classes
        else partial(model.predict, **settings),
        predict_labels=partial(classifier.predict, model) if boosted.classes else None,
        classifies=boosted.classes > 0,
        classes=tuple(classes) or None,
        notice=_notice(boosted) if plain and boosted.link != "identity" else None,
    )


def _notice(boosted: Boosted) -> str:
    wrapper = "CatBoostClassifier" if boosted.classes else "CatBoostRegressor"
    return (
        f"the model is a plain CatBoost, whose predict returns raw sums by default; the bundle predicts as a "
        f"{wrapper} of the same trees."
    )
