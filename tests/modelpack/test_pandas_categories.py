"""LightGBM and XGBoost models trained on pandas categories: requests hold the categories themselves.

The expected values are the library's own, for tables with columns of pandas' categorical dtype.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import ConversionError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.sources import from_object

ROWS = 300
LIGHT: dict[str, Any] = {
    "n_estimators": 6,
    "min_data_per_group": 5,
    "cat_smooth": 1,
    "min_child_samples": 5,
    "verbose": -1,
}
EXTREME: dict[str, Any] = {"n_estimators": 6, "max_depth": 4, "enable_categorical": True, "n_jobs": 1}


def _table(gaps: float = 0.1, town: str = "Genève") -> pd.DataFrame:
    """Categories that are texts (some look like numbers), numbers and booleans, beside a number; some missing."""
    random = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "city": pd.Categorical(random.choice(["Bern", "Chur", town, "NA", "01"], ROWS)),
            "x": random.normal(size=ROWS),
            "plan": pd.Categorical(random.choice([10, 20, 30], ROWS)),
            "code": pd.Categorical(random.choice(["1", "2"], ROWS)),
        }
    )
    return table.mask(random.random(table.shape) < gaps) if gaps else table


def _label(table: pd.DataFrame) -> np.ndarray:
    kept = table["city"].isin(["Bern", "01"]) ^ (table["x"].fillna(0) > 0) ^ (table["plan"] == 20)
    return kept.to_numpy().astype(int)


MODELS: dict[str, Callable[[], Any]] = {
    "LightGBM classifier": lambda: lightgbm.LGBMClassifier(**LIGHT),
    "LightGBM regressor": lambda: lightgbm.LGBMRegressor(**LIGHT),
    "LightGBM search": lambda: GridSearchCV(lightgbm.LGBMClassifier(**LIGHT), {"max_depth": [3]}, cv=2),
    "XGBoost classifier": lambda: xgboost.XGBClassifier(**EXTREME),
    "XGBoost regressor, sets": lambda: xgboost.XGBRegressor(**EXTREME, max_cat_to_onehot=1),
}


def _package(source: Path, table: pd.DataFrame, kind: str = "parquet") -> Path:
    sample = source.parent / f"sample.{kind}"
    table.to_csv(sample, index=False) if kind == "csv" else table.to_parquet(sample, index=False)
    return package(PackageRequest(source, "m", sample, source.parent)).bundle


def _served(bundle: Path, rows: pd.DataFrame) -> np.ndarray:
    scorer = Scorer(open_model(bundle, memory_mb=512), Limits(), "1")
    plain = rows.astype(object).where(rows.notna(), None)
    answer = scorer.predict(json.dumps({"rows": plain.to_dict("records")}).encode(), None)
    assert answer.status == 200, answer.body
    body = json.loads(answer.body)
    return np.array(body["probabilities"] if "probabilities" in body else body["values"])


def _asked(table: pd.DataFrame) -> pd.DataFrame:
    """Every category beside every other, and missing ones."""
    cities = table["city"].cat.categories
    rows = [
        (city, x, plan, code)
        for city in [*cities, None]
        for x in (-0.5, 0.5)
        for plan in (10, 20, 30)
        for code in ("1", "2", None)
    ]
    asked = pd.DataFrame(rows, columns=list(table.columns))
    categorical = {name: table[name].dtype for name in ("city", "plan", "code")}
    return asked.astype(categorical)


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["parquet", "csv"])
@pytest.mark.parametrize("kind", MODELS)
def test_requests_hold_categories(kind: str, sample: str, tmp_path: Path) -> None:
    table = _table(town="Genève" if kind.startswith("Light") else "Geneva")
    model = MODELS[kind]().fit(table, _label(table))
    joblib.dump(model, tmp_path / "model.joblib")
    bundle = _package(tmp_path / "model.joblib", table, sample)
    features = {feature.name: feature for feature in read_manifest(bundle).signature.features}
    assert features["city"].categories == tuple(table["city"].cat.categories)
    assert (features["city"].missing, features["code"].dtype) == ("accepted", "string")
    asked = _asked(table)
    expected = model.predict_proba(asked) if hasattr(model, "predict_proba") else model.predict(asked)
    np.testing.assert_allclose(_served(bundle, asked), expected, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["txt", "json", "ubj"])
def test_files_of_the_libraries_hold_their_categories(suffix: str, tmp_path: Path) -> None:
    table = _table(town="Geneva")
    path = tmp_path / f"model.{suffix}"
    asked = _asked(table)
    if suffix == "txt":
        wrapper = lightgbm.LGBMClassifier(**LIGHT).fit(table, _label(table))
        wrapper.booster_.save_model(str(path))
        expected = lightgbm.Booster(model_file=str(path)).predict(asked)
    else:
        xgboost.XGBClassifier(**EXTREME).fit(table, _label(table)).save_model(path)
        loaded = xgboost.XGBClassifier()
        loaded.load_model(path)
        expected = loaded.predict_proba(asked)[:, 1]
    np.testing.assert_allclose(_served(_package(path, table), asked)[:, 1], expected, atol=2e-6)


@pytest.mark.slow
def test_an_unseen_category_is_what_the_library_makes_of_it(tmp_path: Path) -> None:
    table = _table(town="Geneva")
    unseen = _asked(table).assign(city=pd.Categorical(["Basel"] * 108))
    light, extreme = (
        MODELS[kind]().fit(table, _label(table)) for kind in ("LightGBM classifier", list(MODELS)[3])
    )
    joblib.dump(light, tmp_path / "model.joblib")
    served = _served(_package(tmp_path / "model.joblib", table), unseen)
    np.testing.assert_allclose(served, light.predict_proba(unseen), atol=1e-9)
    joblib.dump(extreme, tmp_path / "model.joblib")
    city = read_manifest(_package(tmp_path / "model.joblib", table)).signature.features[0]
    assert city.unseen == "refused"


def test_ordered_categories_are_found_by_the_sample(tmp_path: Path) -> None:
    table = _table(gaps=0)
    sizes = np.random.default_rng(2).choice(["s", "m", "l"], ROWS)
    table.insert(2, "size", pd.Categorical(sizes, categories=["s", "m", "l"], ordered=True))
    table["constant"] = pd.Categorical(["q"] * ROWS)
    label = _label(table) ^ (table["size"] == "m").to_numpy().astype(int)
    model = lightgbm.LGBMClassifier(**LIGHT).fit(table, label)
    joblib.dump(model, tmp_path / "model.joblib")
    bundle = _package(tmp_path / "model.joblib", table)
    np.testing.assert_allclose(_served(bundle, table), model.predict_proba(table), atol=1e-9)


def test_categories_that_xgboost_stores_damaged_are_refused_by_name() -> None:
    table = _table()
    model = MODELS["XGBoost classifier"]().fit(table, _label(table))
    with pytest.raises(ConversionError, match="stores categories beyond ASCII damaged"):
        from_object(model, Path("model.joblib"))


def test_names_that_lightgbm_rewrites_stay_the_users(tmp_path: Path) -> None:
    table = _table().rename(columns={"x": "net income", "city": "home town"})
    model = lightgbm.LGBMClassifier(**LIGHT).fit(table, _label(_table()))
    for name in ("model.joblib", "model.txt"):
        path = tmp_path / name
        joblib.dump(model, path) if name.endswith("joblib") else model.booster_.save_model(str(path))
        names = read_manifest(_package(path, table, "csv")).signature.feature_names()
        assert names == ("home town", "net income", "plan", "code")


def _categorical(frame: Any) -> pd.DataFrame:
    return pd.DataFrame(frame, columns=["city"]).astype("category")


def test_categories_inside_other_models_are_refused_by_name() -> None:
    table = pd.DataFrame({"city": np.random.default_rng(1).choice(["Bern", "Chur"], ROWS)})
    steps = make_pipeline(FunctionTransformer(_categorical), lightgbm.LGBMClassifier(**LIGHT))
    calibrated = CalibratedClassifierCV(xgboost.XGBClassifier(**EXTREME), cv=2)
    for model, rows in ((steps, table), (calibrated, table.astype("category"))):
        model.fit(rows, table["city"] == "Bern")
        with pytest.raises(ConversionError, match=r"was trained on pandas categories.*Package it alone"):
            from_object(model, Path("model.joblib"))


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_categories_given_as_numbers_are_cut_as_the_library_cuts_them(library: str, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    table = pd.DataFrame({"kind": random.integers(0, 40, ROWS).astype(float), "x": random.normal(size=ROWS)})
    label = (table["kind"] % 3 == 0) ^ (table["x"] > 0)
    table = table.mask(random.random(table.shape) < 0.05)
    if library == "lightgbm":
        model: Any = lightgbm.LGBMClassifier(**LIGHT).fit(table, label, categorical_feature=["kind"])
    else:
        model = xgboost.XGBClassifier(**EXTREME, feature_types=["c", "q"]).fit(table, label)
    joblib.dump(model, tmp_path / "model.joblib")
    bundle = _package(tmp_path / "model.joblib", table)
    values = [0, -0.0, -0.5, -1, -1.5, 0.9, 3, 3.7, 39.99, 50, 1e5, -1e5, 1e-310, None]
    asked = pd.DataFrame({"kind": values, "x": 0.1}).astype(float)
    np.testing.assert_allclose(_served(bundle, asked), model.predict_proba(asked), atol=2e-6)
