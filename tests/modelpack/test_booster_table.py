"""Every objective, kind of tree and attribute of `docs/boosters.md`, each with a small model: the graph predicts
as the library does, or the model is refused by name.

The expected values are `predict` and `predict_proba` of the library's own classes.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
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

DOCUMENT = Path(__file__).parents[2] / "docs" / "boosters.md"
ROWS = 160
_RANDOM = np.random.default_rng(0)
NUMBERS = pd.DataFrame(_RANDOM.normal(size=(ROWS, 3)), columns=list("abc"))
SCORE = (NUMBERS["a"] + NUMBERS["b"] * NUMBERS["c"]).to_numpy()
HOLED = NUMBERS.mask(_RANDOM.random(NUMBERS.shape) < 0.08)
GROUPS = np.repeat(np.arange(16), 10)
TARGETS: dict[str, Any] = {
    "two": (SCORE > 0).astype(int),
    "words": np.where(SCORE > 0, "yes", "no"),
    "three": np.digitize(SCORE, [-1.0, 1.0]),
    "number": SCORE,
    "positive": np.abs(SCORE) + 0.1,
    "count": np.floor(np.abs(SCORE)),
    "share": 1.0 / (1.0 + np.exp(-SCORE)),
    "grade": np.clip(np.floor(SCORE + 2.0), 0, 4).astype(int),
    "pair": np.column_stack([SCORE, -SCORE]),
    "labels": np.column_stack([SCORE > 0, SCORE > 1]).astype(int),
}
XGB: dict[str, Any] = {"n_estimators": 4, "max_depth": 3, "n_jobs": 1, "verbosity": 0}
LGB: dict[str, Any] = {"n_estimators": 4, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}
CAT: dict[str, Any] = {"iterations": 4, "depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}

XGB_OBJECTIVES = {
    "binary:logistic": "two",
    "binary:logitraw": "two",
    "binary:hinge": "two",
    "multi:softprob": "three",
    "multi:softmax": "three",
    "reg:logistic": "share",
    "reg:squarederror": "number",
    "reg:squaredlogerror": "positive",
    "reg:pseudohubererror": "number",
    "reg:absoluteerror": "number",
    "reg:quantileerror": "number",
    "count:poisson": "count",
    "reg:gamma": "positive",
    "reg:tweedie": "count",
    "survival:cox": "positive",
    "rank:ndcg": "grade",
    "rank:pairwise": "grade",
    "rank:map": "two",
}
LGB_OBJECTIVES = {
    "binary": "words",
    "multiclass": "three",
    "multiclassova": "three",
    "cross_entropy": "share",
    "cross_entropy_lambda": "share",
    "regression": "number",
    "regression_l1": "number",
    "huber": "number",
    "fair": "number",
    "poisson": "count",
    "quantile": "number",
    "mape": "positive",
    "gamma": "positive",
    "tweedie": "count",
    "lambdarank": "grade",
    "rank_xendcg": "grade",
}
CAT_OBJECTIVES = {
    "Logloss": "words",
    "CrossEntropy": "two",
    "Focal:focal_alpha=0.5;focal_gamma=0.3": "two",
    "MultiClass": "three",
    "MultiClassOneVsAll": "three",
    "RMSE": "number",
    "RMSEWithUncertainty": "number",
    "MAE": "number",
    "Quantile:alpha=0.3": "number",
    "MultiQuantile:alpha=0.2,0.8": "number",
    "GroupQuantile": "number",
    "MAPE": "positive",
    "Huber:delta=1": "number",
    "Expectile:alpha=0.3": "number",
    "LogLinQuantile": "positive",
    "LogCosh": "number",
    "Lq:q=3": "number",
    "Poisson": "count",
    "Tweedie:variance_power=1.5": "count",
    "MultiRMSE": "pair",
    "Cox": "positive",
    "YetiRank": "grade",
    "PairLogit": "grade",
    "QueryRMSE": "grade",
    "QuerySoftMax": "two",
    "StochasticRank:metric=DCG": "grade",
    "LambdaMart:metric=NDCG": "grade",
}
#: Settings under which other trees grow, or the same predict otherwise.
XGB_SETTINGS: dict[str, dict[str, Any]] = {
    "dart": {"booster": "dart", "rate_drop": 0.3},
    "gblinear": {"booster": "gblinear"},
    "num_parallel_tree": {"num_parallel_tree": 3, "subsample": 0.7, "colsample_bynode": 0.7},
    "base_score": {"base_score": 0.3},
    "missing": {"missing": -999.0},
    "scale_pos_weight": {"scale_pos_weight": 3.0},
    "lossguide": {"grow_policy": "lossguide", "max_leaves": 7},
    "exact": {"tree_method": "exact"},
    "early stopping": {"n_estimators": 40, "learning_rate": 0.8, "early_stopping_rounds": 2},
}
LGB_SETTINGS: dict[str, dict[str, Any]] = {
    "dart": {"boosting_type": "dart"},
    "rf": {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1},
    "goss": {"data_sample_strategy": "goss"},
    "use_missing": {"use_missing": False},
    "zero_as_missing": {"zero_as_missing": True},
    "sigmoid": {"sigmoid": 2.0},
    "boost_from_average": {"boost_from_average": False},
    "no split": {"min_child_samples": 1000},
}
CAT_SETTINGS: dict[str, dict[str, Any]] = {
    "Depthwise": {"grow_policy": "Depthwise"},
    "Lossguide": {"grow_policy": "Lossguide"},
    "nan_mode Max": {"nan_mode": "Max"},
    "nan_mode Min": {"nan_mode": "Min"},
    "class_weights": {"class_weights": [1.0, 3.0]},
    "Ordered": {"boosting_type": "Ordered"},
}


def _xgboost(objective: str, target: str, **settings: Any) -> Any:
    ranks = objective.startswith("rank:")
    kind = xgboost.XGBRanker if ranks else xgboost.XGBRegressor
    if objective.startswith(("binary:", "multi:")):
        kind = xgboost.XGBClassifier
    if objective == "reg:quantileerror":
        settings["quantile_alpha"] = 0.3
    model = kind(**{**XGB, **settings}, objective=objective)
    how: dict[str, Any] = {"group": [80, 80]} if ranks else {}
    if "early_stopping_rounds" in settings:
        # Labels of other rows: the first rounds are the best.
        how = {"eval_set": [(HOLED, np.roll(TARGETS[target], 7))], "verbose": False}
    rows = HOLED.fillna(settings["missing"]) if "missing" in settings else HOLED
    return model.fit(rows, TARGETS[target], **how)


def _lightgbm(objective: str, target: str, **settings: Any) -> Any:
    ranks = "rank" in objective
    kind = lightgbm.LGBMRanker if ranks else lightgbm.LGBMRegressor
    if target in ("words", "three", "two"):
        kind = lightgbm.LGBMClassifier
    model = kind(**{**LGB, **settings}, objective=objective)
    return model.fit(_rows(settings), TARGETS[target], **({"group": [80, 80]} if ranks else {}))


def _catboost(loss: str, target: str, **settings: Any) -> Any:
    in_groups = loss.split(":")[0] in (
        "YetiRank",
        "PairLogit",
        "QueryRMSE",
        "QuerySoftMax",
        "StochasticRank",
        "LambdaMart",
        "GroupQuantile",
    )
    classes = ("Logloss", "CrossEntropy", "Focal", "MultiClass", "MultiClassOneVsAll", "MultiLogloss")
    kind = catboost.CatBoostRanker if in_groups else catboost.CatBoostRegressor
    if loss.split(":")[0] in classes:
        kind = catboost.CatBoostClassifier
    model = kind(**CAT, loss_function=loss, **settings)
    pool = catboost.Pool(HOLED, TARGETS[target], group_id=GROUPS if in_groups else None)
    return model.fit(pool)


def _rows(settings: dict[str, Any]) -> pd.DataFrame:
    """Rows with zeros, and numbers so small that LightGBM takes them for zero, where zeros are missing."""
    if "zero_as_missing" not in settings:
        return HOLED
    return HOLED.assign(a=HOLED["a"].where(HOLED["a"] > 0, 1e-36), b=HOLED["b"].where(HOLED["b"] > 0, 0.0))


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
    model = _xgboost(objective, target)
    _check_model(model)
    for name in ("model.json", "model.ubj"):
        model.save_model(tmp_path / name)
        _check(_load(tmp_path / name), _expected(model, HOLED), HOLED)


@pytest.mark.parametrize("setting", XGB_SETTINGS)
@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob", "reg:squarederror"])
def test_settings_of_xgboost(setting: str, objective: str) -> None:
    settings = XGB_SETTINGS[setting]
    model = _xgboost(objective, XGB_OBJECTIVES[objective], **settings)
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
    _check_model(_xgboost("reg:squarederror", "pair", multi_strategy=strategy, booster=booster))
    model = xgboost.XGBRegressor(**XGB, objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9])
    _check_model(model.fit(HOLED, SCORE))


@pytest.mark.parametrize("kind", [xgboost.XGBRFClassifier, xgboost.XGBRFRegressor])
def test_forests_of_xgboost(kind: Callable[..., Any]) -> None:
    _check_model(kind(n_estimators=4, max_depth=3).fit(HOLED, TARGETS["two"]))


@pytest.mark.parametrize(("objective", "target"), LGB_OBJECTIVES.items())
def test_objectives_of_lightgbm(objective: str, target: str, tmp_path: Path) -> None:
    model = _lightgbm(objective, target)
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
    _check_model(_lightgbm(objective, LGB_OBJECTIVES[objective], **settings), _rows(settings))


@pytest.mark.parametrize("objective", ["regression", "regression_l1", "huber", "fair", "quantile"])
def test_square_roots_of_lightgbm(objective: str) -> None:
    _check_model(_lightgbm(objective, "number", reg_sqrt=True))


@pytest.mark.parametrize(("loss", "target"), CAT_OBJECTIVES.items())
def test_objectives_of_catboost(loss: str, target: str, tmp_path: Path) -> None:
    model = _catboost(loss, target)
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
    _check_model(_catboost(loss, CAT_OBJECTIVES[loss], **CAT_SETTINGS[setting]))


def test_scale_and_bias_of_catboost() -> None:
    model = _catboost("RMSE", "number")
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
    "linear trees": (lambda: _lightgbm("regression", "number", linear_tree=True), "linear_tree.*without it"),
    "a classifier's own objective": (
        lambda: lightgbm.LGBMClassifier(**LGB | {"objective": _own_objective}).fit(HOLED, TARGETS["two"]),
        "objective of its own.*booster_",
    ),
    "several labels of CatBoost": (lambda: _catboost("MultiLogloss", "labels"), "MultiLogloss.*one model a label"),
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
