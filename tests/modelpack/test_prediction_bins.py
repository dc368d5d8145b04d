"""A model trained again counts its predictions in the bins of the one before, where they still tell them apart."""

import json
from pathlib import Path

import numpy as np
import pytest

from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock
from serinus.lambda_handlers.contract.prediction_bins import PredictionBins, bins_between, bins_by_class
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.modelpack.prediction_bins import choose_bins, pinned_edges

FEATURE = (Feature("a", "float32"),)
TENSOR = (Tensor("X", "float32", ("a",)),)
VALUE = Signature("regression", FEATURE, TENSOR, (Output("value", "float32", "value", (None, 1)),))
LABEL = Signature("classification", FEATURE, TENSOR, (Output("label", "int64", "label", (None,)),), (0, 1))


class Notices:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


def predictions(shift: float = 0.0) -> dict[str, np.ndarray]:
    return {"value": np.random.default_rng(5).normal(shift, 1.0, (4000, 1)).astype(np.float32)}


def choose(outputs: dict[str, np.ndarray], pinned: list[float] | None = None, signature: Signature = VALUE):
    notices = Notices()
    return choose_bins(signature, outputs, lambda _: pinned, notices), notices.texts  # type: ignore[arg-type]


def test_the_first_bundle_counts_between_its_own_deciles() -> None:
    bins, notices = choose(predictions())
    assert bins is not None
    assert bins.edges is not None
    deciles = np.quantile(predictions()["value"], np.linspace(0.1, 0.9, 9))
    assert list(bins.edges) == pytest.approx(deciles, abs=2e-3)
    assert notices == []


@pytest.mark.parametrize("shift", [0.0, 0.5, -1.0])
def test_a_model_trained_on_drifted_data_keeps_the_pinned_bins(shift: float) -> None:
    pinned, _ = choose(predictions())
    bins, notices = choose(predictions(shift), list(pinned.edges))
    assert bins == pinned
    assert bins.id == pinned.id
    assert notices == []


def test_bins_that_no_longer_tell_predictions_apart_are_replaced_aloud() -> None:
    pinned, _ = choose(predictions())
    bins, notices = choose(predictions(5.0), list(pinned.edges))
    assert bins.id != pinned.id
    assert "does not compare predictions" in notices[0]


def test_a_model_that_predicts_one_value_mostly_keeps_bins_that_no_others_would_better() -> None:
    mostly_zero = {"value": np.where(np.arange(1000) % 10 < 8, 0.0, np.arange(1000)).astype(np.float32)[:, None]}
    pinned, _ = choose(mostly_zero)
    bins, notices = choose(mostly_zero, list(pinned.edges))
    assert (bins, notices) == (pinned, [])


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_small_tree_trained_again_does_not_change_its_bins(depth: int) -> None:
    """Its leaves move by a hair; edges that lay on them would move their whole mass."""
    from sklearn.datasets import load_diabetes
    from sklearn.tree import DecisionTreeRegressor

    data, target = load_diabetes(return_X_y=True)
    first = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(data, target).predict(data)
    again = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(data, target + 0.3).predict(data)
    bins, _ = choose({"value": first[:, None]})
    assert bins is not None
    assert (np.searchsorted(bins.edges, first) == np.searchsorted(bins.edges, again)).all()


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_a_constant_prediction_has_no_bins(value: float) -> None:
    assert choose({"value": np.full((50, 1), value)})[0] is None


def test_edges_keep_away_from_a_value_that_many_predictions_have() -> None:
    clipped = np.maximum(predictions()["value"], 0.0)
    bins, _ = choose({"value": clipped})
    assert min(abs(edge) for edge in bins.edges) >= 0.01 * clipped.max() * 0.999


def test_infinite_predictions_are_left_out() -> None:
    bins, _ = choose({"value": np.append(predictions()["value"], [[np.inf]] * 900, axis=0)})
    assert np.isfinite(bins.edges).all()


def test_text_is_not_counted_as_a_number() -> None:
    text = VALUE._replace(outputs=(Output("value", "string", "value", (None, 1)),))
    assert choose({"value": np.array([["a"]])}, None, text)[0] is None


def test_labels_are_counted_by_class_whatever_was_pinned() -> None:
    bins, _ = choose({"label": np.array([0, 1])}, [1.0], LABEL)
    assert bins == bins_by_class("label", (0, 1))


def test_outputs_without_a_single_prediction_have_no_bins() -> None:
    vector = VALUE._replace(outputs=(Output("z", "float32", "tensor", (None, 4)),))
    assert choose({"z": np.zeros((3, 4))}, None, vector)[0] is None
    assert choose({"value": np.full((3, 1), np.nan)})[0] is None


@pytest.mark.parametrize(
    "other",
    [
        bins_between("value", (1.0, 3.0)),
        bins_between("second", (1.0, 2.0)),
        bins_by_class("value", (0, 1)),
        bins_by_class("value", ("0", "1")),
    ],
)
def test_bins_that_differ_have_other_ids(other: PredictionBins) -> None:
    assert other.id != bins_between("value", (1.0, 2.0)).id


def write_pin(project: Path, environment: str, bundle: str, edges: list[float]) -> Pin:
    folder = project / bundle
    folder.mkdir(parents=True)
    (folder / "baseline.json").write_text(json.dumps({"prediction_bins": bins_between("value", edges).to_json()}))
    return Pin("0" * 64, bundle)


def test_edges_come_from_the_environments_pin_or_else_from_another(tmp_path: Path) -> None:
    assert pinned_edges(tmp_path, "dev", "churn", "value") is None
    lock = {
        "prod": {"churn": write_pin(tmp_path, "prod", "bundles/a", [1.0])},
        "dev": {"churn": write_pin(tmp_path, "dev", "bundles/b", [2.0])},
    }
    (tmp_path / LOCK).write_text(render_lock(lock))
    assert pinned_edges(tmp_path, "dev", "churn", "value") == [2.0]
    assert pinned_edges(tmp_path, "staging", "churn", "value") in ([1.0], [2.0])
    assert pinned_edges(tmp_path, "dev", "churn", "other") is None
    assert pinned_edges(tmp_path, "dev", "fraud", "value") is None


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"prediction_bins": null}', '{"prediction_bins": 3}'])
def test_a_pinned_bundle_that_is_not_here_or_damaged_is_passed_over(tmp_path: Path, text: str | None) -> None:
    (tmp_path / LOCK).write_text(render_lock({"dev": {"churn": Pin("0" * 64, "bundles/a")}}))
    if text is not None:
        (tmp_path / "bundles/a").mkdir(parents=True)
        (tmp_path / "bundles/a/baseline.json").write_text(text)
    assert pinned_edges(tmp_path, "dev", "churn", "value") is None
