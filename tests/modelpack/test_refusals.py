"""Hostile and broken input ends in one clear error, and nothing is written."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack import ModelpackError
from serinus.modelpack.errors import ConversionError, ParityError, RequestError, SampleError, SourceError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.tables import read_table

Package = Callable[..., PackageResult]


@pytest.fixture
def fitted(numbers: pd.DataFrame, score: Any) -> Any:
    return LogisticRegression().fit(numbers, score > 0)


def _nothing_written(root: Path) -> bool:
    return not any((root / "project").rglob("*.onnx")) and not (root / "project" / "serinus.lock").exists()


def _package_files(tmp_path: Path, source: Path, sample: Path, **settings: Any) -> PackageResult:
    return package(PackageRequest(source, "churn", sample, tmp_path / "project", **settings))


@pytest.mark.parametrize("name", ["Churn", "", "churn_v2", "-churn", "churn-", "../churn", "c" * 41])
def test_name_that_cannot_be_one(
    name: str, fitted: Any, numbers: pd.DataFrame, pack: Package, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match="For example: churn-v2"):
        pack(fitted, numbers, name=name)
    assert _nothing_written(tmp_path)


def test_tolerance_that_cannot_be_one(fitted: Any, numbers: pd.DataFrame, pack: Package) -> None:
    with pytest.raises(RequestError, match="share from 0 to 1"):
        pack(fitted, numbers, tolerance=Tolerance(labels=99.0))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x80\x04", b"PK\x03\x04broken", pickle.dumps({"a": 1}), pickle.dumps([1, 2])],
    ids=["empty", "text", "cut pickle", "cut zip", "dictionary", "list"],
)
def test_file_that_is_no_model(content: bytes, numbers: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(content)
    numbers.to_csv(tmp_path / "sample.csv", index=False)
    with pytest.raises(SourceError):
        _package_files(tmp_path, tmp_path / "model.joblib", tmp_path / "sample.csv")
    assert _nothing_written(tmp_path)


def test_model_file_cut_short(fitted: Any, numbers: pd.DataFrame, tmp_path: Path) -> None:
    joblib.dump(fitted, tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    numbers.to_csv(tmp_path / "sample.csv", index=False)
    for kept in (10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "model.joblib").write_bytes(whole[:kept])
        with pytest.raises(SourceError, match="cut short"):
            _package_files(tmp_path, tmp_path / "model.joblib", tmp_path / "sample.csv")


@pytest.mark.parametrize("path", ["", "absent.joblib"])
def test_folder_or_absent_file_as_model(path: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a folder but not an MLflow|does not exist"):
        _package_files(tmp_path, tmp_path / path, tmp_path / "sample.csv")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (StandardScaler(), "not fitted"),
        (DBSCAN(), "neither predicts nor transforms"),
        (LogisticRegression(), "not fitted"),
    ],
)
def test_estimator_that_does_not_predict(model: Any, said: str, numbers: pd.DataFrame, pack: Package) -> None:
    with pytest.raises(SourceError, match=said):
        pack(model, numbers)


def test_unsupported_step_is_named(numbers: pd.DataFrame, score: Any, pack: Package, tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(np.nan_to_num), LogisticRegression()).fit(numbers, score > 0)
    refusal = r"FunctionTransformer \(step 'functiontransformer'\) .*its function is numpy\.nan_to_num"
    with pytest.raises(ConversionError, match=refusal):
        pack(model, numbers)
    assert _nothing_written(tmp_path)


def test_graph_that_disagrees_is_refused_with_its_worst_rows(
    fitted: Any, numbers: pd.DataFrame, pack: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = type(fitted).predict_proba
    monkeypatch.setattr(type(fitted), "predict_proba", lambda model, rows: honest(model, rows) * 0.9)
    with pytest.raises(ParityError, match=r"Worst rows:\n  row \d+: {'a'") as caught:
        pack(fitted, numbers)
    assert caught.value.agreement.rows_out_of_tolerance > 0
    assert "--atol" in str(caught.value)
    assert _nothing_written(tmp_path)


def test_wider_tolerance_lets_it_pass(
    fitted: Any, numbers: pd.DataFrame, pack: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = type(fitted).predict_proba
    monkeypatch.setattr(type(fitted), "predict_proba", lambda model, rows: honest(model, rows) * 0.9)
    assert pack(fitted, numbers, tolerance=Tolerance(atol=0.2)).parity.agrees


def test_model_of_another_release_may_be_taken_with_a_notice(
    fitted: Any, numbers: pd.DataFrame, tmp_path: Path
) -> None:
    import sklearn

    older = "1.1" + sklearn.__version__[3:]
    saved = pickle.dumps(fitted, protocol=2).replace(sklearn.__version__.encode(), older.encode())
    (tmp_path / "model.pkl").write_bytes(saved)
    numbers.to_csv(tmp_path / "sample.csv", index=False)
    passed = _package_files(tmp_path, tmp_path / "model.pkl", tmp_path / "sample.csv", allow_version_skew=True)
    assert any(f"{older}; {sklearn.__version__} is installed" in notice for notice in passed.notices)
    (tmp_path / "requirements.txt").write_text(f"scikit-learn=={older}")
    with pytest.raises(RequestError, match="Leave one of them out"):
        _package_files(
            tmp_path,
            tmp_path / "model.pkl",
            tmp_path / "sample.csv",
            allow_version_skew=True,
            requirements=tmp_path / "requirements.txt",
        )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a,b,c,d,e,f\n", "no rows"),
        (b"a,a,c,d,e,f\n1,2,3,4,5,6\n", "'a' twice"),
        (b"a,,c,d,e,f\n1,2,3,4,5,6\n", "no name for column 2"),
        (b"a,b,c,d,e,f\n1,2,3,4,5,6,7\n", "has 6 names in its header and 7 values in row 1"),
        (b"a,b,c,d,e,f\n1,2,3,4,5,\xff\n", "not UTF-8"),
        (b"a,b,c,d,e,f\n1,2\n1,2,3,4,5,6,7,8\n", "cannot be read"),
        (b"a,b,c,d,e\n1,2,3,4,5\n", "lacks 'f'"),
        (b"a,b,c,d,e,f,churned\n1,2,3,4,5,6,1\n", "--target churned"),
        (b"a,b,c,d,e,f\n1,2,3,4,5,\n1,2,3,4,5,\n", "'f' is empty"),
        (b"a,b,c,d,e,f\n1,2,3,4,5,inf\n", "infinite in row 0"),
        (b"a,b,c,d,e,f\n1,2,3,4,5,many\n", "could not convert|cannot"),
        (b"PAR1 and no more", "cannot be read"),
    ],
)
def test_sample_that_cannot_be_used(content: bytes, said: str, fitted: Any, tmp_path: Path) -> None:
    joblib.dump(fitted, tmp_path / "model.joblib")
    (tmp_path / "sample.csv").write_bytes(content)
    with pytest.raises(ModelpackError, match=said) as caught:
        _package_files(tmp_path, tmp_path / "model.joblib", tmp_path / "sample.csv")
    assert "\n" not in str(caught.value)
    assert _nothing_written(tmp_path)


def test_sample_that_is_absent(fitted: Any, tmp_path: Path) -> None:
    joblib.dump(fitted, tmp_path / "model.joblib")
    with pytest.raises(SampleError, match="not a file"):
        _package_files(tmp_path, tmp_path / "model.joblib", tmp_path / "absent.csv")


def test_a_name_that_no_request_can_hold() -> None:
    name = "b\ud800"
    table = pd.DataFrame([[1.0, 3.0], [2.0, 4.0]], columns=pd.Index(["a", name], dtype=object))
    with pytest.raises(SampleError, match=r"lone surrogate.*Rename the column"):
        fit_to_model(table, names=None, count=2)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", None, "b"], r"label column 'y' is empty in 1 of 3 rows, first in row 1\. .*--drop y"),
        ([None, None, None], "is empty in 3 of 3 rows"),
        ([1.0, 2.0, float("nan")], "first in row 2"),
    ],
)
def test_missing_labels_are_refused(labels: list[Any], message: str) -> None:
    """They would count as wrong predictions."""
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": labels})
    with pytest.raises(SampleError, match=message):
        fit_to_model(table, names=("a",), count=None, target="y")
    assert fit_to_model(table, names=("a",), count=None, drop=("y",)).target is None


def test_whole_numbers_beyond_64_bits_are_named() -> None:
    table = pd.DataFrame({"a": [1, 10**30, 3]})
    with pytest.raises(SampleError, match=r"holds 10+ in row 1; whole numbers of 64 bits"):
        fit_to_model(table, names=("a",), count=None)


def test_another_separator_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a;b\n1;2\n")
    with pytest.raises(SampleError, match=r"separated by ';': its header is 'a;b'\. Save it with commas"):
        read_table(tmp_path / "rows.csv")
