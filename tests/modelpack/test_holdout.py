"""Metrics on the card are scikit-learn's, to the last digits that rounding leaves."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from serinus.modelpack.errors import HoldoutError, SampleError
from serinus.modelpack.holdout import accuracy, as_classifier, can_be_scored, compare_metrics

ROWS = 300
LABELS: dict[str, Any] = {
    "two": np.array(["no", "yes"]),
    "three": np.array(["a", "b", "c"]),
    "numbers": np.array([0, 1, 2, 5]),
    "booleans": np.array([False, True]),
    "reals": np.array([-1.0, 1.0]),
}


def _classifier(labels: Any, *, sure: bool, dtype: Any) -> tuple[Any, dict[str, Any]]:
    """True labels, and a classifier's outputs about them, with ties; ``sure`` ones hold zeros and ones."""
    random = np.random.default_rng(3)
    truth = labels[random.integers(0, len(labels), ROWS)]
    shares = np.round(random.dirichlet(np.full(len(labels), 0.1 if sure else 2.0), ROWS), 2)
    if sure:
        shares = np.eye(len(labels))[random.integers(0, len(labels), ROWS)]
    shares[:, -1] = 1.0 - shares[:, :-1].sum(axis=1)
    shares = np.clip(shares, 0.0, 1.0).astype(dtype)
    return truth, {"label": labels[shares.argmax(axis=1)], "probabilities": shares}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("sure", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.filterwarnings("ignore:The y_prob")
def test_classifiers_metrics(kind: str, sure: bool, dtype: Any) -> None:
    labels = LABELS[kind]
    truth, outputs = _classifier(labels, sure=sure, dtype=dtype)
    shares = outputs["probabilities"].astype(np.float64)
    expected = {
        "accuracy": metrics.accuracy_score(truth, outputs["label"]),
        "brier": metrics.brier_score_loss(truth, shares, labels=labels)
        if len(labels) > 2
        else metrics.brier_score_loss(truth, shares[:, 1], pos_label=labels[1]),
        "log_loss": metrics.log_loss(truth, shares, labels=labels),
    }
    if len(labels) == 2:
        expected["auc"] = metrics.roc_auc_score(truth, shares[:, 1])
    measured = compare_metrics(pd.Series(truth), outputs, outputs, tuple(labels.tolist()), 0.0)
    assert measured["source"] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert measured["bundle"] == measured["source"]


def test_regressors_metrics() -> None:
    random = np.random.default_rng(4)
    truth, value = random.normal(5.0, 3.0, ROWS), random.normal(5.0, 3.0, ROWS)
    expected = {
        "rmse": metrics.root_mean_squared_error(truth, value),
        "mae": metrics.mean_absolute_error(truth, value),
        "r2": metrics.r2_score(truth, value),
    }
    measured = compare_metrics(pd.Series(truth), {"value": value}, {"value": value}, None, 0.0)
    assert measured["source"] == pytest.approx(expected, rel=1e-12)


def test_metrics_that_are_not_numbers_pass_no_gate() -> None:
    truth, value = np.arange(4.0), np.arange(4.0)
    worse = value.copy()
    worse[1] = np.nan
    with pytest.raises(HoldoutError, match="rmse is nan for the bundle"):
        compare_metrics(pd.Series(truth), {"value": value}, {"value": worse}, None, 0.01)
    truth[2] = np.nan
    with pytest.raises(SampleError, match=r"rmse of the source model is nan.*Leave those rows out"):
        compare_metrics(pd.Series(truth), {"value": value}, {"value": value}, None, 0.01)


@pytest.mark.parametrize(
    ("truth", "labels", "share"),
    [
        ([0, 1, 1], [0.0, 1.0, 0.0], 2 / 3),
        ([0.0, 1.0, np.nan], [0, 1, 1], 2 / 3),
        ([0, 1], [False, True], 1.0),
        ([1, 2], ["1", "2"], 1.0),
        ([1.0, 2.0], ["1", "2"], 1.0),
        ([1.0, 2.0], ["1.0", "3.0"], 0.5),
        (["1.0", "1"], ["1", "1"], 0.5),
        ([True, False], ["True", "False"], 1.0),
        (["01", "1"], ["1", "01"], 0.0),
    ],
)
def test_label_is_the_same_however_a_table_writes_it(truth: Any, labels: Any, share: float) -> None:
    assert accuracy(pd.Series(truth), np.array(labels)) == pytest.approx(share)


def test_scores_of_classes_are_read_as_a_classifier() -> None:
    random = np.random.default_rng(5)
    truth = random.integers(0, 4, ROWS)
    logits = random.normal(0.0, 1.0, (ROWS, 4)) + 2.0 * np.eye(4)[truth]
    measured = compare_metrics(pd.Series(truth), {"logits": logits}, {"logits": logits}, None, 0.0)["source"]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert measured["accuracy"] == metrics.accuracy_score(truth, logits.argmax(axis=1))
    assert measured["log_loss"] == pytest.approx(metrics.log_loss(truth, shares), rel=1e-9)
    read, classes = as_classifier({"probabilities of classes": shares}, None, truth)
    assert classes == (0, 1, 2, 3)
    assert read["probabilities"] == pytest.approx(shares)
    assert can_be_scored({"logits": logits}, None, pd.Series(truth))


def test_embedding_is_no_classifier() -> None:
    random = np.random.default_rng(6)
    vectors, labels = random.normal(size=(ROWS, 8)), pd.Series(random.integers(0, 2, ROWS))
    assert not can_be_scored({"vector": vectors}, None, labels)
    for truth in (labels + 8, labels + 0.5, labels.map({0: "a", 1: "b"})):
        with pytest.raises(SampleError, match="scores of classes that the target numbers from 0"):
            compare_metrics(truth, {"vector": vectors}, {"vector": vectors}, None, 0.0)
