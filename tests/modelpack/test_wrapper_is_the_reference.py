"""Files of the boosting libraries, served as the wrapper answers that a user of the library would load them with.

The expected values come from a wrapper that has read the file again, never from the trees: a file that is misread
disagrees with them.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import ConversionError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult

pytestmark = pytest.mark.slow

EARLY: dict[str, Any] = {"n_estimators": 80, "learning_rate": 0.7, "early_stopping_rounds": 3, "n_jobs": 1}
CAT: dict[str, Any] = {"depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}


def _package(source: Path, sample: pd.DataFrame) -> PackageResult:
    place = source.parent / "sample.parquet"
    sample.to_parquet(place, index=False)
    return package(PackageRequest(source, "boosted", place, source.parent))


def _served(bundle: Path, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    scorer = Scorer(open_model(bundle, memory_mb=512), Limits(), "1")
    answer = scorer.predict(json.dumps({"rows": rows.to_dict("records")}).encode(), "application/json")
    assert answer.status == 200, answer.body
    return {name: np.array(values) for name, values in json.loads(answer.body).items() if isinstance(values, list)}


def _stopped(kind: str, table: pd.DataFrame, score: np.ndarray) -> Any:
    """A wrapper of ``kind`` that early stopping ended some rounds after its best."""
    make: dict[str, Callable[[], Any]] = {
        "classifier": lambda: xgboost.XGBClassifier(**EARLY),
        "many classes, forests": lambda: xgboost.XGBClassifier(**EARLY, num_parallel_tree=3, subsample=0.7),
        "dart": lambda: xgboost.XGBClassifier(**EARLY, booster="dart", rate_drop=0.3),
        "regressor": lambda: xgboost.XGBRegressor(**EARLY, base_score=3.5),
        "logistic regressor": lambda: xgboost.XGBRegressor(**EARLY, objective="binary:logistic"),
        "ranker": lambda: xgboost.XGBRanker(**EARLY),
    }
    model = make[kind]()
    target = score
    if kind == "many classes, forests":
        target = np.digitize(score, [-5.0, 5.0])
    elif kind != "regressor":
        target = (score > 0).astype(int)
    settings: dict[str, Any] = {"eval_set": [(table[300:], target[300:])], "verbose": False}
    if kind == "ranker":
        settings |= {"group": [30] * 10, "eval_group": [[20] * 5]}
    model.fit(table[:300], target[:300], **settings)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    return model


@pytest.mark.parametrize("ending", ["json", "ubj"])
@pytest.mark.parametrize(
    "kind", ["classifier", "many classes, forests", "dart", "regressor", "logistic regressor", "ranker"]
)
def test_early_stopped_xgboost_file_is_served_as_its_wrapper_reads_it(
    kind: str, ending: str, numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    trained = _stopped(kind, numbers, score)
    trained.save_model(tmp_path / f"m.{ending}")
    again = type(trained)()
    again.load_model(tmp_path / f"m.{ending}")
    served = _served(_package(tmp_path / f"m.{ending}", numbers).bundle, numbers)
    if hasattr(again, "predict_proba"):
        np.testing.assert_allclose(served["probabilities"], again.predict_proba(numbers), atol=1e-6)
        assert served["labels"].tolist() == again.predict(numbers).tolist()
    else:
        np.testing.assert_allclose(served["values"], again.predict(numbers), atol=1e-5)


def test_random_forest_file_is_served_as_its_wrapper_reads_it(
    numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    xgboost.XGBRFClassifier(n_estimators=9, n_jobs=1).fit(numbers, (score > 0).astype(int)).save_model(
        tmp_path / "m.ubj"
    )
    again = xgboost.XGBRFClassifier()
    again.load_model(tmp_path / "m.ubj")
    served = _served(_package(tmp_path / "m.ubj", numbers).bundle, numbers)
    np.testing.assert_allclose(served["probabilities"], again.predict_proba(numbers), atol=1e-6)


def test_early_stopped_wrapper_logged_by_mlflow(numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    _stopped("classifier", numbers, score).save_model(folder / "model.ubj")
    flavor = "    data: model.ubj\n    model_class: xgboost.sklearn.XGBClassifier\n    model_format: ubj\n"
    (folder / "MLmodel").write_text(f"flavors:\n  xgboost:\n{flavor}")
    again = xgboost.XGBClassifier()
    again.load_model(folder / "model.ubj")
    served = _served(_package(folder, numbers).bundle, numbers)
    np.testing.assert_allclose(served["probabilities"], again.predict_proba(numbers), atol=1e-6)


@pytest.mark.parametrize("name", ["m.json", "m.joblib"])
def test_early_stopped_bare_booster_keeps_all_rounds_and_says_so(
    name: str, numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    booster = _stopped("classifier", numbers, score).get_booster()
    booster.save_model(tmp_path / name) if name == "m.json" else joblib.dump(booster, tmp_path / name)
    packed = _package(tmp_path / name, numbers)
    served = _served(packed.bundle, numbers)
    np.testing.assert_allclose(served["probabilities"][:, 1], booster.predict(xgboost.DMatrix(numbers)), atol=1e-6)
    rounds, best = booster.num_boosted_rounds(), booster.best_iteration + 1
    assert any(f"booster[:{best}]" in notice and f"{rounds} rounds" in notice for notice in packed.notices)
    assert f"all its {rounds} rounds" in (packed.bundle / "card.md").read_text()
    booster[:best].save_model(tmp_path / "best.json")
    of_best = _package(tmp_path / "best.json", numbers)
    assert not any("rounds" in notice for notice in of_best.notices)
    assert of_best.version != packed.version


def test_expected_values_of_the_golden_set_are_the_wrappers_own(
    numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading of the file that takes all rounds again is refused: the wrapper does not agree with it."""
    from serinus.modelpack.convert.xgboost import read_booster
    from serinus.modelpack.errors import ParityError
    from serinus.modelpack.sources import xgboost as source

    _stopped("classifier", numbers, score).save_model(tmp_path / "m.json")
    again = xgboost.XGBClassifier()
    again.load_model(tmp_path / "m.json")
    golden = read_golden(_package(tmp_path / "m.json", numbers).bundle)
    rows = pd.DataFrame(list(golden.rows))[list(numbers.columns)].astype(float)
    np.testing.assert_array_equal(np.float32(golden.outputs["probabilities"]), again.predict_proba(rows))
    monkeypatch.setattr(source, "read_wrapper", lambda wrapper: read_booster(wrapper.get_booster()))
    with pytest.raises(ParityError):
        _package(tmp_path / "m.json", numbers)


def test_several_labels_in_an_xgboost_file_are_refused_by_name(
    numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    labels = np.column_stack([score > 0, score > 5]).astype(int)
    xgboost.XGBClassifier(n_estimators=2).fit(numbers, labels).save_model(tmp_path / "m.json")
    with pytest.raises(ConversionError, match="2 labels at once"):
        _package(tmp_path / "m.json", numbers)


@pytest.mark.parametrize("rounds", ["best", "all"])
def test_early_stopped_lightgbm_file_is_served_as_the_booster_reads_it(
    rounds: str, numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    target = np.digitize(score, [-5.0, 5.0])
    booster = lightgbm.train(
        {"objective": "multiclass", "num_class": 3, "learning_rate": 0.7, "verbose": -1, "num_threads": 1},
        lightgbm.Dataset(numbers[:300], target[:300]),
        80,
        valid_sets=[lightgbm.Dataset(numbers[300:], target[300:])],
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
        keep_training_booster=True,
    )
    assert booster.best_iteration < booster.current_iteration()
    booster.save_model(tmp_path / "m.txt", num_iteration=None if rounds == "best" else -1)
    again = lightgbm.Booster(model_file=tmp_path / "m.txt")
    served = _served(_package(tmp_path / "m.txt", numbers).bundle, numbers)
    np.testing.assert_allclose(served["probabilities"], again.predict(numbers), atol=1e-9)
    joblib.dump(booster, tmp_path / "m.joblib")
    served = _served(_package(tmp_path / "m.joblib", numbers).bundle, numbers)
    np.testing.assert_allclose(served["probabilities"], booster.predict(numbers), atol=1e-9)


@pytest.mark.parametrize("kept", [True, False])
def test_catboost_file_with_and_without_the_rounds_after_the_best(
    kept: bool, numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    model = catboost.CatBoostRegressor(iterations=60, learning_rate=0.9, use_best_model=not kept, **CAT)
    model.fit(numbers[:300], score[:300], eval_set=(numbers[300:], score[300:]))
    assert (model.tree_count_ == 60) is kept
    model.set_scale_and_bias(1.5, -2.0)
    model.save_model(tmp_path / "m.cbm")
    again = catboost.CatBoostRegressor().load_model(tmp_path / "m.cbm")
    served = _served(_package(tmp_path / "m.cbm", numbers).bundle, numbers)
    np.testing.assert_allclose(served["values"], again.predict(numbers), atol=1e-9)


def _thresholded(numbers: pd.DataFrame, target: Any, threshold: float, rounds: int = 20) -> Any:
    model = catboost.CatBoostClassifier(iterations=rounds, **CAT).fit(numbers, target)
    model.set_probability_threshold(threshold)
    return model


def _saved(model: Any, how: str, folder: Path) -> Path:
    if how == "cbm":
        model.save_model(folder / "m.cbm")
        return folder / "m.cbm"
    joblib.dump(model, folder / "m.joblib")
    return folder / "m.joblib"


@pytest.mark.parametrize("how", ["cbm", "joblib", "pipeline"])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.8, 1.0])
def test_catboost_threshold_decides_labels_and_leaves_probabilities(
    threshold: float, how: str, numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    target = np.where(score > 0, "yes", "no")
    model = _thresholded(numbers, target, threshold)
    if how == "pipeline":
        scaler = StandardScaler().fit(numbers)
        pipeline = make_pipeline(scaler, _thresholded(scaler.transform(numbers), target, threshold))
        place, again = _saved(pipeline, "joblib", tmp_path), pipeline
    else:
        place = _saved(model, how, tmp_path)
        again = catboost.CatBoostClassifier().load_model(place) if how == "cbm" else joblib.load(place)
    served = _served(_package(place, numbers).bundle, numbers)
    own = again.predict(numbers).ravel()
    assert served["labels"].tolist() == own.tolist()
    if 0.0 < threshold < 1.0:
        assert (own != np.where(again.predict_proba(numbers)[:, 1] > 0.5, "yes", "no")).any()
    np.testing.assert_allclose(served["probabilities"], again.predict_proba(numbers), atol=1e-9)


def test_catboost_threshold_on_at_and_beside_a_value(
    numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    """One tree, whose sums are exact: the threshold is put on each of them, and a double's breadth beside."""
    target = (score > 0).astype(int)
    model = _thresholded(numbers, target, 0.5, rounds=1)
    sums = np.unique(model.predict(numbers, prediction_type="RawFormulaVal"))
    sides = set()
    for value in sums[[0, len(sums) // 2, -1]]:
        middle = 1.0 / (1.0 + math.exp(-value))
        for threshold in (np.nextafter(middle, 0.0), middle, np.nextafter(middle, 1.0)):
            model.set_probability_threshold(float(threshold))
            model.save_model(tmp_path / "m.cbm")
            again = catboost.CatBoostClassifier().load_model(tmp_path / "m.cbm")
            served = _served(_package(tmp_path / "m.cbm", numbers).bundle, numbers)
            assert served["labels"].tolist() == again.predict(numbers).tolist()
            sides.add((value, again.predict(numbers)[again.predict(numbers, "RawFormulaVal") == value][0]))
    assert {side for _, side in sides} == {0, 1}


@pytest.mark.parametrize("how", ["cbm", "joblib", "pipeline"])
@pytest.mark.parametrize("kind", [bool, float, int, str])
def test_labels_of_catboost_keep_their_type(
    kind: type, how: str, numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    """Read without NumPy, which would take 1 for true."""
    target = (score > 0).astype(kind)
    model: Any = catboost.CatBoostClassifier(iterations=3, **CAT)
    model = (make_pipeline(StandardScaler(), model) if how == "pipeline" else model).fit(numbers, target)
    packed = _package(_saved(model, how, tmp_path), numbers)
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    rows = json.dumps({"rows": numbers.head(20).to_dict("records")}).encode()
    labels = json.loads(scorer.predict(rows, None).body)["labels"]
    assert [(type(label), label) for label in labels] == [
        (kind, label) for label in model.predict(numbers.head(20)).ravel().tolist()
    ]


def test_catboost_labels_between_whole_numbers_are_refused_by_name(
    numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    model = catboost.CatBoostClassifier(iterations=2, **CAT).fit(numbers, np.where(score > 0, 1.5, 0.0))
    with pytest.raises(ConversionError, match=r"labels \[0\.0, 1\.5\]"):
        _package(_saved(model, "cbm", tmp_path), numbers)


@pytest.mark.parametrize("missing", [-999.0, 0.1])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_xgboost_takes_for_missing_is_missing(
    wrapped: bool, missing: float, numbers: pd.DataFrame, score: np.ndarray, tmp_path: Path
) -> None:
    """The sample does not hold it, so that no comparison on the sample would show it."""
    holed = numbers.mask(np.random.default_rng(5).random(numbers.shape) < 0.2, missing)
    model: Any = xgboost.XGBRegressor(n_estimators=8, n_jobs=1, missing=missing).fit(holed, score)
    whole = numbers[~(numbers == missing).any(axis=1)]
    place = tmp_path / "m.joblib"
    joblib.dump(make_pipeline("passthrough", model)[1:] if wrapped else model, place)
    served = _served(_package(place, whole).bundle, holed)
    np.testing.assert_allclose(served["values"], model.predict(holed), atol=1e-5)
