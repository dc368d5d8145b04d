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
    ExtraTreesClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC, OneClassSVM

from serinus.deployed import prediction_fields
from serinus.lambda_handlers.contract.agreement import compare
from serinus.lambda_handlers.contract.bundle import Golden, read_golden, read_manifest
from serinus.lambda_handlers.contract.columns import field_of
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.openapi_schemas import response_schema
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


SEVERAL: dict[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestClassifier(4, random_state=0),
    "neighbours": lambda: KNeighborsClassifier(3),
    "one a label": lambda: MultiOutputClassifier(LogisticRegression(max_iter=500)),
    "one a label, scaled": lambda: make_pipeline(StandardScaler(), MultiOutputClassifier(GaussianNB())),
}
BINARY: dict[str, Callable[[], Any]] = {
    "one a label": lambda: OneVsRestClassifier(LogisticRegression(max_iter=500)),
    "chain": lambda: ClassifierChain(RandomForestClassifier(4, random_state=0), order=[1, 0]),
    "network": lambda: MLPClassifier((4,), solver="lbfgs", alpha=1.0, max_iter=2000, random_state=0),
    "trees": lambda: ExtraTreesClassifier(4, random_state=0),
}


def _serves_probabilities_by_label(packed: PackageResult, expected: list[np.ndarray], rows: pd.DataFrame) -> None:
    scorer = Scorer(open_model(packed.bundle, memory_mb=512), Limits(), "1")
    answer = json.loads(scorer.predict(json.dumps({"rows": rows.to_dict("records")}).encode(), None).body)
    assert list(answer["outputs"]) == [f"probabilities_{number}" for number in range(len(expected))]
    for number, values in enumerate(expected):
        np.testing.assert_allclose(answer["outputs"][f"probabilities_{number}"], values, atol=1e-4)
        largest = values.argmax(axis=1)
        assert [row[number] for row in answer["labels"]] == [answer["classes"][number][index] for index in largest]
    schema = response_schema(read_manifest(packed.bundle).signature)
    assert set(schema["required"]) == set(answer)


@pytest.mark.parametrize("kind", SEVERAL)
@pytest.mark.parametrize("as_text", [False, True])
def test_several_labels_have_the_probabilities_of_each(
    kind: str, as_text: bool, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    targets = np.c_[np.digitize(score, [-5.0, 5.0]), score > 3]
    model = SEVERAL[kind]().fit(numbers, targets.astype(str) if as_text else targets)
    packed = pack(model, numbers)
    golden = _serves_its_golden_rows(packed)
    assert np.shape(golden.outputs["label"])[1] == 2
    rows = numbers.head(20)
    _serves_probabilities_by_label(packed, model.predict_proba(rows), rows)


@pytest.mark.parametrize("kind", BINARY)
def test_several_labels_that_are_set_or_not(kind: str, numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    model = BINARY[kind]().fit(numbers, np.c_[score > 0, score > 5].astype(int))
    rows = numbers.head(20)
    set_ = model.predict_proba(rows)
    expected = set_ if isinstance(set_, list) else [np.c_[1 - column, column] for column in set_.T]
    _serves_probabilities_by_label(pack(model, numbers), expected, rows)


def test_several_labels_without_probabilities(numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    model = RidgeClassifier().fit(numbers, np.c_[score > 0, score > 5].astype(int))
    assert set(_serves_its_golden_rows(pack(model, numbers)).outputs) == {"label"}


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
