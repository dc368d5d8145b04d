"""The pandas categories that LightGBM and XGBoost were trained on.

Both train on the codes of categorical columns and keep the categories in the model. A request holds the categories
themselves; the graph maps them to the codes, and the reference is the library's own mapping of a pandas table.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serinus.modelpack.errors import ConversionError
from serinus.modelpack.sources.source import Category

#: Categories by the position of their column.
Coded = dict[int, tuple[Category, ...]]
#: Returns the categories, given which columns hold strings (None: that is not known yet).
FindCategories = Callable[[frozenset[int] | None], Coded]


@dataclass(frozen=True, slots=True)
class _Feature:
    """What a LightGBM model says of a feature: whether it splits it by category, and the range of its values where
    all are whole numbers."""

    by_category: bool
    low: float
    high: float

    def may_be(self, categories: Sequence[Category]) -> bool:
        """Whether its values may be codes of ``categories``."""
        return self.low >= -1 and self.high < len(categories)


def of_xgboost(booster: Any) -> FindCategories | None:
    """The categories in an XGBoost model; None where it has none, as all models of releases before 3.1, which did
    not keep them. Raises `ConversionError` for damaged ones."""
    kinds = booster.feature_types or []
    if "c" not in kinds:
        return None
    model = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    kept = model.get("model", model.get("gbtree", {}).get("model", {})).get("cats", {}).get("enc", [])
    if not any(item.get("values") for item in kept):
        return None
    if any(not 0 <= byte < 128 for item in kept if "offsets" in item for byte in item["values"]):
        # It counts their characters and stores bytes: some categories are cut, and others begin with the rest.
        raise ConversionError(
            "XGBoost stores categories beyond ASCII damaged, and they cannot be read from the model. Train with "
            "ASCII categories, or put an OrdinalEncoder before the model in a scikit-learn pipeline.",
            "pandas categories",
        )
    listed = booster.get_categories(export_to_arrow=True).to_arrow()
    coded = {
        position: _plain("XGBoost", column.to_pylist())
        for position, (_, column) in enumerate(listed)
        if column is not None
    }
    return lambda _: coded


def of_lightgbm(booster: Any) -> FindCategories | None:
    """The categories in a LightGBM model; None where it has none."""
    lists = booster.pandas_categorical or []
    if not lists:
        return None
    entries = [_plain("LightGBM", values) for values in lists]
    features = _read_features(booster.model_to_string(num_iteration=1))

    def find(strings: frozenset[int] | None) -> Coded:
        """The model keeps the categories in the order of their columns, and not which columns those are: mostly
        the ones that it splits by category, and ordered ones beside them."""
        required = {position for position, feature in enumerate(features) if feature.by_category}
        for must in (required, set[int]()):
            ways = _alignments(entries, features, must | (strings or frozenset()), strings)
            first, second = next(ways, None), next(ways, None)
            if first is not None and second is None:
                return first
            if first is not None:
                break
        if strings is None:
            return {}
        raise ConversionError(
            f"the LightGBM model has {len(entries)} pandas categories, some of them ordered, and does not say of "
            "which columns. Train with unordered ones (Series.cat.as_unordered), or put an OrdinalEncoder before "
            "the model in a scikit-learn pipeline.",
            "pandas_categorical",
        )

    return find


def as_table(frame: pd.DataFrame, coded: Coded, *, refuse_unseen: bool) -> pd.DataFrame:
    """``frame`` as the libraries were trained: its categorical columns with pandas' dtype, unseen values included,
    the others as doubles. ``refuse_unseen``: ValueError for them. XGBoost itself raises an error for most unseen
    categories, and takes some for ones that it has."""
    columns: dict[str, Any] = {}
    for position, name in enumerate(frame.columns):
        if position not in coded:
            columns[str(name)] = frame[name].to_numpy(dtype=np.float64)
            continue
        known = list(coded[position])
        cells = [None if pd.isna(cell) else cell for cell in frame[name]]
        if {type(value) for value in known} == {bool}:
            cells = [bool(cell) if cell in (0, 1) else cell for cell in cells]
        unseen = dict.fromkeys(cell for cell in cells if cell is not None and cell not in known)
        if unseen and refuse_unseen:
            raise ValueError(f"{next(iter(unseen))!r} is no category of column {name!r}")
        columns[str(name)] = pd.Categorical(cells, categories=[*known, *unseen])
    return pd.DataFrame(columns)


def _plain(library: str, values: Sequence[Any]) -> tuple[Category, ...]:
    plain = tuple(value.item() if isinstance(value, np.generic) else value for value in values)
    others = [value for value in plain if not isinstance(value, (str, int, float, bool))]
    if others:
        raise ConversionError(
            f"the {library} model was trained on pandas categories that are of type {type(others[0]).__name__}; "
            "texts, numbers and booleans are supported. Convert them to text before training.",
            "pandas categories",
        )
    return plain


def _read_features(model: str) -> list[_Feature]:
    """The features that the text of a LightGBM model describes.
    https://github.com/microsoft/LightGBM/blob/master/src/boosting/gbdt_model_text.cpp"""
    infos = re.search(r"^feature_infos=(.*)$", model, re.MULTILINE)
    named = re.search(r"^\[categorical_feature: ([\d,]*)\]$", model, re.MULTILINE)
    stated = {int(index) for index in (named[1] if named else "").split(",") if index}
    return [
        _feature(info, position in stated) for position, info in enumerate((infos[1] if infos else "").split(" "))
    ]


def _feature(info: str, stated: bool) -> _Feature:
    """``info`` is `[lowest:highest]`, the codes side by side, or `none` for a constant."""
    if info.startswith("["):
        low, high = (float(end) for end in info.strip("[]").split(":"))
        return _Feature(stated, low, high if low % 1 == high % 1 == 0 else np.inf)
    codes = [] if info == "none" else [float(code) for code in info.split(":")]
    return _Feature(stated or bool(codes), min(codes, default=0.0), max(codes, default=0.0))


def _alignments(
    entries: list[tuple[Category, ...]], features: list[_Feature], must: set[int], strings: frozenset[int] | None
) -> Iterator[Coded]:
    """The ways to give each of ``entries`` a column, in order, that leave out no column of ``must``."""

    def extend(entry: int, start: int, chosen: Coded) -> Iterator[Coded]:
        if entry == len(entries):
            if not any(position >= start for position in must):
                yield chosen
            return
        for position in range(start, len(features)):
            values = entries[entry]
            is_text = any(isinstance(value, str) for value in values)
            fits = strings is None or (position in strings) == is_text
            if fits and features[position].may_be(values):
                yield from extend(entry + 1, position + 1, {**chosen, position: values})
            if position in must:
                return

    return extend(0, 0, {})
