"""MLflow folders: their flavor, signature, input example and requirements are used; damaged ones are refused."""

import json
from pathlib import Path
from typing import Any

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.lambda_handlers.contract import bundle
from serinus.modelpack.errors import SampleError, SourceError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.sources import mlflow, read_model_file


def _log(folder: Path, flavors: str, rest: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "MLmodel").write_text(f"flavors:\n  python_function: {{loader_module: x}}\n  {flavors}\n{rest}")
    return folder


def _signed(**columns: str) -> str:
    listed = [{"name": name, "type": kind, "required": True} for name, kind in columns.items()]
    return f"signature: {{inputs: '{json.dumps(listed)}', outputs: '[]'}}\n"


def _package(folder: Path, sample: Path | None, **settings: Any) -> PackageResult:
    return package(PackageRequest(folder, "logged", sample, folder.parent / "project", **settings))


EXAMPLE = "saved_input_example_info: {artifact_path: input_example.json, type: dataframe}\n"


@pytest.mark.parametrize("flavor", ["sklearn", "xgboost", "lightgbm", "catboost", "onnx"])
def test_each_flavor_brings_its_model_and_its_rows(
    flavor: str, numbers: pd.DataFrame, score: Any, tmp_path: Path
) -> None:
    key = "pickled_model" if flavor == "sklearn" else "data"
    folder = _log(tmp_path / "logged", f"{flavor}: {{{key}: model.bin}}", EXAMPLE)
    place = folder / "model.bin"
    if flavor == "sklearn":
        joblib.dump(LinearRegression().fit(numbers, score), place)
    elif flavor == "xgboost":
        xgboost.XGBRegressor(n_estimators=3).fit(numbers, score).get_booster().save_model(folder / "model.ubj")
        (folder / "model.ubj").rename(place)
    elif flavor == "lightgbm":
        lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(numbers, score).booster_.save_model(place)
    elif flavor == "catboost":
        model = catboost.CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False)
        model.fit(numbers, score).save_model(str(place), format="cbm")
    else:
        graph = to_onnx(
            LinearRegression().fit(numbers.to_numpy(np.float32), score), numbers.to_numpy(np.float32)[:1]
        )
        place.write_bytes(graph.SerializeToString())
    (folder / "input_example.json").write_text(numbers.head(50).to_json(orient="split", index=False))
    packed = _package(folder, None)
    assert packed.parity.agrees
    assert packed.parity.rows >= 50
    assert packed.environment_of_source is None


def test_signature_names_and_types_the_columns_of_a_model_without_names(score: Any, tmp_path: Path) -> None:
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}", _signed(size="double", rooms="long"))
    rows = np.column_stack([np.arange(400) % 37, np.arange(400) % 5])
    joblib.dump(LinearRegression().fit(rows, score), folder / "model.pkl")
    pd.DataFrame({"rooms": rows[:, 1] * 1.0, "size": rows[:, 0]}).to_csv(tmp_path / "sample.csv", index=False)
    signature = bundle.verify(_package(folder, tmp_path / "sample.csv").bundle).signature
    assert [(item.name, item.dtype) for item in signature.features] == [("size", "float64"), ("rooms", "int64")]


def test_text_that_looks_like_numbers_stays_text(numbers: pd.DataFrame, score: Any, tmp_path: Path) -> None:
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}", _signed(postcode="string"))
    codes = pd.DataFrame({"postcode": np.where(score > 0, "01234", "99999")})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(codes.astype(object), score > 0)
    joblib.dump(model, folder / "model.pkl")
    codes.to_csv(tmp_path / "sample.csv", index=False)
    feature = bundle.verify(_package(folder, tmp_path / "sample.csv").bundle).signature.features[0]
    assert feature.categories == ("01234", "99999")


@pytest.mark.parametrize(
    "written",
    [
        lambda rows: {"inputs": rows.to_numpy().tolist()},
        lambda rows: {"inputs": rows.to_dict(orient="list")},
        lambda rows: {"dataframe_split": rows.to_dict(orient="split")},
        lambda rows: rows.to_dict(orient="records"),
    ],
    ids=["array", "columns", "serving frame", "records"],
)
def test_examples_of_every_form_serve_as_sample(
    written: Any, numbers: pd.DataFrame, score: Any, tmp_path: Path
) -> None:
    columns = _signed(**dict.fromkeys("abcdef", "double"))
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}", EXAMPLE + columns)
    joblib.dump(LinearRegression().fit(numbers, score), folder / "model.pkl")
    (folder / "input_example.json").write_text(json.dumps(written(numbers.head(30))))
    assert _package(folder, None).parity.agrees


def test_folder_is_read_once_and_its_record_is_of_all_files(
    numbers: pd.DataFrame, score: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = _signed(**dict.fromkeys("abcdef", "double"))
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}", columns)
    joblib.dump(LinearRegression().fit(numbers, score), folder / "model.pkl")
    numbers.assign(y=score).to_csv(tmp_path / "sample.csv", index=False)
    reads: list[Path] = []
    read = mlflow.read
    monkeypatch.setattr(mlflow, "read", lambda path: reads.append(path) or read(path))
    packed = _package(folder, tmp_path / "sample.csv", target="y", holdout=tmp_path / "sample.csv")
    assert reads == [folder]
    file = read_model_file(folder)
    assert (file.data, file.format) == (folder / "model.pkl", "pickle")
    provenance = json.loads((packed.bundle / bundle.PROVENANCE).read_text())
    assert provenance["source"]["sha256"] == file.sha256
    assert packed.source_bytes == file.size_bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_example_of_few_rows_says_that_it_is_too_small(numbers: pd.DataFrame, score: Any, tmp_path: Path) -> None:
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}", EXAMPLE)
    joblib.dump(LinearRegression().fit(numbers, score), folder / "model.pkl")
    (folder / "input_example.json").write_text(numbers.head(5).to_json(orient="split", index=False))
    with pytest.raises(SampleError, match=r"has 5 rows.*--sample"):
        _package(folder, None)
    numbers.to_csv(tmp_path / "sample.csv", index=False)
    assert _package(folder, tmp_path / "sample.csv").parity.agrees


def test_requirements_are_read_without_mlflow_itself(tmp_path: Path) -> None:
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}")
    (folder / "model.pkl").write_bytes(b"x")
    conda = "dependencies: [python=3.11.4, pip, {pip: [mlflow==2.9.2, scikit-learn==1.3.2]}]\n"
    (folder / "conda.yaml").write_text(conda)
    assert (mlflow.read(folder).requirements, mlflow.read(folder).python) == (("scikit-learn==1.3.2",), "3.11")
    (folder / "requirements.txt").write_text("# logged\nmlflow-skinny==2.9.2\n\nlightgbm==4.1.0\n")
    (folder / "python_env.yaml").write_text("python: 3.12.1\n")
    assert (mlflow.read(folder).requirements, mlflow.read(folder).python) == (("lightgbm==4.1.0",), "3.12")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("flavors: {python_function: {loader_module: mine}}", "cannot become a graph.*its own flavor"),
        ("flavors: {spark: {model_data: x}}", "holds MLflow flavors spark"),
        ("flavors: {sklearn: {pickled_model: absent.pkl}}", "lacks absent.pkl"),
        ("flavors: {sklearn: {pickled_model: ../../outside}}", "outside its own folder"),
        ("flavors: {sklearn: {pickled_model: loop/x}}", "loop|lacks"),
        ("flavors: {sklearn: {}}", "lacks the model file"),
        ("flavors: [sklearn]", "names no flavors"),
        ("[1, 2", "cannot be read"),
        ("", "is not a mapping"),
        ("a: &a [*a, *a]\nflavors: {sklearn: 3}", "holds MLflow flavors"),
        ("[" * 5000, "cannot be read"),
    ],
    ids=["pyfunc", "spark", "absent", "outside", "loop", "no key", "list", "cut", "empty", "knot", "deep"],
)
def test_damaged_or_foreign_folder_is_one_line(document: str, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "logged"
    folder.mkdir()
    (folder / "MLmodel").write_text(document)
    (folder / "loop").symlink_to("loop")
    with pytest.raises(SourceError, match=said) as caught:
        _package(folder, None)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    "linked",
    [
        "MLmodel",
        "requirements.txt",
        "conda.yaml",
        "python_env.yaml",
        "input_example.json",
        "model.pkl",
        "code/mine.py",
        "data/model.pkl",
    ],
)
def test_link_out_of_the_folder_is_refused_by_name(linked: str, tmp_path: Path) -> None:
    example = "saved_input_example_info: {artifact_path: input_example.json}\n"
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}", example)
    (folder / "model.pkl").write_bytes(b"x")
    outside = tmp_path / "outside"
    outside.write_bytes((folder / "MLmodel").read_bytes())
    place = folder / linked
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(Path("..") / ".." / "outside" if "/" in linked else outside)
    with pytest.raises(SourceError, match="outside its own folder") as caught:
        mlflow.read(folder)
    assert str(place) in str(caught.value)


def test_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    folder = _log(tmp_path / "logged", "sklearn: {pickled_model: model.pkl}")
    (folder / "model.pkl").write_bytes(b"x")
    (folder / "kept.txt").write_text("lightgbm==4.1.0\n")
    (folder / "requirements.txt").symlink_to("kept.txt")
    assert mlflow.read(folder).requirements == ("lightgbm==4.1.0",)
