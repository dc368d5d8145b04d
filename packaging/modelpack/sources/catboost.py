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
    _refuse_false_size(path)
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


def _refuse_false_size(path: Path) -> None:
    """CatBoost sets memory aside for the size that the file claims, and ends the process where there is none."""
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
