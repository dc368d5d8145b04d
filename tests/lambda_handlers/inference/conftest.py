"""Small real models as bundles, each trained and converted once a run."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serinus.lambda_handlers.contract.bundle import Manifest, compute_version, dump_json
from serinus.lambda_handlers.contract.prediction_bins import KEY, bins_by_class
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.endpoint import Endpoint, open_endpoint
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model

Rows = list[dict[str, Any]]


def write_bundle(folder: Path, name: str, graph: bytes, signature: Signature, rows: Rows) -> Path:
    """A bundle as packaging writes it, with ``rows`` as golden requests and no golden outputs."""
    folder.mkdir(parents=True)
    bins = bins_by_class("label", signature.classes).to_json() if signature.classes else None
    baseline, golden = dump_json({KEY: bins}), dump_json({"rows": rows, "outputs": {}})
    manifest = Manifest(name, "", signature, "float32", Tolerance(), "tests").to_json()
    manifest["version"] = compute_version(graph, manifest, baseline, golden)
    files = {"model.onnx": graph, "model.json": dump_json(manifest), "baseline.json": baseline}
    for file, content in {**files, "golden.json": golden}.items():
        (folder / file).write_bytes(content)
    return folder


def convert(estimator: Any, types: list[tuple[str, Any]], **options: Any) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from skl2onnx import to_onnx

        graph = to_onnx(estimator, initial_types=types, options=options or None, target_opset=17)
    return bytes(graph.SerializeToString())


def numbers(*names: str, dtype: Any = "float32", **more: Any) -> tuple[Feature, ...]:
    return tuple(Feature(name, dtype, **more) for name in names)


def classifier_outputs(dtype: Any, classes: int) -> tuple[Output, ...]:
    probabilities = Output("probabilities", "float32", "probabilities", (None, classes))
    return (Output("label", dtype, "label", (None,)), probabilities)


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="session")
def iris(bundles: Path) -> Path:
    """A classifier of four numbers with integer labels: one tensor."""
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    data = load_iris()
    model = LogisticRegression(max_iter=500).fit(data.data, data.target)
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    signature = Signature(
        "classification",
        numbers(*names),
        (Tensor("X", "float32", names),),
        (
            Output("label", "int64", "label", (None,)),
            Output("probabilities", "float32", "probabilities", (None, 3)),
        ),
        (0, 1, 2),
    )
    rows = [dict(zip(names, map(float, row), strict=True)) for row in data.data[::50]]
    return write_bundle(
        bundles / "iris",
        "iris",
        convert(model, [("X", FloatTensorType([None, 4]))], zipmap=False),
        signature,
        rows,
    )


def churn_rows() -> tuple[Rows, list[str]]:
    random = np.random.default_rng(7)
    rows: Rows = []
    for _ in range(80):
        rows.append(
            {
                "tenure": float(random.integers(1, 72)),
                "charge": round(float(random.uniform(20, 120)), 2),
                "contract": str(random.choice(["monthly", "one year", "two years"])),
                "region": str(random.choice(["north", "south"])),
            }
        )
    labels = ["leaves" if row["contract"] == "monthly" and row["charge"] > 60 else "stays" for row in rows]
    for row in rows[::9]:
        row["charge"] = None
    return rows, labels


@pytest.fixture(scope="session")
def churn(bundles: Path) -> Path:
    """A mixed-type pipeline: strings (one closed, one open set), a number that may be missing, string labels."""
    import pandas as pd
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rows, labels = churn_rows()
    model = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["tenure", "charge"]),
                ("closed", OneHotEncoder(), ["contract"]),
                ("open", OneHotEncoder(handle_unknown="ignore"), ["region"]),
            ]
        ),
        LogisticRegression(),
    ).fit(pd.DataFrame(rows), labels)
    dtypes: dict[str, Any] = {"tenure": "float32", "charge": "float32", "contract": "string", "region": "string"}
    kinds = {"float32": FloatTensorType, "string": StringTensorType}
    types = [(name, kinds[dtype]([None, 1])) for name, dtype in dtypes.items()]
    signature = Signature(
        "classification",
        (
            Feature("tenure", "float32", minimum=1.0, maximum=71.0, example=12.0),
            Feature("charge", "float32", missing="accepted", minimum=20.0, maximum=120.0, example=70.5),
            Feature("contract", "string", categories=("monthly", "one year", "two years"), unseen="refused"),
            Feature("region", "string", categories=("north", "south"), missing="accepted"),
        ),
        tuple(
            Tensor(name, "string" if name in ("contract", "region") else "float32", (name,)) for name, _ in types
        ),
        (
            Output("label", "string", "label", (None,)),
            Output("probabilities", "float32", "probabilities", (None, 2)),
        ),
        ("leaves", "stays"),
    )
    return write_bundle(bundles / "churn", "churn", convert(model, types, zipmap=False), signature, rows[1:9])


def graph_of(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> bytes:
    """A graph of a few ONNX nodes, for what no small estimator does."""
    from onnx import helper

    graph = helper.make_graph(nodes, "tests", inputs, outputs)
    opset = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString())


@pytest.fixture(scope="session")
def energy(bundles: Path) -> Path:
    """A regressor of two targets whose features are float64, int64 and bool in one tensor of doubles."""
    from skl2onnx.common.data_types import DoubleTensorType
    from sklearn.linear_model import LinearRegression

    random = np.random.default_rng(3)
    data = np.column_stack([random.normal(20, 5, 60), random.integers(0, 9, 60), random.integers(0, 2, 60)])
    model = LinearRegression().fit(data, np.column_stack([data.sum(axis=1), data[:, 0] * 2]))
    features = (
        Feature("outside_celsius", "float64"),
        Feature("floors", "int64", missing="accepted"),
        Feature("heated", "bool"),
    )
    signature = Signature(
        "regression",
        features,
        (Tensor("numbers", "float64", ("outside_celsius", "floors", "heated")),),
        (Output("variable", "float64", "value", (None, 2)),),
    )
    rows: Rows = [{"outside_celsius": 18.5, "floors": 3, "heated": True}]
    graph = convert(model, [("numbers", DoubleTensorType([None, 3]))])
    return write_bundle(bundles / "energy", "energy", graph, signature, rows)


@pytest.fixture(scope="session")
def ratio(bundles: Path) -> Path:
    """Divides, so that outputs can be infinite or NaN; int64 and float32 tensors, and a vector that passes."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["count"], ["count_float"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["total", "count_float"], ["mean"]),
        helper.make_node("Identity", ["vector"], ["echo"]),
    ]
    inputs = [
        helper.make_tensor_value_info("total", TensorProto.FLOAT, [None, 1]),
        helper.make_tensor_value_info("count", TensorProto.INT64, [None, 1]),
        helper.make_tensor_value_info("vector", TensorProto.FLOAT, [None, 2, 2]),
    ]
    outputs = [
        helper.make_tensor_value_info("mean", TensorProto.FLOAT, [None, 1]),
        helper.make_tensor_value_info("echo", TensorProto.FLOAT, [None, 2, 2]),
    ]
    signature = Signature(
        "regression",
        (Feature("total", "float32"), Feature("count", "int64"), Feature("vector", "float32", shape=(2, 2))),
        (
            Tensor("total", "float32", ("total",)),
            Tensor("count", "int64", ("count",)),
            Tensor("vector", "float32", ("vector",)),
        ),
        (Output("mean", "float32", "value", (None, 1)), Output("echo", "float32", "tensor", (None, 2, 2))),
    )
    rows: Rows = [{"total": 1.0, "count": 2, "vector": [[1.0, 2.0], [3.0, 4.0]]}]
    return write_bundle(bundles / "ratio", "ratio", graph_of(nodes, inputs, outputs), signature, rows)


def open_scorer(folder: Path, **limits: int) -> Scorer:
    return Scorer(open_model(folder, memory_mb=512), Limits(**limits), "7")


@pytest.fixture(scope="session")
def scorers(iris: Path, churn: Path, energy: Path, ratio: Path) -> dict[str, Scorer]:
    """A scorer of each bundle, with limits of 20 rows and 20,000 bytes."""
    folders = {"iris": iris, "churn": churn, "energy": energy, "ratio": ratio}
    return {name: open_scorer(folder, max_rows=20, max_body_bytes=20_000) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def open_endpoints() -> Iterator[Callable[..., Endpoint]]:
    """Opens the endpoint of a bundle, as the handler does; further environment variables by keyword."""
    with ExitStack() as opened:

        def open_it(folder: Path, **environ: str) -> Endpoint:
            base = {"SERINUS_MODEL_DIR": str(folder), "AWS_LAMBDA_FUNCTION_VERSION": "7"}
            endpoint = open_endpoint({**base, **environ})
            opened.callback(endpoint.close)
            return endpoint

        yield open_it
