"""What is neither a plain classifier nor a regressor: packaged, and served with the outputs of its source."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC, OneClassSVM

from serinus.deployed import prediction_fields
from serinus.lambda_handlers.contract.agreement import compare
from serinus.lambda_handlers.contract.bundle import Golden, read_golden, read_manifest
from serinus.lambda_handlers.contract.columns import field_of
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.request import PackageResult

Package = Callable[..., PackageResult]
MEMBERS = [("line", LogisticRegression()), ("naive", GaussianNB())]

UNSUPERVISED: dict[str, Callable[[], Any]] = {
    "clusters": lambda: make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0)),
    "mixture": lambda: make_pipeline(StandardScaler(), GaussianMixture(2, random_state=0)),
    "isolation": lambda: IsolationForest(n_estimators=10, random_state=0),
    "local outliers": lambda: make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
    "one class": lambda: make_pipeline(StandardScaler(), OneClassSVM(nu=0.1)),
    "components": lambda: make_pipeline(StandardScaler(), PCA(3)),
}
SUPERVISED: dict[str, Callable[[], Any]] = {
    "calibrated": lambda: make_pipeline(StandardScaler(), CalibratedClassifierCV(LinearSVC(), cv=2)),
    "voting": lambda: VotingClassifier(MEMBERS, voting="soft"),
    "stacking": lambda: StackingClassifier(MEMBERS, cv=2),
    "naive": GaussianNB,
}


def _serves_its_golden_rows(packed: PackageResult) -> Golden:
    """The endpoint answers the golden rows with the source's outputs."""
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    golden = read_golden(packed.bundle)
    answer = scorer.predict(json.dumps({"rows": golden.rows}).encode(), None)
    assert answer.status == 200, answer.body
    content = json.loads(answer.body)
    outputs = read_manifest(packed.bundle).signature.outputs
    got = {}
    for output in outputs:
        field = field_of(output, outputs)
        got[output.name] = np.asarray(content[field] if field else content["outputs"][output.name])
    expected = {name: np.asarray(values) for name, values in golden.outputs.items()}
    assert compare(expected, got, Tolerance()).agrees
    return golden


@pytest.mark.parametrize("kind", UNSUPERVISED)
def test_unsupervised(kind: str, numbers: pd.DataFrame, pack: Package) -> None:
    golden = _serves_its_golden_rows(pack(UNSUPERVISED[kind]().fit(numbers), numbers))
    assert set(golden.outputs) == {
        "clusters": {"label"},
        "mixture": {"label", "probabilities"},
        "components": {"transformed"},
    }.get(kind, {"label", "scores"})


@pytest.mark.parametrize("kind", SUPERVISED)
def test_ensembles_of_models(kind: str, numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    labels = np.array(["low", "middle", "high"])[np.digitize(score, [-5.0, 5.0])]
    _serves_its_golden_rows(pack(SUPERVISED[kind]().fit(numbers, labels), numbers))


@pytest.mark.parametrize("bins", [[0.0], [-5.0, 5.0]])
def test_discriminant_analysis_of_two_and_more_classes(
    bins: list[float], numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    labels = np.array(["low", "middle", "high"])[np.digitize(score, bins)]
    packed = pack(make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()).fit(numbers, labels), numbers)
    assert packed.parity.max_abs_difference < 1e-12
    _serves_its_golden_rows(packed)


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(4, random_state=0), MultiOutputClassifier(LogisticRegression(max_iter=500))]
)
def test_several_labels_are_a_row_each(model: Any, numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    targets = np.c_[np.digitize(score, [-5.0, 5.0]), score > 3]
    golden = _serves_its_golden_rows(pack(model.fit(numbers, targets), numbers))
    assert np.shape(golden.outputs["label"])[1] == 2


@pytest.mark.parametrize("tail", [[LogisticRegression()], []])
def test_documents_are_one_string_feature(tail: list[Any], pack: Package) -> None:
    random = np.random.default_rng(0)
    words = np.array(["great", "poor", "fair", "value", "service", "again"])
    table = pd.DataFrame({"review": [" ".join(random.choice(words, 6)).capitalize() + "!" for _ in range(80)]})
    liked = table["review"].str.contains("great", case=False)
    packed = pack(make_pipeline(TfidfVectorizer(), *tail).fit(table["review"], liked), table)
    assert read_manifest(packed.bundle).signature.features[0].dtype == "string"
    _serves_its_golden_rows(packed)


@pytest.mark.parametrize("holes", [0.0, 0.2])
def test_histogram_boosting_keeps_its_own_categories(
    holes: float, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    random = np.random.default_rng(6)
    table = numbers.assign(kind=random.integers(0, 40, len(numbers)).astype(float))
    table = table.mask(random.random(table.shape) < holes)
    model = HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=5, categorical_features=["kind"])
    packed = pack(model.fit(table, (score > 0) ^ (table["kind"] % 2 == 1)), table)
    assert packed.parity.max_abs_difference < 1e-12
    golden = _serves_its_golden_rows(packed)
    unseen = pd.DataFrame(golden.rows).astype(float).assign(kind=77.0)
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    rows = unseen.astype(object).where(unseen.notna(), None).to_dict("records")
    answer = json.loads(scorer.predict(json.dumps({"rows": rows}).encode(), None).body)
    np.testing.assert_allclose(answer["probabilities"], model.predict_proba(unseen), rtol=1e-9)


def test_histogram_boosting_on_strings(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    table = numbers.assign(city=pd.Categorical(np.where(score > 0, "Rome", "Oslo")))
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=["city"]).fit(table, score > 0)
    assert pack(model, table).parity.agrees


def test_one_class_has_a_list_of_one_probability(numbers: pd.DataFrame, pack: Package) -> None:
    packed = pack(RandomForestClassifier(2).fit(numbers, np.full(len(numbers), "only")), numbers)
    _serves_its_golden_rows(packed)
    rows = numbers.head(2).to_dict("records")
    answer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1").predict(
        json.dumps({"rows": rows}).encode(), None
    )
    assert json.loads(answer.body)["probabilities"] == [[1.0], [1.0]]
    assert prediction_fields(json.loads(answer.body)) == {
        "predicted_label": ["only", "only"],
        "probability_only": [1.0, 1.0],
    }
