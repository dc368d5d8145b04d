"""Same inputs, same version, same bytes: in another process, with another hash seed, at another time."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.lambda_handlers.contract.bundle import SHIPPED, read_manifest
from serinus.modelpack.request import PackageResult

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
from pathlib import Path
from serinus.modelpack.package import PackageRequest, package
root = Path(sys.argv[1])
package(PackageRequest(root / "model.joblib", "churn", root / "sample.csv", root / sys.argv[2]))
"""


def test_two_processes_write_the_same_bytes(tmp_path: Path, mixed: pd.DataFrame, score: Any) -> None:
    columns = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["a", "b"]),
            ("strings", OneHotEncoder(handle_unknown="ignore"), ["city", "plan"]),
        ],
        remainder="passthrough",
    )
    model = make_pipeline(columns, GradientBoostingClassifier(n_estimators=5, random_state=0))
    joblib.dump(model.fit(mixed, score > 0), tmp_path / "model.joblib")
    mixed.to_csv(tmp_path / "sample.csv", index=False)
    bundles = []
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), seed], check=True, env={"PYTHONHASHSEED": seed}
        )
        bundles.append(next((tmp_path / seed / "bundles" / "churn").iterdir()))
    assert bundles[0].name == bundles[1].name
    for name in (*SHIPPED, "card.md"):
        assert (bundles[0] / name).read_bytes() == (bundles[1] / name).read_bytes(), name
    assert (tmp_path / "1" / "serinus.lock").read_bytes() == (tmp_path / "2" / "serinus.lock").read_bytes()


def test_another_model_is_another_version(
    numbers: pd.DataFrame, score: Any, pack: Callable[..., PackageResult]
) -> None:
    versions = {pack(LogisticRegression(C=c).fit(numbers, score > 0), numbers).version for c in (1.0, 0.01)}
    assert len(versions) == 2


def test_version_does_not_depend_on_the_name_of_the_file(
    numbers: pd.DataFrame, score: Any, pack: Callable[..., PackageResult]
) -> None:
    packed = pack(LogisticRegression().fit(numbers, score > 0), numbers)
    graph = (packed.bundle / "model.onnx").read_bytes()
    assert b"model.joblib" not in graph
    assert b"skl2onnx" not in graph
    assert read_manifest(packed.bundle).version == packed.version
