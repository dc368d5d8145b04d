"""The package as a notebook imports it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import serinus
from serinus.infra.errors import ReleaseError
from serinus.lambda_handlers.contract.errors import ContractError


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        np.random.default_rng(3).normal(size=(120, 3)).round(2), columns=["tenure", "charge", "calls"]
    )


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> Any:
    return LogisticRegression().fit(rows, rows["charge"] > rows["calls"])


@pytest.fixture(scope="module")
def project(rows: pd.DataFrame, model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    joblib.dump(model, folder / "model.joblib")
    rows.to_csv(folder / "sample.csv", index=False)
    serinus.package(
        serinus.PackageRequest(folder / "model.joblib", name="churn", sample=folder / "sample.csv", project=folder)
    )
    return folder


def test_a_pinned_model_predicts_what_its_source_does(project: Path, rows: pd.DataFrame, model: Any) -> None:
    loaded = serinus.load("churn", project=project)
    answer = loaded.predict(rows.to_dict("records"))
    assert answer["model"] == loaded.manifest.name == "churn"
    assert answer["labels"] == model.predict(rows).tolist()
    np.testing.assert_allclose(answer["probabilities"], model.predict_proba(rows), atol=1e-6)


def test_a_bundle_is_opened_by_its_folder(project: Path) -> None:
    (bundle,) = (project / "bundles" / "churn").iterdir()
    assert serinus.load(bundle).manifest == serinus.load(str(bundle)).manifest
    assert len(serinus.load(bundle).predict([[1.0, 2.0, 3.0]])["labels"]) == 1


def test_rows_that_an_endpoint_rejects_are_rejected(project: Path) -> None:
    with pytest.raises(serinus.RequestRejected, match="charge") as caught:
        serinus.load("churn", project=project).predict([{"tenure": 1.0, "charge": "dear", "calls": 2.0}])
    assert caught.value.problem.status == 422
    with pytest.raises(serinus.RequestRejected):
        serinus.load("churn", project=project).predict([])


def test_what_is_no_bundle_is_an_error(project: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="other"):
        serinus.load("other", project=project)
    with pytest.raises(ContractError, match="model\\.json"):
        serinus.load(tmp_path)


def test_names_are_imported_when_they_are_used() -> None:
    assert {*serinus.__all__} <= set(dir(serinus))
    for name in serinus.__all__:
        assert getattr(serinus, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        serinus.predict  # noqa: B018
    code = "import sys; before = {*sys.modules}; import serinus; print(sorted({*sys.modules} - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=Path(serinus.__file__).parents[1], capture_output=True, text=True
    )
    assert done.stdout.strip() == "['serinus']"
