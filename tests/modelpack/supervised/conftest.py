"""Models whose code does what no model's should."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LinearRegression

from serinus.modelpack.request import PackageRequest

Hostile = Callable[[str], Path]


class _Runs:
    """Pickled as code that is run by whoever opens it."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __reduce__(self) -> Any:
        return exec, (self._code,)


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame({"size": np.arange(40.0), "age": np.arange(40.0) ** 0.5})


@pytest.fixture
def project(rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the working folder, with a sample beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "serinus.toml").write_text("")
    rows.to_csv(tmp_path / "sample.csv", index=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    """A pickle that runs the code while it is opened, and is a model besides."""

    def make(code: str) -> Path:
        rows = np.column_stack([np.arange(40.0), np.arange(40.0) ** 0.5])
        model = LinearRegression().fit(pd.DataFrame(rows, columns=["size", "age"]), rows[:, 0])
        model.unused_ = _Runs(code)
        path = tmp_path / "model.pkl"
        path.write_bytes(pickle.dumps(model))
        return path

    return make


@pytest.fixture
def sound(rows: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "sound.joblib"
    joblib.dump(LinearRegression().fit(rows, rows["size"] * 2), path)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """An ONNX file whose one loop goes on for as long as a condition holds that is always true."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["goes_on"]), helper.make_node("Identity", ["so_far"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("so_far", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["", "always", "x"], ["y"], body=body)],
        "endless",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(np.array(True), "always")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "endless.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def request_of(project: Path) -> Callable[..., PackageRequest]:
    def make(source: Path, **settings: Any) -> PackageRequest:
        return PackageRequest(source, "given", project.parent / "sample.csv", project, **settings)

    return make
