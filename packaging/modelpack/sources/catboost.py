"""CatBoost: model files in its own binary format, and pickled models."""

from pathlib import Path
from typing import Any

import numpy as np

from modelpack.convert.catboost import read_model
from modelpack.errors import SourceError, first_line
from modelpack.sources.boosted import BoostedSource
from modelpack.sources.extras import require


def open_file(path: Path) -> BoostedSource:
    """The model in .cbm file ``path``."""
    catboost = require("catboost", "catboost")
    model = catboost.CatBoost()
    try:
        model.load_model(str(path), format="cbm")
    except Exception as error:
        raise SourceError(
            f"{path} cannot be loaded as a CatBoost model ({first_line(error)}). It may be cut short: save it "
            f"again "
            "with save_model."
        ) from error
    return from_model(model)


def from_model(model: Any) -> BoostedSource:
    """A fitted CatBoost model as a source."""
    catboost = require("catboost", "catboost")
    boosted = read_model(model)
    names = tuple(str(name) for name in model.feature_names_)
    unnamed = names == tuple(str(place) for place in range(len(names)))
    classes = [
        label.item() if isinstance(label, np.generic) else label for label in np.asarray(model.classes_).tolist()
    ]

    def predict(rows: Any) -> Any:
        if boosted.classes:
            return catboost.CatBoost.predict(model, rows, prediction_type="Probability")
        kind = "Exponent" if boosted.link == "exp" else "RawFormulaVal"
        return catboost.CatBoost.predict(model, rows, prediction_type=kind)

    return BoostedSource(
        framework=f"CatBoost {catboost.__version__}",
        estimator=type(model).__name__,
        boosted=boosted,
        names=None if unnamed else names,
        count=len(names),
        predict_raw=predict,
        classifies=boosted.classes > 0,
        classes=tuple(classes) or None,
    )
