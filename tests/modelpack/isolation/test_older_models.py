"""A model that an older scikit-learn saved is packaged by that release, in an environment of its own.

The environment is made by `scripts/setup dev`: no test reaches a package index.
"""

import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from serinus.lambda_handlers.contract import bundle
from serinus.modelpack.errors import IsolationError, SourceError, UntrustedTypesError, VersionSkewError
from serinus.modelpack.isolation import remote
from serinus.modelpack.isolation.environment import Environment, ensure_environment
from serinus.modelpack.isolation.environment_spec import EnvironmentSpec, requirements_for
from serinus.modelpack.isolation.saved_versions import SavedVersions
from serinus.modelpack.layers.cache import cache_folder
from serinus.modelpack.package import package
from serinus.modelpack.progress import Silent
from serinus.modelpack.request import PackageRequest, PackageResult

OLDER = "1.5.2"
_TRAIN = """
import sys, pickle, joblib, pandas as pd
from skops import io as skops_io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
rows = pd.read_csv("sample.csv")
numbers, words = ["a", "b", "visits", "member"], ["city", "plan"]
prepared = ColumnTransformer([
    ("numbers", SimpleImputer(), numbers), ("words", OneHotEncoder(handle_unknown="ignore"), words)])
labels = (rows["b"] + 10 * rows["member"] > 3).map({True: "stays", False: "leaves"})
model = make_pipeline(prepared, RandomForestClassifier(10, max_depth=5, random_state=1)).fit(rows, labels)
joblib.dump(model, "model.joblib")
skops_io.dump(model, "model.skops")
class Own(RandomForestClassifier): pass
joblib.dump(Own(3).fit(rows[["b"]], labels), "own.joblib")
"""


pytestmark = [pytest.mark.xdist_group("older models"), pytest.mark.slow]
TRUSTED = ("numpy.dtype", "sklearn.compose._column_transformer._RemainderColsList", "sklearn.tree._tree.Tree")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")


@pytest.fixture(scope="module")
def older() -> Environment:
    return ensure_environment(EnvironmentSpec(_requirements(), "test"), Silent())


@pytest.fixture(scope="module")
def saved(older: Environment, mixed: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models that the older release saved, and their sample."""
    folder = tmp_path_factory.mktemp("older")
    mixed.to_csv(folder / "sample.csv", index=False)
    ran = subprocess.run([older.interpreter, "-c", _TRAIN], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return folder


def _requirements() -> tuple[str, ...]:
    return requirements_for(SavedVersions({"scikit-learn": OLDER}, numpy_2=True))


def _package(model: Path, saved: Path, project: Path, **settings: Any) -> PackageResult:
    return package(PackageRequest(model, "older", saved / "sample.csv", project, **settings))


@pytest.mark.parametrize(("file", "trust"), [("model.joblib", ()), ("model.skops", TRUSTED)])
def test_it_is_converted_by_the_release_that_saved_it(
    file: str, trust: tuple[str, ...], saved: Path, tmp_path: Path
) -> None:
    before = {item.metadata["name"]: item.version for item in metadata.distributions()}
    packed = _package(saved / file, saved, tmp_path, trust=trust)
    assert before == {item.metadata["name"]: item.version for item in metadata.distributions()}
    assert packed.framework == f"scikit-learn {OLDER}"
    assert packed.parity.agrees
    assert packed.parity.labels_equal == 1.0
    manifest = bundle.verify(packed.bundle)
    assert manifest.signature.classes == ("leaves", "stays")
    assert {feature.name: feature.missing for feature in manifest.signature.features}["city"] == "accepted"
    recorded = json.loads((packed.bundle / bundle.PROVENANCE).read_text())["environment_of_source"]
    assert recorded == packed.environment_of_source
    assert recorded["packages"]["scikit-learn"] == OLDER
    assert recorded["origin"] == f"read from {file}"
    assert f"scikit-learn {OLDER}, numpy" in (packed.bundle / bundle.CARD).read_text().replace("scipy", "numpy")


def test_mlflow_folder_is_converted_by_the_release_that_it_was_logged_with(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logged"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {sklearn: {pickled_model: model.pkl}}\n")
    (folder / "requirements.txt").write_text(f"mlflow==2.18.0\nscikit-learn=={OLDER}\n")
    shutil.copy(saved / "model.joblib", folder / "model.pkl")
    packed = _package(folder, saved, tmp_path)
    assert packed.framework == f"scikit-learn {OLDER}"
    assert packed.environment_of_source is not None
    assert packed.environment_of_source["origin"] == "logged by MLflow"


def test_installed_release_cannot_even_load_it(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be loaded"):
        _package(saved / "model.joblib", saved, tmp_path, allow_version_skew=True)


def test_what_is_refused_there_is_refused_here(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be loaded"):
        _package(saved / "own.joblib", saved, tmp_path / "project")
    (tmp_path / "cut.joblib").write_bytes((saved / "model.joblib").read_bytes()[:-20])
    with pytest.raises(SourceError, match="cut short"):
        _package(tmp_path / "cut.joblib", saved, tmp_path / "project")
    with pytest.raises(UntrustedTypesError, match=r"--trust numpy\.dtype") as caught:
        _package(saved / "model.skops", saved, tmp_path / "project")
    assert caught.value.types == TRUSTED
    assert not (tmp_path / "project").exists()


def test_requirements_that_name_another_release_than_saved_it_are_refused(saved: Path, tmp_path: Path) -> None:
    changed = (saved / "model.joblib").read_bytes().replace(OLDER.encode(), b"1.4.2")
    (tmp_path / "model.joblib").write_bytes(changed)
    (tmp_path / "requirements.txt").write_text("\n".join(_requirements()))
    with pytest.raises(VersionSkewError, match=r"saved by scikit-learn 1\.4\.2"):
        _package(tmp_path / "model.joblib", saved, tmp_path, requirements=tmp_path / "requirements.txt")


def test_environment_that_cannot_be_resolved_is_one_error_with_the_way_out(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("scikit-learn==0.0.1\n")
    with pytest.raises(IsolationError, match="--allow-version-skew") as caught:
        _package(saved / "model.joblib", saved, tmp_path / "project", requirements=tmp_path / "requirements.txt")
    assert "scikit-learn 0.0.1" in str(caught.value)
    assert not (tmp_path / "project").exists()


def test_absent_python_is_one_error_with_the_way_out(
    older: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    monkeypatch.setattr("serinus.modelpack.isolation.environment.find_interpreter", lambda version: None)
    kept = cache_folder() / "resolutions"
    monkeypatch.setenv("SERINUS_CACHE_DIR", str(tmp_path))
    shutil.copytree(kept, tmp_path / "resolutions")
    for resolution in (tmp_path / "resolutions").iterdir():
        _, _, lines = resolution.read_text().partition("\n")
        resolution.write_text(f"3.99\n{lines}")
    with pytest.raises(IsolationError, match=r"Python 3\.99.*uv python install 3\.99"):
        ensure_environment(EnvironmentSpec(_requirements(), "test"), Silent())
    assert not list((tmp_path / "environments").glob("*/bin"))


def test_environment_whose_python_is_gone_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = cache_folder() / "resolutions"
    monkeypatch.setenv("SERINUS_CACHE_DIR", str(tmp_path))
    shutil.copytree(kept, tmp_path / "resolutions")
    made: list[Path] = []

    def install(folder: Path, python: str, resolution: str) -> None:
        made.append(folder)
        (folder / "bin").mkdir()
        (folder / "bin" / "python").symlink_to(sys.executable)

    monkeypatch.setattr("serinus.modelpack.isolation.environment._install", install)
    wanted = EnvironmentSpec(_requirements(), "test")
    first = ensure_environment(wanted, Silent())
    assert ensure_environment(wanted, Silent()) == first
    assert len(made) == 1
    first.interpreter.unlink()
    first.interpreter.symlink_to(tmp_path / "gone")
    assert ensure_environment(wanted, Silent()) == first
    assert len(made) == 2


def test_python_that_ends_is_one_error(older: Environment, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"cos\n_exit\n(I7\ntR.")
    with (
        pytest.raises(IsolationError, match="exit code 7"),
        remote.opened(tmp_path / "model.pkl", older, trust=(), progress=Silent()),
    ):
        pass
