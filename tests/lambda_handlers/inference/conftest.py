"""Small real models as bundles, each trained and converted once a run."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lambda_handlers.contract.agreement import Tolerance
from lambda_handlers.contract.bundle import Manifest, compute_version, dump_json
from lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from lambda_handlers.inference.endpoint import Endpoint, open_endpoint
from lambda_handlers.inference.limits import Limits
from lambda_handlers.inference.scoring import Scorer
from lambda_handlers.inference.session import open_model

Rows = list[dict[str, Any]]


def write_bundle(folder: Path, name: str, graph: bytes, signature: Signature, rows: Rows) -> Path:
    """A bundle as packaging writes it, with ``rows`` as golden requests and no golden outputs."""
    folder.mkdir(parents=True)
    baseline, golden = dump_json({}), dump_json({"rows": rows, "outputs": {}})
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


@pytest.fixture
def serve() -> Callable[..., Scorer]:
    """A scorer of a bundle."""

    def open_scorer(folder: Path, **limits: int) -> Scorer:
        return Scorer(open_model(folder, memory_mb=512), Limits(**limits), "7")

    return open_scorer


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
