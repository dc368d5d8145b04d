"""Embeddings are compared by direction: it gates every precision, and may be asked for instead of numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from serinus.lambda_handlers.contract.agreement import compare
from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.errors import PrecisionError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult

WIDTH = 64


@pytest.fixture
def embed(tmp_path: Path) -> Any:
    """Packages a projection to vectors of 64 numbers."""
    random = np.random.default_rng(5)
    weights = random.normal(0.0, 0.2, (8, WIDTH)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["vector"], name="project")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", WIDTH])],
        initializer=[numpy_helper.from_array(weights, "w")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), tmp_path / "m.onnx"
    )
    table = pd.DataFrame(random.normal(size=(200, 8)), columns=list("abcdefgh"))
    table.to_parquet(tmp_path / "sample.parquet")

    def run(tolerance: Tolerance, precision: str = "auto") -> PackageResult:
        return package(
            PackageRequest(
                tmp_path / "m.onnx",
                "embed",
                tmp_path / "sample.parquet",
                tmp_path,
                tolerance=tolerance,
                precision=precision,
            )
        )

    return run


def test_vectors_that_keep_their_direction_may_be_quantized(embed: Any) -> None:
    packed = embed(Tolerance(cosine=0.99), precision="int8")
    assert packed.parity.max_abs_difference > 1e-3
    assert 0.99 <= packed.parity.cosine < 1.0
    assert read_manifest(packed.bundle).tolerance.cosine == 0.99
    assert "least cosine" in (packed.bundle / "card.md").read_text()


def test_vectors_that_turn_too_far_are_refused(embed: Any) -> None:
    with pytest.raises(PrecisionError, match=r"least cosine 0\.\d+ \(at least 0\.9999\)"):
        embed(Tolerance(cosine=0.9999), precision="int4")


def test_direction_gates_small_vectors_that_numbers_let_pass() -> None:
    want = np.full((3, 4), 1e-5)
    got = want * [1.0, -1.0, 1.0, -1.0]
    found = compare({"embedding": want}, {"embedding": got}, Tolerance())
    assert not found.agrees
    assert (found.cosine, found.rows_out_of_tolerance) == (0.0, 3)
    assert compare({"embedding": want}, {"embedding": want}, Tolerance()).agrees


def test_direction_of_rows_beside_nothing_is_left_to_numbers() -> None:
    want = np.array([[1.0, 2.0], [1e-9, 0.0], [0.0, 0.0]])
    got = np.array([[1.0, 2.0], [0.0, 1e-9], [0.0, 1e-12]])
    assert compare({"embedding": want}, {"embedding": got}, Tolerance()).agrees
    assert not compare({"embedding": want}, {"embedding": got}, Tolerance(cosine=0.9)).agrees


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_vector_that_is_not_finite_has_no_direction(broken: float) -> None:
    want, got = np.ones((2, 3)), np.ones((2, 3))
    got[1, 0] = broken
    assert not compare({"embedding": want}, {"embedding": got}, Tolerance(cosine=0.5)).agrees
