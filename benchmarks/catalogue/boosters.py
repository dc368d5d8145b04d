"""A small model of every objective, kind of tree and attribute of XGBoost, LightGBM and CatBoost."""

from collections.abc import Iterator
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost

from catalogue.estimators import Case

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


def train_xgboost(objective: str, target: str, **settings: Any) -> Any:
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


def train_lightgbm(objective: str, target: str, **settings: Any) -> Any:
    ranks = "rank" in objective
    kind = lightgbm.LGBMRanker if ranks else lightgbm.LGBMRegressor
    if target in ("words", "three", "two"):
        kind = lightgbm.LGBMClassifier
    model = kind(**{**LGB, **settings}, objective=objective)
    return model.fit(rows_for(settings), TARGETS[target], **({"group": [80, 80]} if ranks else {}))


def train_catboost(loss: str, target: str, **settings: Any) -> Any:
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


def rows_for(settings: dict[str, Any]) -> pd.DataFrame:
    """Rows with zeros, and numbers so small that LightGBM takes them for zero, where zeros are missing."""
    if "zero_as_missing" not in settings:
        return HOLED
    return HOLED.assign(a=HOLED["a"].where(HOLED["a"] > 0, 1e-36), b=HOLED["b"].where(HOLED["b"] > 0, 0.0))


def other_rows(settings: dict[str, Any]) -> pd.DataFrame:
    """500 rows outside the training rows, with missing values as ``settings`` have them."""
    random = np.random.default_rng(1)
    rows = pd.DataFrame(random.normal(size=(500, 3)), columns=list("abc"))
    rows = rows.mask(random.random(rows.shape) < 0.08)
    if "missing" in settings:
        return rows.fillna(settings["missing"])
    if "zero_as_missing" in settings:
        return rows.assign(a=rows["a"].where(rows["a"] > 0, 1e-36), b=rows["b"].where(rows["b"] > 0, 0.0))
    return rows


def cases(library: str) -> Iterator[Case]:
    """Models of ``library``, trained: one of each objective, and of each setting for two objectives or three."""
    several = ("binary:logistic", "multi:softprob", "reg:squarederror")
    train, objectives, settings, names = {
        "XGBoost": (train_xgboost, XGB_OBJECTIVES, XGB_SETTINGS, several),
        "LightGBM": (train_lightgbm, LGB_OBJECTIVES, LGB_SETTINGS, ("binary", "regression")),
        "CatBoost": (train_catboost, CAT_OBJECTIVES, CAT_SETTINGS, ("Logloss", "RMSE")),
    }[library]
    for objective, target in objectives.items():
        yield _case(library, objective, train(objective, target), {})
    for title, values in settings.items():
        for objective in names:
            if title == "class_weights" and objective == "RMSE":
                continue  # a regressor has none
            model = train(objective, objectives[objective], **values)
            yield _case(library, f"{title}, {objective}", model, values)


def _case(library: str, name: str, model: Any, settings: dict[str, Any]) -> Case:
    table = HOLED.fillna(settings["missing"]) if "missing" in settings else rows_for(settings)
    return Case(library, name, model, table, None, other_rows(settings), is_double=False)
