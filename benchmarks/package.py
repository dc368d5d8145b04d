"""Packaging: seconds, sizes against the joblib file, and agreement, with skl2onnx's own conversion beside.

10,000 rows of one decimal, as sensors and prices come; half of them train. Not named like the folder that it
measures: beside the other benchmarks it would shadow PyPI's `packaging`.
"""

import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from table import Row, main

from serinus.modelpack.package import PackageRequest, package

ROWS = 10_000
CALLS = 300
NUMBERS = [f"x{place}" for place in range(10)]
STRINGS = ["city", "plan"]


@dataclass(frozen=True, slots=True)
class Case:
    """A model yet to be trained, and the columns it takes."""

    name: str
    model: Any
    columns: list[str]


def cases() -> list[Case]:
    """Forest, boosting and network behind a scaler, and a pipeline of numbers and strings."""
    boosting = GradientBoostingClassifier(random_state=0)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    mixed = ColumnTransformer(
        [("numbers", numbers, NUMBERS), ("strings", OneHotEncoder(handle_unknown="ignore"), STRINGS)]
    )
    scaled = {
        "forest": RandomForestClassifier(100, random_state=0),
        "boosting": clone(boosting),
        "mlp": MLPClassifier((256, 128), max_iter=15, random_state=0),
    }
    return [
        *(Case(name, make_pipeline(StandardScaler(), last), NUMBERS) for name, last in scaled.items()),
        Case("mixed types", make_pipeline(mixed, boosting), [*NUMBERS, *STRINGS]),
    ]


def make_table() -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Rows, and the label that depends on some of their columns."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(np.round(random.normal(0.0, 10.0, (ROWS, len(NUMBERS))), 1), columns=NUMBERS)
    table["city"] = random.choice(["Bern", "Lima", "Oslo", "Rome"], ROWS)
    table["plan"] = random.choice(["basic", "full"], ROWS)
    score = table["x0"] + table["x1"] * table["x2"] / 5 + 4.0 * (table["plan"] == "full")
    return table, np.asarray(score + random.normal(0.0, 3.0, ROWS) > 0, dtype=np.int64)


def measure() -> Iterator[Row]:
    """One row a model."""
    table, labels = make_table()
    for case in cases():
        rows = table[case.columns]
        model = case.model
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(rows[: ROWS // 2], labels[: ROWS // 2])
        with tempfile.TemporaryDirectory() as folder:
            yield {"model": case.name, **measure_ours(model, rows, Path(folder)), **measure_skl2onnx(model, rows)}


def measure_ours(model: Any, rows: pd.DataFrame, folder: Path) -> Row:
    """Sizes in bytes, times in seconds and microseconds a row."""
    joblib.dump(model, folder / "model.joblib")
    rows.to_parquet(folder / "sample.parquet")
    packed = package(
        PackageRequest(folder / "model.joblib", "bench", folder / "sample.parquet", folder / "project")
    )
    session = _session((packed.bundle / "model.onnx").read_bytes())
    one = rows.head(1)
    feeds: dict[str, Any] = {"numbers": one[NUMBERS].to_numpy()}
    if set(STRINGS) <= set(rows.columns):
        feeds["strings"] = one[STRINGS].to_numpy(dtype=object)
    return {
        "package_s": packed.seconds["total"],
        "joblib_bytes": packed.source_bytes,
        "bundle_bytes": packed.bundle_bytes,
        "onnx_bytes": packed.graph_bytes,
        "rows": packed.parity.rows,
        "labels_equal": packed.parity.labels_equal,
        "max_difference": packed.parity.max_abs_difference,
        "source_row_us": _microseconds(lambda: model.predict_proba(one), CALLS // 10),
        "onnx_row_us": _microseconds(lambda: session.run(None, feeds), CALLS),
    }


def measure_skl2onnx(model: Any, rows: pd.DataFrame) -> Row:
    """The library's own conversion, in single precision: its size, and labels that differ from the source's."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    names = [name for name in rows.columns if name in NUMBERS]
    if len(names) == len(rows.columns):
        inputs = [("numbers", FloatTensorType([None, len(names)]))]
        feeds: dict[str, Any] = {"numbers": rows.to_numpy(dtype=np.float32)}
    else:
        inputs = [
            (n, FloatTensorType([None, 1]) if n in names else StringTensorType([None, 1])) for n in rows.columns
        ]
        feeds = {n: rows[[n]].to_numpy(dtype=np.float32 if n in names else object) for n in rows.columns}
    graph = to_onnx(model, initial_types=inputs, options={id(model): {"zipmap": False}}).SerializeToString()
    got = _session(graph).run(None, feeds)[0]
    return {"skl2onnx_bytes": len(graph), "skl2onnx_labels_differ": int((got != model.predict(rows)).sum())}


def _session(graph: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _microseconds(call: Callable[[], object], times: int) -> float:
    """Median of single calls."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return round(float(np.median(taken)) * 1e6, 1)


if __name__ == "__main__":
    main("package", lambda: list(measure()), note=(__doc__ or "").split("\n\n")[0])
