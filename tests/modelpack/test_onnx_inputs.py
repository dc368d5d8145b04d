"""ONNX files by the kinds of their inputs: ids, bytes, half precision, scalars, fixed rows and states."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from serinus.lambda_handlers.contract.bundle import GOLDEN, read_golden, read_manifest
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.openapi_schemas import feature_schema
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import SampleError, SourceError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

_RANDOM = np.random.default_rng(0)
TABLE = _RANDOM.normal(size=(50, 3)).astype(np.float32)


def _save(
    folder: Path,
    nodes: list[Any],
    inputs: dict[str, tuple[int, list[Any]]],
    outputs: dict[str, tuple[int, list[Any]]],
    **stored: np.ndarray,
) -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info(name, *kind) for name, kind in outputs.items()],
        [numpy_helper.from_array(values, name) for name, values in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, folder / "m.onnx")
    return folder / "m.onnx"


def _package(model: Path, sample: pd.DataFrame) -> Path:
    sample.to_parquet(model.parent / "sample.parquet", index=False)
    return package(PackageRequest(model, "m", model.parent / "sample.parquet", model.parent)).bundle


def _ask(bundle: Path, row: dict[str, Any]) -> tuple[int, Any]:
    scorer = Scorer(open_model(bundle, memory_mb=512), Limits(), "1")
    answer = scorer.predict(json.dumps({"rows": [row]}).encode(), None)
    return answer.status, json.loads(answer.body)


def _mean_of_rows(folder: Path, ids: list[Any]) -> Path:
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["looked"]),
        helper.make_node("ReduceMean", ["looked"], ["y"], axes=[1], keepdims=0),
    ]
    return _save(
        folder,
        nodes,
        {"ids": (TensorProto.INT64, ids)},
        {"y": (TensorProto.FLOAT, ["N", 3])},
        table=TABLE,
    )


def test_an_id_beyond_the_table_is_refused_with_the_range(tmp_path: Path) -> None:
    """ONNX counts negative ids from the table's end, so the source accepts them."""
    ids = pd.DataFrame({"ids": [_RANDOM.integers(3, 40, 6).tolist() for _ in range(40)]})
    bundle = _package(_mean_of_rows(tmp_path, ["N", 6]), ids)
    (feature,) = read_manifest(bundle).signature.features
    assert (feature.lowest, feature.highest, feature.shape) == (-50, 49, (6,))
    statuses = [_ask(bundle, {"ids": [value] * 6})[0] for value in (0, 49, 50, -51, 10**9)]
    assert statuses == [200, 200, 422, 422, 422]
    _, problem = _ask(bundle, {"ids": [0, 0, 0, 0, 0, 50]})
    assert "from -50 to 49" in problem["errors"][0]["rule"]
    assert feature_schema(feature)["items"]["maximum"] == 49


def test_a_single_id_is_accepted_up_to_the_end_of_the_table(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gather", ["table", "user"], ["looked"]),
        helper.make_node("Add", ["looked", "x"], ["y"]),
    ]
    model = _save(
        tmp_path,
        nodes,
        {"user": (TensorProto.INT64, ["N"]), "x": (TensorProto.FLOAT, ["N", 1])},
        {"y": (TensorProto.FLOAT, ["N", 3])},
        table=TABLE,
    )
    bundle = _package(model, pd.DataFrame({"user": _RANDOM.integers(0, 20, 40), "x": _RANDOM.normal(size=40)}))
    statuses = [_ask(bundle, {"user": value, "x": 1.0})[0] for value in (0, 49, 50, -51, 10**9)]
    assert statuses == [200, 200, 422, 422, 422]


def test_ids_in_a_tensor_of_floats_are_refused_too(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["ids"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "whole"], ["looked"]),
        helper.make_node("ReduceMean", ["looked"], ["y"], axes=[1, 2], keepdims=0),
    ]
    ids = {"ids": (TensorProto.FLOAT, ["N", 2, 3])}
    model = _save(tmp_path, nodes, ids, {"y": (TensorProto.FLOAT, ["N", 3])}, table=TABLE)
    rows = [_RANDOM.integers(0, 40, (2, 3)).astype(float).tolist() for _ in range(40)]
    bundle = _package(model, pd.DataFrame({"ids": rows}))
    statuses = [_ask(bundle, {"ids": [[value] * 3] * 2})[0] for value in (0.0, 49.0, 50.0, -51.0, 1e30)]
    assert statuses == [200, 200, 422, 422, 422]


@pytest.mark.parametrize("length", [32, 2048])
def test_rows_of_bytes_in_one_column(length: int, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["bytes"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["y"], axes=[1], keepdims=1),
    ]
    model = _save(
        tmp_path,
        nodes,
        {"bytes": (TensorProto.UINT8, ["N", length])},
        {"y": (TensorProto.FLOAT, ["N", 1])},
    )
    rows = [_RANDOM.integers(0, 256, length).tolist() for _ in range(30)]
    bundle = _package(model, pd.DataFrame({"bytes": rows}))
    status, body = _ask(bundle, {"bytes": rows[0]})
    assert (status, body["values"]) == (200, [pytest.approx(np.mean(rows[0]))])
    assert _ask(bundle, {"bytes": [256, *rows[0][1:]]})[0] == 422
    assert _ask(bundle, {"bytes": [-1, *rows[0][1:]]})[0] == 422
    (feature,) = read_manifest(bundle).signature.features
    assert (feature.example is None) == (length > 1000), "each GET /model would return it"


def _halves(folder: Path) -> Path:
    weights = _RANDOM.normal(size=(4, 2)).astype(np.float16)
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["raw"]),
        helper.make_node("Softmax", ["raw"], ["y"], axis=1),
    ]
    half = TensorProto.FLOAT16
    return _save(folder, nodes, {"x": (half, ["N", 4])}, {"y": (half, ["N", 2])}, weights=weights)


def test_half_precision_agrees_with_its_own_source(tmp_path: Path) -> None:
    import onnxruntime

    rows = pd.DataFrame(_RANDOM.normal(size=(200, 4)) * 5, columns=list("abcd"))
    model = _halves(tmp_path)
    bundle = _package(model, rows)
    own = onnxruntime.InferenceSession(str(model)).run(None, {"x": rows.to_numpy(dtype=np.float16)})[0]
    served = [_ask(bundle, row)[1]["outputs"]["y"][0] for row in rows.head(20).to_dict("records")]
    np.testing.assert_allclose(np.array(served), own[:20].astype(np.float64), atol=1e-3)


def test_a_scalar_is_a_constant_of_the_sample(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["rate"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "real"], ["y"]),
    ]
    model = _save(
        tmp_path,
        nodes,
        {"x": (TensorProto.FLOAT, ["N", 2]), "rate": (TensorProto.INT64, [])},
        {"y": (TensorProto.FLOAT, ["N", 2])},
    )
    rows = pd.DataFrame(_RANDOM.normal(size=(30, 2)), columns=["x_0", "x_1"])
    bundle = _package(model, rows.assign(rate=16000))
    assert read_manifest(bundle).signature.feature_names() == ("x_0", "x_1")
    assert _ask(bundle, {"x_0": 1.0, "x_1": 2.0})[1]["outputs"]["y"] == [[16000.0, 32000.0]]
    with pytest.raises(SampleError, match=r"'rate'.*single value.*Add a column 'rate'"):
        _package(model, rows)
    with pytest.raises(SampleError, match="30 different ones"):
        _package(model, rows.assign(rate=range(30)))


def test_a_fixed_number_of_rows_is_said(tmp_path: Path) -> None:
    float32 = TensorProto.FLOAT
    node = helper.make_node("Relu", ["x"], ["y"])
    model = _save(tmp_path, [node], {"x": (float32, [8, 4])}, {"y": (float32, [8, 4])})
    with pytest.raises(SourceError, match=r"exactly 8 rows: input 'x' has shape \[8, 4\].*dynamic_axes"):
        _package(model, pd.DataFrame(_RANDOM.normal(size=(30, 4)), columns=list("abcd")))


def test_rows_on_another_axis_are_refused_by_name(tmp_path: Path) -> None:
    float32 = TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceSum", ["state", "axes"], ["summed"], keepdims=0),
        helper.make_node("Add", ["x", "summed"], ["y"]),
    ]
    model = _save(
        tmp_path,
        nodes,
        {"x": (float32, ["N", 4]), "state": (float32, [2, "N", 4])},
        {"y": (float32, ["N", 4])},
        axes=np.array([0]),
    )
    with pytest.raises(SourceError, match=r"'state'.*rows on axis 1.*transposed"):
        _package(model, pd.DataFrame({"x": [[0.0] * 4] * 30}))


def test_the_golden_set_of_large_outputs_has_few_rows(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "weights"], ["y"])]
    model = _save(
        tmp_path,
        nodes,
        {"x": (TensorProto.FLOAT, ["N", 2])},
        {"y": (TensorProto.FLOAT, ["N", 60_000])},
        weights=_RANDOM.normal(size=(2, 60_000)).astype(np.float32),
    )
    bundle = _package(model, pd.DataFrame(_RANDOM.normal(size=(30, 2)), columns=["a", "b"]))
    assert len(read_golden(bundle).rows) == 3
    assert (bundle / GOLDEN).stat().st_size < 6_000_000
