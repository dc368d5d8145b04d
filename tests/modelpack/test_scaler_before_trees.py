"""Rounding to single precision before a scaler moves values across the trees' thresholds; ours must not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource

ROWS = 5000
#: Few, so that thresholds fall on values that other rows hold.
TRAINED_ROWS = 800


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(11)
    frame = pd.DataFrame(np.round(random.normal(0.0, 10.0, (ROWS, 8)), 1), columns=list("abcdefgh"))
    return frame, (frame["a"] + frame["b"] * frame["c"] / 5 + random.normal(0.0, 3.0, ROWS) > 0).to_numpy()


@pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
@pytest.mark.parametrize(
    "trees",
    [
        RandomForestClassifier(24, random_state=0),
        GradientBoostingClassifier(n_estimators=40, random_state=0),
        HistGradientBoostingClassifier(max_iter=40),
    ],
)
def test_no_label_of_5000_flips(scaler: Any, trees: Any, table: tuple[pd.DataFrame, Any]) -> None:
    frame, labels = table
    source = SklearnSource(make_pipeline(scaler(), trees).fit(frame[:TRAINED_ROWS], labels[:TRAINED_ROWS]))
    sample = fit_to_model(frame, names=source.feature_names, count=None)
    graph = next(source.graphs(sample))
    got, expected = Runner(graph.model, sample)(frame), source.predict(frame)
    assert int((got["label"] != expected["label"]).sum()) == 0
    assert float(np.abs(got["probabilities"] - expected["probabilities"]).max()) < 1e-12


def test_single_precision_before_the_scaler_does_flip_labels(table: tuple[pd.DataFrame, Any]) -> None:
    """The trap is there: this is what the graph would give without its double precision."""
    frame, labels = table
    model = make_pipeline(StandardScaler(), RandomForestClassifier(24, random_state=0))
    model.fit(frame[:TRAINED_ROWS], labels[:TRAINED_ROWS])
    scaler, forest = (step for _, step in model.steps)
    mean, scale = scaler.mean_.astype(np.float32), scaler.scale_.astype(np.float32)
    rounded = (frame.to_numpy(dtype=np.float32) - mean) / scale
    assert (forest.predict(rounded) != model.predict(frame)).sum() > 0
