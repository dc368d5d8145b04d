"""Versions are read from model files of every making without running them."""

import bz2
import gzip
import lzma
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pytest
import sklearn
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops import io as skops_io

from serinus.modelpack.isolation.saved_versions import read_saved_versions


@pytest.fixture(scope="module")
def forest() -> Any:
    rows = np.random.default_rng(0).random((60, 3))
    return make_pipeline(StandardScaler(), RandomForestClassifier(5)).fit(rows, rows[:, 0] > 0.5)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol(protocol: int, forest: Any, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(pickle.dumps(forest, protocol=protocol))
    assert read_saved_versions(tmp_path / "m").versions == {"scikit-learn": sklearn.__version__}
    assert read_saved_versions(tmp_path / "m").numpy_2


@pytest.mark.parametrize(
    "save",
    [
        lambda model, place: joblib.dump(model, place),
        lambda model, place: joblib.dump(model, place, compress=3),
        lambda model, place: joblib.dump(model, place, compress=("gzip", 3)),
        lambda model, place: skops_io.dump(model, place),
        lambda model, place: place.write_bytes(gzip.compress(pickle.dumps(model))),
        lambda model, place: place.write_bytes(bz2.compress(pickle.dumps(model))),
        lambda model, place: place.write_bytes(lzma.compress(pickle.dumps(model))),
    ],
    ids=["joblib", "joblib zlib", "joblib gzip", "skops", "gzip", "bz2", "xz"],
)
def test_files_of_every_packing(save: Callable[[Any, Path], Any], forest: Any, tmp_path: Path) -> None:
    save(forest, tmp_path / "m")
    assert read_saved_versions(tmp_path / "m").versions == {"scikit-learn": sklearn.__version__}


def test_xgboost_writes_its_version_into_files_and_pickles(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((60, 3))
    model = xgboost.XGBClassifier(n_estimators=2).fit(rows, rows[:, 0] > 0.5)
    for ending in ("json", "ubj"):
        model.get_booster().save_model(tmp_path / f"m.{ending}")
        assert read_saved_versions(tmp_path / f"m.{ending}").versions == {"xgboost": xgboost.__version__}
    joblib.dump(make_pipeline(StandardScaler(), model), tmp_path / "m.joblib")
    both = {"scikit-learn": sklearn.__version__, "xgboost": xgboost.__version__}
    assert read_saved_versions(tmp_path / "m.joblib").versions == both


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_boosters_that_write_no_version_are_named_by_their_modules(protocol: int, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((60, 3))
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(rows, rows[:, 0] > 0.5)
    (tmp_path / "m").write_bytes(pickle.dumps(make_pipeline(StandardScaler(), model), protocol=protocol))
    assert read_saved_versions(tmp_path / "m").boosters == {"lightgbm"}


class Runs:
    """Makes a folder where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def test_nothing_in_the_file_is_run(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(pickle.dumps([Runs(tmp_path / "trace"), "_sklearn_version", "1.1.1"]))
    assert read_saved_versions(tmp_path / "m").versions == {"scikit-learn": "1.1.1"}
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8bno gzip", b"\x78\x9cno zlib", b"\xfd7zno xz", b"BZhno", b"PK\x03"]
)
def test_what_cannot_be_read_says_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(content)
    assert read_saved_versions(tmp_path / "m").versions == {}


def test_version_that_lies_across_two_pieces_is_found(tmp_path: Path) -> None:
    said = b"X\x10\x00\x00\x00_sklearn_versionq\x05X\x05\x00\x00\x001.4.2q"
    for before in range((1 << 22) - len(said), 1 << 22, 7):
        (tmp_path / "m").write_bytes(b"\x80" * before + said)
        assert read_saved_versions(tmp_path / "m").versions == {"scikit-learn": "1.4.2"}
