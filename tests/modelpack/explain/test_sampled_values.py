"""Sampled Shapley values: their errors cover the truth, they sum to the output, and a seed decides them."""

from typing import Any

import numpy as np
import pytest

from serinus.lambda_handlers.explain.sampled import sample_values, seed_of

FEATURES, ROWS = 4, 60
_RANDOM = np.random.default_rng(0)
BACKGROUND = _RANDOM.normal(size=(80, FEATURES))
EXPLAINED = _RANDOM.normal(size=(ROWS, FEATURES))
WEIGHTS = np.array([1.0, -2.0, 0.5, 0.0])


def _linear(rows: np.ndarray) -> np.ndarray:
    return np.stack([rows @ WEIGHTS, -rows @ WEIGHTS], axis=1)


def _product(rows: np.ndarray) -> np.ndarray:
    return (rows[:, 0] * rows[:, 1] + rows[:, 2])[:, None]


def _product_values(row: np.ndarray) -> np.ndarray:
    """By hand: of a product of two features each has half of what it adds alone and last."""
    first, second, third = BACKGROUND[:, 0], BACKGROUND[:, 1], BACKGROUND[:, 2]
    return np.array(
        [
            ((row[0] - first) * (row[1] + second) / 2).mean(),
            ((row[1] - second) * (row[0] + first) / 2).mean(),
            row[2] - third.mean(),
            0.0,
        ]
    )


def test_values_of_a_linear_function_with_the_whole_background_are_exact() -> None:
    sampled = sample_values(_linear, EXPLAINED[0], BACKGROUND, pairs=len(BACKGROUND), seed=1)
    expected = WEIGHTS * (EXPLAINED[0] - BACKGROUND.mean(axis=0))
    np.testing.assert_allclose(sampled.values, [expected, -expected], atol=1e-12)


def test_values_and_base_sum_to_the_output() -> None:
    sampled = sample_values(_product, EXPLAINED[0], BACKGROUND, pairs=10, seed=1)
    np.testing.assert_allclose(sampled.base + sampled.values.sum(axis=1), _product(EXPLAINED[:1])[0], atol=1e-12)


def test_two_standard_errors_cover_the_truth_in_nine_of_ten_values() -> None:
    covered = []
    for number, row in enumerate(EXPLAINED):
        sampled = sample_values(_product, row, BACKGROUND, pairs=40, seed=number)
        off = np.abs(sampled.values[0] - _product_values(row))
        covered.append((off <= 2.0 * sampled.standard_errors[0] + 1e-12)[:3])
    assert np.mean(covered) >= 0.9


def test_a_seed_decides_the_answer_and_the_request_decides_the_seed() -> None:
    first, again, other = (
        sample_values(_product, EXPLAINED[0], BACKGROUND, pairs=10, seed=seed_of(body)).values
        for body in (b"one", b"one", b"two")
    )
    assert (first == again).all()
    assert (first != other).any()


def test_features_may_be_texts() -> None:
    background = np.array([["red", 1.0], ["blue", 3.0]], dtype=object)

    def run(rows: np.ndarray) -> Any:
        return np.array([[(5.0 if color == "red" else 0.0) + number] for color, number in rows])

    row = np.array(["red", 4.0], dtype=object)
    np.testing.assert_allclose(sample_values(run, row, background, pairs=2, seed=0).values, [[2.5, 2.0]])


def test_one_pair_has_no_standard_error() -> None:
    with pytest.raises(ValueError, match="pairs is 1"):
        sample_values(_product, EXPLAINED[0], BACKGROUND, pairs=1, seed=0)
