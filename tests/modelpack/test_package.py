"""What packaging tells while it works, and how light its door is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from serinus.modelpack import ModelpackError, sample
from serinus.modelpack import package as door
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest


class Listening:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.notices: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def notice(self, message: str) -> None:
        self.notices.append(message)


@pytest.fixture
def request_of(numbers: pd.DataFrame, score: Any, tmp_path: Path) -> PackageRequest:
    joblib.dump(LogisticRegression().fit(numbers, score > 0), tmp_path / "model.joblib")
    numbers.to_csv(tmp_path / "sample.csv", index=False)
    return PackageRequest(tmp_path / "model.joblib", "churn", tmp_path / "sample.csv", tmp_path)


def test_stages_are_told_in_order_and_the_pickle_warning_once(request_of: PackageRequest) -> None:
    listening = Listening()
    packed = package(request_of, listening)
    assert listening.stages == ["load", "sample", "convert", "precision", "robustness", "profile", "write"]
    assert len([notice for notice in listening.notices if "pickle" in notice]) == 1
    assert packed.notices == tuple(listening.notices)


def test_rows_beyond_the_limit_are_left_out_and_said(
    request_of: PackageRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "MAX_ROWS", 50)
    monkeypatch.setattr("serinus.modelpack.reference.MAX_ROWS", 50)
    packed = package(request_of)
    assert packed.parity.rows == 50
    assert any("first 50 are used" in notice for notice in packed.notices)


def test_absent_extra_is_named_with_the_command_that_brings_it(
    request_of: PackageRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "find_spec", lambda name: None if name == "skl2onnx" else object())
    with pytest.raises(ModelpackError, match=r"needs skl2onnx.*pip install 'serinus\[sklearn\]'"):
        package(request_of)


def test_score_is_r2_for_a_regressor(numbers: pd.DataFrame, score: Any, tmp_path: Path) -> None:
    model = Ridge().fit(numbers, score)
    joblib.dump(model, tmp_path / "model.joblib")
    numbers.assign(y=score).to_csv(tmp_path / "sample.csv", index=False)
    packed = package(
        PackageRequest(tmp_path / "model.joblib", "price", tmp_path / "sample.csv", tmp_path, target="y")
    )
    assert packed.score == pytest.approx(model.score(numbers, score))
    assert packed.parity.max_abs_difference < 1e-9
    assert np.isfinite(packed.seconds["total"])


def test_layers_and_errors_are_asked_for_without_pandas_or_scikit_learn() -> None:
    code = (
        "import sys, serinus.modelpack.package, serinus.modelpack.layers\n"
        "print([name for name in ('pandas', 'sklearn') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
