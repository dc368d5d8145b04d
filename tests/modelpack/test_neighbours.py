"""Neighbours found by matrix products are the source's own, far from the origin too."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.impute import KNNImputer
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from serinus.modelpack.errors import ParityError
from serinus.modelpack.request import PackageResult

Package = Callable[..., PackageResult]


def _operators(packed: PackageResult) -> set[str]:
    return {node.op_type for node in onnx.load(packed.bundle / "model.onnx").graph.node}


@pytest.mark.parametrize("kind", [KNeighborsClassifier, KNeighborsRegressor])
@pytest.mark.parametrize("away", [0.0, 1.7e9])
def test_distances_keep_their_digits_far_from_the_origin(
    kind: type, away: float, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    random = np.random.default_rng(5)
    trained = numbers + random.normal(0.0, 3.0, numbers.shape) + away
    seen = numbers + random.normal(0.0, 3.0, numbers.shape) + away
    target = score > 0 if kind is KNeighborsClassifier else score
    packed = pack(kind(5, algorithm="kd_tree").fit(trained, target), seen)
    assert packed.parity.labels_equal == 1.0
    assert {"CDist", "TopK"} <= _operators(packed)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_nearer_neighbours_weigh_more_and_equal_rows_alone(
    weights: str, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    trained = numbers + np.random.default_rng(2).normal(0.0, 1.0, numbers.shape)
    seen = pd.concat([trained.head(50), trained.tail(50) + 0.3], ignore_index=True)
    classified = KNeighborsClassifier(4, weights=weights).fit(trained, score > 0)
    several = KNeighborsRegressor(4, weights=weights).fit(trained, np.c_[score, -score])
    for packed in (pack(classified, seen), pack(several, seen)):
        assert packed.precisions[0].precision == "float64"
        assert packed.precisions[0].agreement is not None
        assert packed.precisions[0].agreement.max_abs_difference < 1e-9
        assert "CDist" in _operators(packed)


def test_other_distances_stay_as_they_were(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    rows = numbers + np.random.default_rng(2).normal(0.0, 1.0, numbers.shape)
    packed = pack(KNeighborsClassifier(3, metric="manhattan").fit(rows, score > 0), rows + 0.01)
    assert "CDist" not in _operators(packed)


def test_a_refusal_names_the_imputer_that_chooses_among_ties(pack: Package) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.integers(0, 5, (200, 3)).astype(float), columns=["a", "b", "c"])
    gaps = rows.mask(random.random(rows.shape) < 0.2)
    model = make_pipeline(KNNImputer(n_neighbors=3), DecisionTreeRegressor(random_state=0)).fit(
        gaps, rows.sum(axis=1)
    )
    with pytest.raises(ParityError) as caught:
        pack(model, gaps)
    said = str(caught.value)
    assert "KNNImputer chooses among neighbours at equal distance" in said
    assert "np.float64" not in said
    assert "labels" not in said
