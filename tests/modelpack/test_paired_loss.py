"""Bounds of paired losses: right in the limit that is known, and right as often as they say."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from serinus.modelpack.holdout import compare_metrics
from serinus.modelpack.paired_loss import PairedLoss, measure_losses, tango_upper

Drawn = tuple["pd.Series[Any]", dict[str, Any], dict[str, Any]]


def _classifier(random: np.random.Generator, rows: int) -> Drawn:
    """True labels, a source that is right about their probabilities, and a bundle that is a little too sure."""
    logit = random.normal(0.0, 3.0, rows)
    truth = (random.random(rows) < _sigmoid(logit)).astype(int)
    changed = logit * 1.02 + random.normal(0.0, 0.15, rows)
    return pd.Series(truth), _outputs(_sigmoid(logit)), _outputs(_sigmoid(changed))


def _regressor(random: np.random.Generator, rows: int) -> Drawn:
    truth = random.normal(0.0, 3.0, rows)
    value = truth + random.standard_t(5, rows)
    return pd.Series(truth), {"value": value}, {"value": value * 1.01 + random.normal(0.0, 0.3, rows)}


def _sigmoid(logit: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-logit))


def _outputs(share: Any) -> dict[str, Any]:
    return {"label": (share > 0.5).astype(int), "probabilities": np.column_stack([1.0 - share, share])}


def test_no_changed_label_still_leaves_a_loss_possible() -> None:
    z = 1.6448536269514722
    for rows in (100, 1000, 10_000):
        assert tango_upper(0, 0, rows) == pytest.approx(z**2 / (rows + z**2))


def test_bound_of_accuracy_is_the_score_tests() -> None:
    # The bound solves (b - c - n d) / sqrt(n (2 q + d (1 - d))) = -z for the constrained estimate q.
    losses, gains, rows = 30, 18, 1000
    bound = tango_upper(losses, gains, rows)
    shares = np.linspace(0.0, 0.5, 500_001)
    likelihood = losses * np.log(np.maximum(shares + bound, 1e-300)) + gains * np.log(np.maximum(shares, 1e-300))
    likelihood += (rows - losses - gains) * np.log(np.maximum(1.0 - 2.0 * shares - bound, 1e-300))
    share = float(shares[likelihood.argmax()])
    score = (losses - gains - rows * bound) / np.sqrt(rows * (2.0 * share + bound * (1.0 - bound)))
    assert score == pytest.approx(-1.6448536269514722, abs=1e-3)


def test_mirrored_changes_have_mirrored_losses() -> None:
    assert tango_upper(10, 0, 500) > 10 / 500 > 0.0 > -10 / 500
    assert -10 / 500 < tango_upper(0, 10, 500) < 0.0


@pytest.mark.parametrize(("draw", "classes"), [(_classifier, (0, 1)), (_regressor, None)])
def test_bounds_hold_as_often_as_they_say(draw: Any, classes: Any) -> None:
    random = np.random.default_rng(5)
    exact = {name: loss.loss for name, loss in measure_losses(*draw(random, 1_000_000), classes).items()}
    repeats, held = 300, dict.fromkeys(exact, 0)
    for _ in range(repeats):
        for name, loss in measure_losses(*draw(random, 400), classes).items():
            held[name] += loss.at_most >= exact[name]
    assert set(exact) == ({"accuracy", "brier", "log_loss", "auc"} if classes else {"rmse", "mae", "r2"})
    # 95 % of 300, by three standard deviations.
    assert all(0.912 <= count / repeats <= 1.0 for count in held.values()), held


def test_paired_bound_is_far_below_that_of_separate_intervals() -> None:
    truth, source, bundle = _classifier(np.random.default_rng(1), 2000)
    loss = measure_losses(truth, source, bundle, (0, 1))["accuracy"]
    separate = 1.645 * np.sqrt(2.0 * loss.source * (1.0 - loss.source) / 2000)
    assert loss.at_most - loss.loss < separate / 2.0


def test_losses_are_those_of_the_gate_on_the_holdout() -> None:
    truth, source, bundle = _classifier(np.random.default_rng(2), 500)
    metrics = compare_metrics(truth, source, bundle, (0, 1), 1.0)
    for name, loss in measure_losses(truth, source, bundle, (0, 1)).items():
        assert (loss.source, loss.bundle) == (metrics["source"][name], metrics["bundle"][name])
        share = 1.0 if name in ("accuracy", "auc") else metrics["source"][name]
        better = 1.0 if name in ("accuracy", "auc") else -1.0
        assert loss.loss == pytest.approx(better * (loss.source - loss.bundle) / share)


def test_equal_outputs_lose_nothing_but_what_few_rows_cannot_exclude() -> None:
    truth, source, _ = _classifier(np.random.default_rng(3), 1000)
    losses = measure_losses(truth, source, source, (0, 1))
    assert losses.pop("accuracy").at_most == pytest.approx(2.705543 / 1002.705543)
    assert all(loss.at_most == pytest.approx(0.0, abs=1e-12) for loss in losses.values())


def test_prediction_that_is_no_number_may_lose_everything() -> None:
    truth, source, bundle = _regressor(np.random.default_rng(4), 200)
    bundle["value"][3] = np.nan
    losses = measure_losses(truth, source, bundle, None)
    assert all(loss.at_most == np.inf for loss in losses.values())


def test_one_large_error_widens_the_bound() -> None:
    truth, source, _ = _regressor(np.random.default_rng(6), 200)
    worse = source["value"] + np.where(np.arange(200) == 7, 40.0, 0.0)
    loss: PairedLoss = measure_losses(truth, source, {"value": worse}, None)["mae"]
    assert loss.at_most > 2.0 * loss.loss > 0.0
