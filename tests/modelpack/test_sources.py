"""Model files: what loading them says, asks and refuses."""

import gzip
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skops import io as skops_io

from serinus.modelpack import sources
from serinus.modelpack.errors import SourceError, UntrustedTypesError
from serinus.modelpack.sources import Source


class Own(ClassifierMixin, BaseEstimator):
    """A class of a user's own."""

    def fit(self, rows: Any, labels: Any) -> "Own":
        self.classes_ = np.unique(labels)
        return self


class Listening:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def stage(self, name: str) -> None:
        """Not of interest."""

    def notice(self, message: str) -> None:
        self.notices.append(message)


def _load(path: Path, trust: tuple[str, ...] = ()) -> tuple[Source, list[str]]:
    listening = Listening()
    return sources.load(
        path, sources.detect_format(path), trust=trust, allow_version_skew=False, progress=listening
    ), listening.notices


@pytest.fixture
def model(numbers: pd.DataFrame, score: Any) -> LogisticRegression:
    return LogisticRegression().fit(numbers, score > 0)


def test_joblib_pickle_and_compressed_files_load_whatever_their_names(model: Any, tmp_path: Path) -> None:
    joblib.dump(model, tmp_path / "a.model")
    joblib.dump(model, tmp_path / "b.model", compress=3)
    (tmp_path / "c.model").write_bytes(pickle.dumps(model))
    (tmp_path / "d.model").write_bytes(gzip.compress(pickle.dumps(model)))
    for path in sorted(tmp_path.iterdir()):
        source, notices = _load(path)
        assert source.task == "classification"
        assert len(notices) == 1
        assert "runs the code in it" in notices[0]


def test_skops_file_loads_without_a_warning(model: Any, tmp_path: Path) -> None:
    skops_io.dump(model, tmp_path / "m.skops")
    source, notices = _load(tmp_path / "m.skops")
    assert source.feature_names == tuple("abcdef")
    assert notices == []


def test_skops_file_with_unknown_types_names_them_and_the_flag(tmp_path: Path) -> None:
    skops_io.dump(Own().fit([[1.0]], [0]), tmp_path / "m.skops")
    with pytest.raises(UntrustedTypesError, match="--trust") as caught:
        _load(tmp_path / "m.skops")
    assert any(name.endswith("Own") for name in caught.value.types)


def test_pickle_of_a_scripts_own_function_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"c__main__\nclean_of_a_notebook\n.")
    with pytest.raises(SourceError, match=r"script or notebook.*importable module.*pipeline without it") as caught:
        _load(tmp_path / "m")
    assert "\n" not in str(caught.value)
    (tmp_path / "m").write_bytes(b"cos\nabsent\n.")
    with pytest.raises(SourceError, match=r"AttributeError.*Save it again"):
        _load(tmp_path / "m")


def test_search_is_its_best_estimator(numbers: pd.DataFrame, score: Any, tmp_path: Path) -> None:
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(numbers, score > 0)
    joblib.dump(search, tmp_path / "m")
    source, _ = _load(tmp_path / "m")
    assert source.estimator == "LogisticRegression"
    assert source.classes == (False, True)
