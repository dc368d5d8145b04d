"""`serinus package` takes models for models, and nothing else that lies in their folder."""

import json
from pathlib import Path

import pytest

from serinus.cli.commands.init import init
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.package_report import ModelSource, find_models

XGBOOST = b'{"learner":{"attributes":{}},"version":[3,0,0]}'
LIGHTGBM = b"tree\nversion=v4\nnum_class=1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as `serinus init` makes it, with what else lies in one."""
    init(tmp_path, name="shop")
    (tmp_path / "package-lock.json").write_text(json.dumps({"name": "shop"}))
    (tmp_path / "rows.json").write_text('[{"a learner": 1}]')
    (tmp_path / "requirements.txt").write_text("scikit-learn\n")
    (tmp_path / "empty.json").touch()
    return tmp_path


@pytest.mark.parametrize("name", [None, "churn"])
def test_a_project_without_a_model_holds_none(project: Path, name: str | None) -> None:
    with pytest.raises(CliError, match=r"holds no models \(\.joblib,.*\.json of XGBoost, \.txt of LightGBM"):
        find_models(project, name, None)


@pytest.mark.parametrize(
    ("file", "content"), [("model.joblib", b"x"), ("best.json", XGBOOST), ("best.txt", LIGHTGBM)]
)
def test_one_model_in_a_folder_may_be_named(project: Path, file: str, content: bytes) -> None:
    (project / file).write_bytes(content)
    table = (project / file).with_suffix(".csv")
    assert find_models(project, "churn", None) == [ModelSource(project / file, "churn", None)]
    table.touch()
    assert find_models(project, "churn", None) == [ModelSource(project / file, "churn", table)]
    assert find_models(project, "churn", Path("own.csv")) == [
        ModelSource(project / file, "churn", Path("own.csv"))
    ]
    stem = (project / file).stem
    assert find_models(project, None, Path("own.csv")) == [ModelSource(project / file, stem, table)]


def test_several_models_are_not_named_by_one_name(project: Path) -> None:
    for file in ("a.joblib", "b.onnx"):
        (project / file).touch()
    with pytest.raises(
        WrongUsage,
        match=r"--name churn is for one model, and .* holds 2: a\.joblib, b\.onnx\. Name one file, such as",
    ):
        find_models(project, "churn", None)
    assert [model.name for model in find_models(project, None, None)] == ["a", "b"]


def test_models_of_one_name_are_refused_before_one_replaces_the_other(project: Path) -> None:
    for file in ("Churn.joblib", "churn.onnx"):
        (project / file).touch()
    with pytest.raises(WrongUsage, match=r"Churn\.joblib and .*churn\.onnx would both be packaged as churn\."):
        find_models(project, None, None)


def test_a_file_needs_a_name(project: Path) -> None:
    with pytest.raises(WrongUsage, match=r"needs a name\. Add --name old-price"):
        find_models(project / "Old price.joblib", None, None)
