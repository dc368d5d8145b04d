"""XGBoost, LightGBM and CatBoost: as files of their own, as wrappers, and inside pipelines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.modelpack import sources
from serinus.modelpack.errors import ConversionError, ExtraMissingError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.package import package
from serinus.modelpack.progress import Silent
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.sample import fit_to_model

Package = Callable[..., PackageResult]
CAT = {"iterations": 10, "depth": 3, "verbose": 0, "allow_writing_files": False}


@pytest.fixture
def holed(numbers: pd.DataFrame) -> pd.DataFrame:
    """Numbers with gaps, and a column of few whole numbers."""
    table = numbers.assign(kind=np.random.default_rng(4).integers(0, 6, len(numbers)).astype(float))
    return table.mask(np.random.default_rng(3).random(table.shape) < 0.1)


WRAPPERS: dict[str, Callable[[], Any]] = {
    "xgboost": lambda: xgboost.XGBClassifier(n_estimators=8, n_jobs=1),
    "lightgbm": lambda: lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, n_jobs=1),
    "catboost": lambda: catboost.CatBoostClassifier(thread_count=1, **CAT),
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", WRAPPERS)
def test_wrapper_inside_a_pipeline(
    kind: str, classes: int, holed: pd.DataFrame, score: Any, pack: Package
) -> None:
    labels = np.digitize(score, [0.0] if classes == 2 else [-5.0, 5.0])
    packed = pack(make_pipeline(StandardScaler(), WRAPPERS[kind]()).fit(holed, labels), holed)
    assert packed.parity.labels_equal == 1.0
    assert packed.parity.max_abs_difference < 1e-6
    assert {item.missing for item in read_manifest(packed.bundle).signature.features} == {"accepted"}


def _file(model: Any, place: Path) -> Path:
    getattr(model, "booster_", model).save_model(str(place))
    return place


FILES: dict[str, tuple[str, Callable[[], Any]]] = {
    "xgboost json": ("m.json", WRAPPERS["xgboost"]),
    "xgboost ubj": ("m.ubj", WRAPPERS["xgboost"]),
    "xgboost dart": ("m.json", lambda: xgboost.XGBRegressor(n_estimators=6, booster="dart", rate_drop=0.4)),
    "xgboost poisson": ("m.json", lambda: xgboost.XGBRegressor(n_estimators=6, objective="count:poisson")),
    "lightgbm text": ("m.txt", WRAPPERS["lightgbm"]),
    "lightgbm tweedie": ("m.txt", lambda: lightgbm.LGBMRegressor(n_estimators=6, objective="tweedie", verbose=-1)),
    "catboost cbm": ("m.cbm", WRAPPERS["catboost"]),
    "catboost rmse": ("m.cbm", lambda: catboost.CatBoostRegressor(thread_count=1, **CAT)),
}


@pytest.mark.parametrize("kind", FILES)
def test_file_of_its_own_format(kind: str, holed: pd.DataFrame, score: Any, tmp_path: Path) -> None:
    name, make = FILES[kind]
    model = make()
    target = np.digitize(score, [-5.0, 5.0]) if "Classifier" in type(model).__name__ else np.abs(score) + 1.0
    place = _file(model.fit(holed, target), tmp_path / name)
    holed.to_csv(tmp_path / "sample.csv", index=False)
    packed = package(PackageRequest(place, "boosted", tmp_path / "sample.csv", tmp_path))
    assert packed.parity.agrees
    assert packed.parity.max_rel_difference < 1e-4
    assert read_manifest(packed.bundle).signature.feature_names() == tuple(holed.columns)


def _load(path: Path) -> sources.Source:
    settings: dict[str, Any] = {"trust": (), "allow_version_skew": False, "progress": Silent()}
    return sources.load(path, sources.detect_format(path), **settings)


def test_lightgbm_categories_are_compared_as_sets(holed: pd.DataFrame, score: Any, tmp_path: Path) -> None:
    model = lightgbm.LGBMClassifier(n_estimators=10, min_data_per_group=5, cat_smooth=1, verbose=-1)
    target = (score > 0) ^ (holed["kind"] % 2 == 1)
    model.fit(holed, target.astype(int), categorical_feature=["kind"])
    source = _load(_file(model, tmp_path / "m"))
    frame = pd.concat([holed, holed.assign(kind=99.0)], ignore_index=True)
    sample = fit_to_model(frame, names=source.feature_names, count=None)
    got = Runner(next(iter(source.graphs(sample))).model, sample)(frame)
    np.testing.assert_allclose(got["probabilities"], source.predict(frame)["probabilities"], rtol=1e-12)


def test_what_trees_cannot_express_is_named_with_the_way_out(
    numbers: pd.DataFrame, score: Any, tmp_path: Path
) -> None:
    text = numbers.assign(city="Rome")
    cat = catboost.CatBoostRegressor(cat_features=["city"], **CAT).fit(text, score)
    with pytest.raises(ConversionError, match=r"categorical features.*OrdinalEncoder"):
        _load(_file(cat, tmp_path / "m.cbm"))


@pytest.mark.parametrize("kind", ["xgboost json", "lightgbm text", "catboost cbm"])
def test_file_cut_short_is_one_line(kind: str, numbers: pd.DataFrame, score: Any, tmp_path: Path) -> None:
    name, make = FILES[kind]
    place = _file(make().fit(numbers, (score > 0).astype(int)), tmp_path / name)
    place.write_bytes(place.read_bytes()[:900])
    with pytest.raises(sources.SourceError, match="cut short") as caught:
        _load(place)
    assert "\n" not in str(caught.value)


def test_absent_library_is_an_extra(
    numbers: pd.DataFrame, score: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = _file(WRAPPERS["xgboost"]().fit(numbers, (score > 0).astype(int)), tmp_path / "m.json")
    monkeypatch.setitem(__import__("sys").modules, "xgboost", None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'serinus\[xgboost\]'"):
        _load(place)
