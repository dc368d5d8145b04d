"""LightGBM: model files in its text format, and pickled Boosters."""

from pathlib import Path
from typing import Any

import numpy as np

from serinus.modelpack.convert.lightgbm import read_booster, read_wrapper
from serinus.modelpack.errors import SourceError, first_line
from serinus.modelpack.sources.boosted import BoostedSource
from serinus.modelpack.sources.extras import require
from serinus.modelpack.sources.pandas_categories import of_lightgbm


def open_file(path: Path) -> BoostedSource:
    """The booster in text file ``path``."""
    lightgbm = require("lightgbm", "lightgbm")
    text = path.read_text(encoding="utf-8", errors="replace")
    # The library ends the process on some files that were cut short, so the end is checked first.
    if "end of trees" not in text:
        raise SourceError(f"{path} is a LightGBM model cut short: it has no 'end of trees'. Save it again.")
    if "\nparameters:" in text and "\nend of parameters" not in text:
        raise SourceError(f"{path} is a LightGBM model cut short: it has no 'end of parameters'. Save it again.")
    try:
        booster = lightgbm.Booster(model_str=text)
    except Exception as error:
        raise SourceError(
            f"{path} cannot be loaded as a LightGBM model ({first_line(error)}). Save it again."
        ) from error
    return from_booster(booster)


def from_booster(booster: Any) -> BoostedSource:
    """A Booster as a source."""
    lightgbm = require("lightgbm", "lightgbm")
    boosted = read_booster(booster)
    names = tuple(booster.feature_name())
    unnamed = names == tuple(f"Column_{index}" for index in range(len(names)))
    return BoostedSource(
        framework=f"LightGBM {lightgbm.__version__}",
        estimator="Booster",
        boosted=boosted,
        names=None if unnamed else names,
        count=len(names),
        predict_raw=booster.predict,
        classifies=boosted.classes > 0
        and not str(booster.dump_model(num_iteration=1)["objective"]).startswith("cross"),
        find_categories=of_lightgbm(booster),
    )


def from_wrapper(model: Any) -> BoostedSource:
    """A fitted LGBMClassifier, LGBMRegressor or LGBMRanker, trained on pandas categories, as a source."""
    lightgbm = require("lightgbm", "lightgbm")
    booster = model.booster_
    boosted = read_wrapper(model)
    classifies = isinstance(model, lightgbm.LGBMClassifier)
    return BoostedSource(
        framework=f"LightGBM {lightgbm.__version__}",
        estimator=type(model).__name__,
        boosted=boosted,
        names=tuple(booster.feature_name()),
        count=int(booster.num_feature()),
        predict_raw=model.predict_proba if classifies else model.predict,
        predict_labels=model.predict if classifies else None,
        classifies=classifies,
        classes=tuple(np.asarray(model.classes_).tolist()) if classifies else None,
        find_categories=of_lightgbm(booster),
    )
