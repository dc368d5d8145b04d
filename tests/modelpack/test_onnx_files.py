"""ONNX files as they are: several inputs, tensors, roles of outputs; and files that nobody should trust."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

from serinus.lambda_handlers.contract.bundle import read_golden, read_manifest
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.errors import SampleError, SourceError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], stored: list[Any] | None = None) -> Any:
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializer=stored or [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _package(model: Any, table: pd.DataFrame, folder: Path) -> PackageResult:
    onnx.save(model, folder / "model.onnx")
    table.to_parquet(folder / "sample.parquet")
    return package(PackageRequest(folder / "model.onnx", "given", folder / "sample.parquet", folder))


def _served(packed: PackageResult) -> dict[str, Any]:
    """What the endpoint answers to the golden rows."""
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    answer = scorer.predict(json.dumps({"rows": read_golden(packed.bundle).rows}).encode(), None)
    assert answer.status == 200, answer.body
    content: dict[str, Any] = json.loads(answer.body)
    return content


def _two_inputs() -> Any:
    """`image` [rows, 2, 3] and `weight` [rows] give `scaled` [rows, 2, 3] and `total` [rows]."""
    return _model(
        [
            helper.make_node("Reshape", ["weight", "shape"], ["column"]),
            helper.make_node("Mul", ["image", "column"], ["scaled"]),
            helper.make_node("ReduceSum", ["scaled", "axes"], ["total"], keepdims=0),
        ],
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 2, 3]),
            helper.make_tensor_value_info("weight", TensorProto.FLOAT, ["n"]),
        ],
        [
            helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["n", 2, 3]),
            helper.make_tensor_value_info("total", TensorProto.FLOAT, ["n"]),
        ],
        [
            numpy_helper.from_array(np.array([-1, 1, 1]), "shape"),
            numpy_helper.from_array(np.array([1, 2]), "axes"),
        ],
    )


@pytest.fixture
def images() -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {"image": random.normal(size=(40, 6)).reshape(40, 6).tolist(), "weight": random.normal(size=40)}
    )


def test_several_inputs_and_tensors_are_served_as_they_are(images: pd.DataFrame, tmp_path: Path) -> None:
    table = images.assign(image=[np.reshape(value, (2, 3)).tolist() for value in images["image"]])
    table["image"] = [json.dumps(value) for value in table["image"]]
    packed = _package(_two_inputs(), table, tmp_path)
    signature = read_manifest(packed.bundle).signature
    assert {feature.name: feature.shape for feature in signature.features} == {"image": (2, 3), "weight": ()}
    assert {output.name: output.shape for output in signature.outputs} == {
        "scaled": (None, 2, 3),
        "total": (None,),
    }
    golden = read_golden(packed.bundle)
    served = _served(packed)["outputs"]
    np.testing.assert_allclose(served["scaled"], golden.outputs["scaled"], rtol=1e-6)
    np.testing.assert_allclose(served["total"], golden.outputs["total"], rtol=1e-6)


def test_tensors_of_unequal_shape_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"image": ["[[1,2,3],[4,5,6]]", "[[1,2],[3,4]]"], "weight": [1.0, 2.0]})
    with pytest.raises(SampleError, match="does not hold tensors of one shape"):
        _package(_two_inputs(), table, tmp_path)


@pytest.mark.parametrize("zipmap", [True, False])
def test_classifier_by_skl2onnx_keeps_its_labels(
    zipmap: bool, numbers: pd.DataFrame, score: Any, tmp_path: Path
) -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    model = LogisticRegression().fit(numbers, np.array(["no", "yes"])[(score > 0).astype(int)])
    types = [("X", FloatTensorType([None, 6]))]
    graph = to_onnx(model, initial_types=types, options={id(model): {"zipmap": zipmap}}, target_opset=17)
    packed = _package(graph, numbers, tmp_path)
    assert read_manifest(packed.bundle).signature.classes == ("no", "yes")
    assert packed.parity.labels_equal == 1.0
    served = _served(packed)
    assert served["labels"] == read_golden(packed.bundle).outputs["label"]
    np.testing.assert_allclose(np.sum(served["probabilities"], axis=1), 1.0, rtol=1e-5)


def _double(**settings: Any) -> Any:
    """Twice the input, with settings of its one node."""
    return _model(
        [helper.make_node("Mul", ["x", "two"], ["y"], **settings)],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(np.array([2.0], dtype=np.float32), "two")],
    )


def test_single_float_output_is_a_value(tmp_path: Path) -> None:
    packed = _package(_double(), pd.DataFrame({"size": [1.0, 2.5]}), tmp_path)
    assert set(_served(packed)["values"]) == {2.0, 5.0}


def test_one_row_fixed_by_the_export_is_freed(tmp_path: Path) -> None:
    model = _double()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    assert _package(model, pd.DataFrame({"size": [1.0, 2.5]}), tmp_path).parity.agrees


def _outside(model: Any, location: str) -> Any:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    del tensor.external_data[:]
    tensor.external_data.add(key="location", value=location)
    tensor.raw_data = b""
    return model


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: _double(domain="acme"), "domain 'acme'"),
        (lambda: _outside(_double(), "../secret.bin"), "outside its own folder"),
        (lambda: _outside(_double(), "/etc/hostname"), "outside its own folder"),
        (lambda: _outside(_double(), "weights.bin"), "does not exist"),
        (lambda: _model([], [], []), "no nodes"),
    ],
)
def test_hostile_graph_is_one_line_and_writes_nothing(model: Any, said: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 4)
    (tmp_path / "inner" / "model.onnx").write_bytes(model().SerializeToString())
    pd.DataFrame({"size": [1.0]}).to_csv(tmp_path / "sample.csv", index=False)
    request = PackageRequest(tmp_path / "inner" / "model.onnx", "given", tmp_path / "sample.csv", tmp_path)
    with pytest.raises(SourceError, match=said) as caught:
        package(request)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "bundles").exists()


@pytest.mark.parametrize("kept", [5, 40])
def test_graph_cut_short_is_one_line(kept: int, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(_double().SerializeToString()[:kept])
    pd.DataFrame({"size": [1.0]}).to_csv(tmp_path / "sample.csv", index=False)
    with pytest.raises(SourceError, match=r"model\.onnx") as caught:
        package(PackageRequest(tmp_path / "model.onnx", "given", tmp_path / "sample.csv", tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("location", "taken"), [("two.bin", True), ("../two.bin", False)])
def test_tensor_in_an_attribute_is_taken_from_the_models_own_folder_alone(
    location: str, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    for place, value in ((tmp_path / "own" / "two.bin", 2.0), (tmp_path / "two.bin", 9.0)):
        place.write_bytes(np.array([value], dtype=np.float32).tobytes())
    stored = TensorProto(name="two", data_type=TensorProto.FLOAT, dims=[1])
    stored.data_location = TensorProto.EXTERNAL
    stored.external_data.add(key="location", value=location)
    model = _double()
    del model.graph.initializer[:]
    model.graph.node.insert(0, helper.make_node("Constant", [], ["two"], value=stored))
    monkeypatch.chdir(tmp_path)  # where another file of that name lies
    if taken:
        packed = _package(model, pd.DataFrame({"size": [1.0, 2.5]}), tmp_path / "own")
        assert set(_served(packed)["values"]) == {2.0, 5.0}
    else:
        with pytest.raises(SourceError, match="outside its own folder"):
            _package(model, pd.DataFrame({"size": [1.0, 2.5]}), tmp_path / "own")
