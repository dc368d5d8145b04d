"""scikit-learn's classifiers with a decision threshold, on samples that hold nothing near it."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.request import PackageResult

pytestmark = pytest.mark.slow

Package = Callable[..., PackageResult]

F_TENTH = make_scorer(fbeta_score, beta=0.1, pos_label="no")
MODELS: dict[str, Callable[[], Any]] = {
    "fixed": lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.7),
    "fixed, other class": lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.7, pos_label="no"),
    "fixed, pipeline inside": lambda: FixedThresholdClassifier(
        make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=1)), threshold=0.3
    ),
    "fixed, at the end": lambda: make_pipeline(
        StandardScaler(), FixedThresholdClassifier(LogisticRegression(), threshold=0.7)
    ),
    "tuned": lambda: TunedThresholdClassifierCV(LogisticRegression(), scoring=F_TENTH, cv=3),
}


def _labels(packed: PackageResult, rows: pd.DataFrame) -> list[Any]:
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    answer = scorer.predict(json.dumps({"rows": rows.to_dict("records")}).encode(), None)
    assert answer.status == 200, answer.body
    labels: list[Any] = json.loads(answer.body)["labels"]
    return labels


@pytest.mark.parametrize("kind", MODELS)
def test_labels_heed_the_threshold(kind: str, numbers: pd.DataFrame, score: np.ndarray, pack: Package) -> None:
    model = MODELS[kind]().fit(numbers, np.where(score > 0, "yes", "no"))
    probabilities = model.predict_proba(numbers)
    by_largest = np.array(["no", "yes"])[probabilities.argmax(axis=1)]
    own = model.predict(numbers)
    assert (own != by_largest).any()
    packed = pack(model, numbers[own == by_largest])
    assert _labels(packed, numbers) == own.tolist()


def test_label_at_the_threshold_and_a_doubles_breadth_beside(
    numbers: pd.DataFrame, score: np.ndarray, pack: Package
) -> None:
    tree = DecisionTreeClassifier(max_depth=3).fit(numbers, (score > 0).astype(int))
    shares = tree.predict_proba(numbers)[:, 1]
    share = np.median(shares)
    seen = set()
    for threshold in (np.nextafter(share, 0.0), share, np.nextafter(share, 1.0)):
        model = FixedThresholdClassifier(FrozenEstimator(tree), threshold=float(threshold))
        own = model.fit(numbers, (score > 0).astype(int)).predict(numbers)
        assert _labels(pack(model, numbers), numbers) == own.tolist()
        seen.update(own[shares == share].tolist())
    assert seen == {0, 1}


@pytest.mark.parametrize("pos_label", [0, 1])
@pytest.mark.parametrize("inside", [LinearSVC(), SVC(), HistGradientBoostingClassifier(max_iter=9)])
def test_threshold_on_a_decision_function(
    inside: Any, pos_label: int, numbers: pd.DataFrame, score: np.ndarray, pack: Package
) -> None:
    model = FixedThresholdClassifier(
        inside, threshold=0.5, pos_label=pos_label, response_method="decision_function"
    ).fit(numbers, (score > 0).astype(int))
    own = model.predict(numbers)
    assert (own != model.estimator_.predict(numbers)).any()
    assert _labels(pack(model, numbers), numbers) == own.tolist()


@pytest.mark.parametrize("settings", [{}, {"break_ties": True}, {"decision_function_shape": "ovo"}])
def test_votes_of_support_vectors(
    settings: dict[str, Any], numbers: pd.DataFrame, score: np.ndarray, pack: Package
) -> None:
    model = SVC(**settings).fit(numbers, np.digitize(score, [-5.0, 5.0]))
    assert _labels(pack(model, numbers), numbers) == model.predict(numbers).tolist()
