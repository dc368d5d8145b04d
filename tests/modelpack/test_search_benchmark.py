"""`scripts/bench search` on a few seeds: each outcome is one that it names, and a wrong answer is found."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from search import try_seed
from searching.answers import compare, is_at_threshold
from searching.bodies import find_mistakes

from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.sources.live import live_model

EXPECTED = {"label": np.array([1, 0, 1]), "probabilities": np.array([[0.1, 0.9], [0.8, 0.2], [0.49999, 0.50001]])}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 7])
def test_models_that_agree(seed: int) -> None:
    assert try_seed(seed) == ("agrees", "")


@pytest.mark.parametrize(
    ("labels", "shares", "said"),
    [
        ([1, 0, 1], EXPECTED["probabilities"], []),
        ([1, 0, 0], EXPECTED["probabilities"], []),  # within the tolerance of the other label
        ([0, 0, 1], EXPECTED["probabilities"], ["1 of label in other rows"]),
        ([1, 0, 1], EXPECTED["probabilities"] + [[0.0, 0.0], [0.1, -0.1], [0.0, 0.0]], ["2 of probabilities"]),
        ([1, 0], EXPECTED["probabilities"], ["label has shape (2,)"]),
    ],
)
def test_differences_are_named(labels: list[int], shares: np.ndarray, said: list[str]) -> None:
    answer = {"labels": labels, "probabilities": shares.tolist()}
    differences = list(compare(EXPECTED, answer, Tolerance(), is_sample=True))
    assert [item.text.startswith(start) for item, start in zip(differences, said, strict=True)] == [True] * len(
        said
    )


@pytest.mark.parametrize(
    ("number", "ours", "at_threshold"), [(0.5, 1.0, True), (0.5001, 0.0, False), (0.5, 2.0, False)]
)
def test_a_row_is_at_a_threshold_where_the_source_itself_gives_the_answer(
    number: float, ours: float, at_threshold: bool
) -> None:
    def predict(rows: pd.DataFrame) -> dict[str, np.ndarray]:
        return {"value": (rows["a"].to_numpy() > 0.5).astype(float)}

    rows = pd.DataFrame({"a": [number]})
    assert is_at_threshold(predict, rows, {"value": np.array([ours])}, Tolerance()) is at_threshold


@pytest.mark.slow
def test_requests_are_answered_as_the_source_predicts(
    numbers: pd.DataFrame, score: Any, pack: Any, tmp_path: Path
) -> None:
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(numbers, score > 0)
    opened = open_model(pack(model, numbers).bundle, memory_mb=512)
    scorer, features = Scorer(opened, Limits(), "1"), opened.manifest.signature.features
    other = make_pipeline(SimpleImputer(), LogisticRegression()).fit(numbers, score < 5)
    mistakes = {
        name: list(find_mistakes(scorer, features, live_model(fitted, tmp_path), numbers))
        for name, fitted in (("own", model), ("other", other))
    }
    assert mistakes["own"] == []
    assert any(text.startswith("another order: ") for text in mistakes["other"])
