"""Every objective, kind of tree and attribute of `docs/boosters.md`, each with a small model: the graph predicts
as the library does, or the model is refused by name.

The expected values are `predict` and `predict_proba` of the library's own classes.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost

from serinus.modelpack import sources
from serinus.modelpack.errors import ConversionError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.progress import Silent
from serinus.modelpack.sample import fit_to_model

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from catalogue.boosters import (
    CAT_OBJECTIVES,
    CAT_SETTINGS,
    HOLED,
    LGB,
    LGB_OBJECTIVES,
    LGB_SETTINGS,
    SCORE,
    TARGETS,
    XGB,
    XGB_OBJECTIVES,
    XGB_SETTINGS,
    rows_for,
    train_catboost,
    train_lightgbm,
    train_xgboost,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "boosters.md"


def _expected(model: Any, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    if hasattr(model, "predict_proba"):
        return {"label": np.ravel(model.predict(rows)), "probabilities": model.predict_proba(rows)}
    return {"value": np.asarray(model.predict(rows))}


def _check(source: sources.Source, expected: dict[str, np.ndarray], rows: pd.DataFrame) -> None:
    sample = fit_to_model(rows, names=source.feature_names, count=source.feature_count)
    served = Runner(next(iter(source.graphs(sample))).model, sample)(sample.frame)
    for name, values in expected.items():
        if name == "label":
            assert (
                served["label"].astype(str).tolist() == values.astype(served["label"].dtype).astype(str).tolist()
            )
            continue
        scale = np.abs(values).max()
        np.testing.assert_allclose(served[name], values.reshape(served[name].shape), atol=3e-6 * scale, rtol=1e-5)


def _check_model(model: Any, rows: pd.DataFrame = HOLED) -> None:
    _check(sources.from_object(model, Path("model")), _expected(model, rows), rows)


def _load(path: Path) -> sources.Source:
    return sources.load(path, sources.detect_format(path), trust=(), allow_version_skew=False, progress=Silent())


@pytest.mark.parametrize(("objective", "target"), XGB_OBJECTIVES.items())
def test_objectives_of_xgboost(objective: str, target: str, tmp_path: Path) -> None:
    model = train_xgboost(objective, target)
    _check_model(model)
    for name in ("model.json", "model.ubj"):
        model.save_model(tmp_path / name)
        _check(_load(tmp_path / name), _expected(model, HOLED), HOLED)


@pytest.mark.parametrize("setting", XGB_SETTINGS)
@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob", "reg:squarederror"])
def test_settings_of_xgboost(setting: str, objective: str) -> None:
    settings = XGB_SETTINGS[setting]
    model = train_xgboost(objective, XGB_OBJECTIVES[objective], **settings)
    if setting == "early stopping":
        assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    _check_model(model, HOLED.fillna(settings["missing"]) if "missing" in settings else HOLED)


@pytest.mark.parametrize("distribution", ["normal", "logistic", "extreme"])
def test_survival_of_xgboost(distribution: str) -> None:
    matrix = xgboost.DMatrix(HOLED)
    matrix.set_float_info("label_lower_bound", TARGETS["positive"])
    matrix.set_float_info("label_upper_bound", TARGETS["positive"] + 1.0)
    settings = {"objective": "survival:aft", "aft_loss_distribution": distribution, "max_depth": 3}
    booster = xgboost.train(settings, matrix, 4)
    _check(sources.from_object(booster, Path("model")), {"value": booster.predict(matrix)}, HOLED)


@pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
@pytest.mark.parametrize("booster", ["gbtree", "gblinear"])
def test_several_numbers_of_xgboost(strategy: str, booster: str) -> None:
    if booster == "gblinear" and strategy == "multi_output_tree":
        strategy = "one_output_per_tree"
    _check_model(train_xgboost("reg:squarederror", "pair", multi_strategy=strategy, booster=booster))
    model = xgboost.XGBRegressor(**XGB, objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9])
    _check_model(model.fit(HOLED, SCORE))


@pytest.mark.parametrize("kind", [xgboost.XGBRFClassifier, xgboost.XGBRFRegressor])
def test_forests_of_xgboost(kind: Callable[..., Any]) -> None:
    _check_model(kind(n_estimators=4, max_depth=3).fit(HOLED, TARGETS["two"]))


@pytest.mark.parametrize(("objective", "target"), LGB_OBJECTIVES.items())
def test_objectives_of_lightgbm(objective: str, target: str, tmp_path: Path) -> None:
    model = train_lightgbm(objective, target)
    _check_model(model)
    model.booster_.save_model(str(tmp_path / "model.txt"))
    raw = model.booster_.predict(HOLED)
    loaded = _load(tmp_path / "model.txt")
    if loaded.task == "classification":
        _check(loaded, {"probabilities": raw if raw.ndim == 2 else np.column_stack([1 - raw, raw])}, HOLED)
    else:
        _check(loaded, {"value": raw}, HOLED)


@pytest.mark.parametrize("setting", LGB_SETTINGS)
@pytest.mark.parametrize("objective", ["binary", "regression"])
def test_settings_of_lightgbm(setting: str, objective: str) -> None:
    settings = LGB_SETTINGS[setting]
    _check_model(train_lightgbm(objective, LGB_OBJECTIVES[objective], **settings), rows_for(settings))


@pytest.mark.parametrize("objective", ["regression", "regression_l1", "huber", "fair", "quantile"])
def test_square_roots_of_lightgbm(objective: str) -> None:
    _check_model(train_lightgbm(objective, "number", reg_sqrt=True))


@pytest.mark.parametrize(("loss", "target"), CAT_OBJECTIVES.items())
def test_objectives_of_catboost(loss: str, target: str, tmp_path: Path) -> None:
    model = train_catboost(loss, target)
    _check_model(model)
    model.save_model(str(tmp_path / "model.cbm"))
    _check(_load(tmp_path / "model.cbm"), _expected(model, HOLED), HOLED)


@pytest.mark.parametrize("setting", CAT_SETTINGS)
@pytest.mark.parametrize("loss", ["Logloss", "MultiClass", "RMSE"])
def test_settings_of_catboost(setting: str, loss: str) -> None:
    if setting == "class_weights" and loss != "Logloss":
        setting = "Depthwise"
    if setting == "Ordered" and loss == "MultiClass":
        setting = "Lossguide"
    _check_model(train_catboost(loss, CAT_OBJECTIVES[loss], **CAT_SETTINGS[setting]))


def test_scale_and_bias_of_catboost() -> None:
    model = train_catboost("RMSE", "number")
    model.set_scale_and_bias(2.0, 3.0)
    model.shrink(3)
    _check_model(model)


def _own_objective(truth: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = 1.0 / (1.0 + np.exp(-raw))
    return share - truth, share * (1.0 - share)


def test_objectives_of_ones_own() -> None:
    _check_model(xgboost.XGBRegressor(**XGB | {"objective": _own_objective}).fit(HOLED, TARGETS["two"]))
    _check_model(lightgbm.LGBMRegressor(**LGB | {"objective": _own_objective}).fit(HOLED, TARGETS["two"]))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "several labels of XGBoost": (
        lambda: xgboost.XGBClassifier(**XGB).fit(HOLED, TARGETS["labels"]),
        "2 labels at once.*one model a label",
    ),
    "softprob of two classes": (
        lambda: xgboost.XGBClassifier(**XGB, objective="multi:softprob", num_class=2).fit(HOLED, TARGETS["two"]),
        "both labels at once.*binary:logistic",
    ),
    "linear trees": (lambda: train_lightgbm("regression", "number", linear_tree=True), "linear_tree.*without it"),
    "a classifier's own objective": (
        lambda: lightgbm.LGBMClassifier(**LGB | {"objective": _own_objective}).fit(HOLED, TARGETS["two"]),
        "objective of its own.*booster_",
    ),
    "several labels of CatBoost": (
        lambda: train_catboost("MultiLogloss", "labels"),
        "MultiLogloss.*one model a label",
    ),
}


def _convert(model: Any) -> None:
    source = sources.from_object(model, Path("model"))
    next(iter(source.graphs(fit_to_model(HOLED, names=source.feature_names, count=None))))


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_says_why_and_what_to_do(kind: str) -> None:
    make, message = REFUSED[kind]
    model = make()
    with pytest.raises(ConversionError, match=message) as caught:
        _convert(model)
    assert "\n" not in str(caught.value)


def test_the_document_lists_what_is_tested() -> None:
    packaged = re.findall(r"^\| (XGBoost|LightGBM|CatBoost) \| ([^|]*)", DOCUMENT.read_text(), re.MULTILINE)
    listed = {library: set(re.findall(r"`([\w:]+)`", text)) for library, text in packaged[:3]}
    assert listed["XGBoost"] == {*XGB_OBJECTIVES, "survival:aft"}
    assert listed["LightGBM"] == set(LGB_OBJECTIVES)
    assert listed["CatBoost"] == {loss.split(":")[0] for loss in CAT_OBJECTIVES}
