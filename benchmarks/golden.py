"""Golden rows that are drawn, beside rows of the sample: how many spoiled graphs each finds."""

import argparse
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
import xgboost
from onnx import numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from table import Row, main

from serinus.lambda_handlers.contract.agreement import compare
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.features import describe_features
from serinus.modelpack.golden import choose_golden
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected, predict_expected
from serinus.modelpack.sample import Sample, fit_to_model
from serinus.modelpack.sources import from_object
from serinus.modelpack.synthetic import draw_expected

ROWS = 1_500
TOLERANCE = Tolerance()
NOTE = (
    "Each graph is a packaged one with one of its numbers changed: a weight, a threshold or a leaf, any of them, "
    "to zero, its negative, or by 10 to 50 %. A set finds it where a golden row's output is out of the default "
    "tolerance. `whole sample` is what all 1,500 rows find: the rest changes nothing that they show."
)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A row a model, and the sum."""
    warnings.simplefilter("ignore")
    rows = [_measure(name, model, table, chosen.graphs) for name, model, table in _models()]
    counts = [name for name in rows[0] if name != "model"]
    return [*rows, {"model": "all", **{name: sum(row[name] for row in rows) for name in counts}}]


def _measure(name: str, model: Any, table: pd.DataFrame, graphs: int) -> Row:
    source = from_object(model, Path("model"))
    sample = fit_to_model(table, names=source.feature_names, count=source.feature_count)
    graph = next(iter(source.graphs(sample))).model
    features = describe_features(source, sample)
    expected = predict_expected(source, sample, features)
    drawn = draw_expected(source, sample, features, Runner(graph, sample), TOLERANCE)
    sets = {
        "sample rows": _golden(expected, features, sample),
        "drawn rows": _golden(drawn, features, sample),
        "whole sample": (expected.frame, expected.outputs),
    }
    random = np.random.default_rng(1)
    found = dict.fromkeys(sets, 0)
    for _ in range(graphs):
        runner = Runner(_spoiled(graph, random), sample)
        for kind, (frame, outputs) in sets.items():
            found[kind] += not compare(outputs, runner(frame), TOLERANCE).agrees
    return {"model": name, "spoiled graphs": graphs, **found}


def _golden(expected: Expected, features: Any, sample: Sample) -> tuple[pd.DataFrame, dict[str, npt.NDArray[Any]]]:
    golden = choose_golden(expected, features)
    frame = pd.DataFrame(list(golden.rows))
    types: dict[str, Any] = {
        name: object if dtype == "string" else np.float64 for name, dtype in sample.dtypes.items()
    }
    outputs = {name: np.array(values) for name, values in golden.outputs.items()}
    return frame.astype(types), outputs


def _spoiled(graph: bytes, random: np.random.Generator) -> bytes:
    """The graph with one of its numbers changed."""
    model = onnx.load_from_string(graph)
    tensors = [item for item in model.graph.initializer if item.data_type in (1, 11)]
    tensors += [
        attribute.t
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.name in ("nodes_splits", "leaf_weights")
    ]
    sizes = np.array([np.prod(tensor.dims) for tensor in tensors], dtype=np.float64)
    tensor = tensors[random.choice(len(tensors), p=sizes / sizes.sum())]
    values = numpy_helper.to_array(tensor).copy()
    flat = values.reshape(-1)
    place = random.integers(flat.size)
    spread = float(np.nanstd(flat[np.isfinite(flat)])) or 1.0
    flat[place] = flat[place] * random.choice([-1.0, 0.0, 0.9, 1.5]) + random.choice([0.0, 0.3]) * spread
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return bytes(model.SerializeToString())


def _models() -> list[tuple[str, Any, pd.DataFrame]]:
    random = np.random.default_rng(0)
    numbers = pd.DataFrame(np.round(random.normal(0, 10, (ROWS, 6)), 1), columns=list("abcdef"))
    numbers["g"] = numbers["a"] + random.normal(0, 0.5, ROWS)
    mixed = numbers[["a", "b"]].assign(
        city=random.choice(["Rome", "Oslo", "Bern", "Nice"], ROWS, p=[0.5, 0.3, 0.15, 0.05]),
        visits=random.poisson(3, ROWS),
    )
    mixed.loc[random.random(ROWS) < 0.1, "a"] = np.nan
    words = np.array(["alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta", "iota", "kappa"])
    text = pd.DataFrame({"text": [" ".join(random.choice(words, 6)) for _ in range(ROWS)]})
    score = numbers["a"] + numbers["b"] * numbers["c"] / 5
    label = score > 0
    mixed_label = mixed["b"] + 5 * (mixed["city"] == "Oslo") + mixed["visits"] > 4
    models: dict[str, tuple[Any, pd.DataFrame, Any]] = {
        "forest": (RandomForestClassifier(30, random_state=0), numbers, label),
        "forest of numbers": (RandomForestRegressor(30, random_state=0), numbers, score),
        "histogram boosting": (HistGradientBoostingClassifier(max_iter=40), numbers, label),
        "boosting of numbers": (GradientBoostingRegressor(), numbers, score),
        "LightGBM": (lightgbm.LGBMClassifier(n_estimators=40, verbose=-1), numbers, label),
        "XGBoost of numbers": (xgboost.XGBRegressor(n_estimators=40), numbers, score),
        "columns, logistic": (make_pipeline(_columns(), LogisticRegression()), mixed, mixed_label),
        "columns, forest": (make_pipeline(_columns(), RandomForestClassifier(20)), mixed, mixed_label),
        "network": (make_pipeline(StandardScaler(), MLPClassifier(random_state=0)), numbers, label),
        "network of numbers": (make_pipeline(StandardScaler(), MLPRegressor(max_iter=80)), numbers, score),
        "text": (_text_model(), text, text["text"].str.contains("alpha")),
    }
    return [(name, model.fit(table, target), table) for name, (model, table, target) in models.items()]


def _columns() -> ColumnTransformer:
    steps = make_pipeline(SimpleImputer(), StandardScaler())
    cities = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer([("numbers", steps, ["a", "b", "visits"]), ("city", cities, ["city"])])


def _text_model() -> Any:
    return make_pipeline(ColumnTransformer([("words", TfidfVectorizer(), "text")]), LogisticRegression())


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--graphs", type=int, default=100, help="spoiled graphs a model")


if __name__ == "__main__":
    main("golden", measure, note=NOTE, arguments=_arguments)
