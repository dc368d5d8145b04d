"""LightGBM: model files in its text format, and pickled Boosters."""

from pathlib import Path
from typing import Any

from serinus.modelpack.convert.lightgbm import read_booster
from serinus.modelpack.errors import SourceError, first_line
from serinus.modelpack.sources.boosted import BoostedSource
from serinus.modelpack.sources.extras import require


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
    if booster.pandas_categorical and any(booster.pandas_categorical):
        raise SourceError(
            "the LightGBM model was trained on pandas categories, whose codes a request does not have. Put an "
            "OrdinalEncoder before it in a scikit-learn pipeline, and package the pipeline."
        )
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
    )
