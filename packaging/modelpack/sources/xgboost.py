"""XGBoost: model files in JSON or UBJSON, and pickled Boosters."""

from pathlib import Path
from typing import Any

import numpy as np

from modelpack.convert.xgboost import read_booster
from modelpack.errors import SourceError, first_line
from modelpack.sources.boosted import BoostedSource
from modelpack.sources.extras import require


def open_file(path: Path) -> BoostedSource:
    """The booster in JSON or UBJSON file ``path``."""
    xgboost = require("xgboost", "xgboost")
    booster = xgboost.Booster()
    try:
        # The ending of the name would decide the format; the content shall.
        booster.load_model(bytearray(path.read_bytes()))
    except Exception as error:
        raise SourceError(
            f"{path} cannot be loaded as an XGBoost model ({first_line(error)}). It may be cut short: save it "
            f"again "
            "with save_model."
        ) from error
    return from_booster(booster)


def from_booster(booster: Any) -> BoostedSource:
    """A Booster as a source."""
    xgboost = require("xgboost", "xgboost")
    boosted = read_booster(booster)
    names = None if booster.feature_names is None else tuple(booster.feature_names)

    def predict(rows: Any) -> Any:
        # Margins through the link are what `predict` gives, for `multi:softmax` too, which gives labels alone.
        matrix = xgboost.DMatrix(rows, feature_names=booster.feature_names, feature_types=booster.feature_types)
        if boosted.link == "softmax":
            margins = booster.predict(matrix, output_margin=True).astype(np.float64)
            shares = np.exp(margins - margins.max(axis=1, keepdims=True))
            return shares / shares.sum(axis=1, keepdims=True)
        return booster.predict(matrix)

    return BoostedSource(
        framework=f"XGBoost {xgboost.__version__}",
        estimator="Booster",
        boosted=boosted,
        names=names,
        count=int(booster.num_features()),
        predict_raw=predict,
        classifies=boosted.link == "softmax" or '"binary:logistic"' in booster.save_config(),
    )
