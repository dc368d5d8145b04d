"""A user's acceptance test: refused where the model answers otherwise, kept in the bundle, shown on the card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from serinus.cli.bundle_comparison import compare_bundles
from serinus.lambda_handlers.contract.acceptance import Requirement, find_violations
from serinus.lambda_handlers.contract.bundle import read_golden, read_manifest
from serinus.modelpack.acceptance import AcceptanceTest
from serinus.modelpack.errors import AcceptanceError, RequestError, SampleError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.pipeline import _require_answers
from serinus.modelpack.request import PackageResult
from serinus.modelpack.sample import fit_to_model

Package = Callable[..., PackageResult]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def classifier(numbers: pd.DataFrame, score: Any) -> Any:
    labels = np.where(score > 0, "yes", "no")
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, labels)


@pytest.fixture
def regressor(numbers: pd.DataFrame, score: Any) -> Any:
    return LinearRegression().fit(numbers, score)


def _rules(project: Path, text: str) -> None:
    (project / "serinus.toml").write_text(f'[project]\nname = "shop"\n\n[endpoint.churn]\n{text}\n')


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    base = dict.fromkeys("abcdef", 0.0)
    pd.DataFrame([base | row for row in rows]).to_csv(path, index=False)
    return path


def test_rows_with_the_required_answers_pass(classifier: Any, numbers: Any, pack: Package, project: Path) -> None:
    _write(
        project / "acceptance.csv",
        [
            {"a": 40.0, "expected": "yes", "min": 0.9},
            {"a": -40.0, "expected": "no", "min": 0.9, "note": "long away"},
            {"a": 40.0, "of": "no", "max": 0.2},
        ],
    )
    packed = pack(classifier, numbers)
    assert packed.acceptance == "3 rows with required answers"
    golden = read_golden(packed.bundle)
    assert golden.acceptance is not None
    assert [item.kind for item in golden.acceptance.requirements] == ["label", "range", "label", "range", "range"]
    assert golden.acceptance.rows[0] == dict.fromkeys("abcdef", 0.0) | {"a": 40.0}
    card = (packed.bundle / "card.md").read_text()
    assert "## Acceptance test\n\nPassed, all 5 requirements: 3 rows with required answers." in card
    assert ("acceptance", None, packed.acceptance) in [
        (figure.name, figure.before, figure.after) for figure in compare_bundles(None, packed.bundle).figures
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"a": -40.0, "expected": "yes"}, "acceptance.csv row 1: the label is 'no', and 'yes' is required"),
        ({"a": -40.0, "min": 0.5, "note": "new"}, r"row 1 \(new\): it is .*, and at least 0.5 is required"),
        ({"a": 40.0, "of": "no", "min": 0.9}, "row 1: it is .*, and at least 0.9 is required"),
    ],
)
def test_row_that_is_answered_otherwise_is_refused_by_its_name_and_value(
    row: dict[str, Any], said: str, classifier: Any, numbers: Any, pack: Package, project: Path
) -> None:
    _write(project / "acceptance.csv", [row])
    with pytest.raises(AcceptanceError, match=said) as caught:
        pack(classifier, numbers)
    assert len(caught.value.violations) == 1
    assert str(caught.value).startswith("the model fails 1 of the 1 requirements")
    assert not list(project.rglob("*.onnx"))


def test_numbers_of_a_regressor(
    regressor: Any, numbers: Any, pack: Package, project: Path, tmp_path: Path
) -> None:
    exact = float(regressor.predict(pd.DataFrame([dict.fromkeys("abcdef", 1.0)]))[0])
    row = dict.fromkeys("abcdef", 1.0)
    passing = _write(tmp_path / "passing.csv", [row | {"expected": exact}, row | {"min": exact - 1.0}])
    assert pack(regressor, numbers, acceptance=passing).acceptance == "2 rows with required answers"
    failing = _write(tmp_path / "failing.csv", [row | {"expected": exact + 0.1}])
    with pytest.raises(AcceptanceError, match=r"failing\.csv row 1: it is"):
        pack(regressor, numbers, acceptance=failing)


def test_rules_of_the_settings_hold_or_are_refused(
    regressor: Any, numbers: Any, pack: Package, project: Path
) -> None:
    assert regressor.coef_[0] > 0
    _rules(project, '[endpoint.churn.acceptance]\nmonotone = {a = "increasing"}')
    packed = pack(regressor, numbers)
    assert packed.acceptance == "increasing in a"
    golden = read_golden(packed.bundle)
    assert golden.acceptance is not None
    assert {item.kind for item in golden.acceptance.requirements} == {"increasing"}
    assert len(golden.acceptance.rows) == 20
    _rules(project, '[endpoint.churn.acceptance]\nmonotone = {a = "decreasing"}')
    with pytest.raises(
        AcceptanceError, match="decreasing in a, in row 0 of the sample: the prediction rises from"
    ):
        pack(regressor, numbers)
    _rules(project, '[endpoint.churn.acceptance]\ninvariant = ["a"]')
    with pytest.raises(AcceptanceError, match="independent of a, in row 0 of the sample: value changes from"):
        pack(regressor, numbers)


def test_classifier_may_not_depend_on_a_feature(mixed: pd.DataFrame, pack: Package, project: Path) -> None:
    rows = mixed[["a", "visits", "member"]].fillna(0.0)
    tree = DecisionTreeClassifier(max_depth=3).fit(rows[["a", "visits"]].assign(member=False), rows["a"] > 1.0)
    _rules(project, '[endpoint.churn.acceptance]\ninvariant = ["member", "visits"]\nmonotone = {a = "increasing"}')
    assert pack(tree, rows).acceptance == "increasing in a; independent of member; independent of visits"


def test_rules_of_another_model_do_not_count(regressor: Any, numbers: Any, pack: Package, project: Path) -> None:
    _rules(project, 'model = "other"\n[endpoint.churn.acceptance]\ninvariant = ["a"]')
    assert pack(regressor, numbers).acceptance == ""
    assert pack(regressor, numbers).bundle.joinpath("golden.json").read_text().count("acceptance") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('monotone = {a = "up"}', """monotone: a is 'up'; it must be "increasing" or "decreasing"."""),
        ('monotone = ["a"]', "monotone is .*; a table is required"),
        ('invariant = "a"', "invariant is 'a'; a list of features is required"),
        ('invariant = ["z"]', "the model has no feature 'z'; it has a, b, c, d, e, f"),
    ],
)
def test_what_is_no_rule_is_refused(
    text: str, said: str, regressor: Any, numbers: Any, pack: Package, project: Path
) -> None:
    _rules(project, f"[endpoint.churn.acceptance]\n{text}")
    with pytest.raises(RequestError, match=said):
        pack(regressor, numbers)


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        ({"note": "only"}, RequestError, "has no column expected, min or max"),
        ({"expected": np.nan, "min": np.nan}, RequestError, "row 1 requires nothing: fill in"),
        ({"expected": "maybe"}, RequestError, "row 1: 'maybe' is no label of the model; it has no, yes"),
        ({"min": "high"}, RequestError, "row 1: min is 'high'; a number is required"),
        ({"expected": "yes", "g": 1.0}, SampleError, "acceptance.csv: the sample has columns .*'g'"),
    ],
)
def test_what_is_no_requirement_is_refused(
    row: dict[str, Any],
    kind: type[Exception],
    said: str,
    classifier: Any,
    numbers: Any,
    pack: Package,
    project: Path,
) -> None:
    _write(project / "acceptance.csv", [row])
    with pytest.raises(kind, match=said):
        pack(classifier, numbers)


def test_three_labels_need_the_one_that_is_meant(numbers: Any, score: Any, pack: Package, project: Path) -> None:
    labels = np.digitize(score, [-5.0, 5.0])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, labels)
    _write(project / "acceptance.csv", [{"a": 40.0, "min": 0.5}])
    with pytest.raises(RequestError, match=r"the model has 3 labels\. Name the one"):
        pack(model, numbers)
    _write(project / "acceptance.csv", [{"a": 40.0, "of": 2, "min": 0.5, "expected": 2.0}])
    assert pack(model, numbers).acceptance == "1 row with required answers"


def test_row_that_the_model_cannot_predict_is_refused(
    classifier: Any, numbers: Any, pack: Package, project: Path
) -> None:
    _write(project / "acceptance.csv", [{"min": 0.0}, {"a": np.nan, "min": 0.0}])
    with pytest.raises(AcceptanceError, match="the model cannot predict the acceptance test's rows: Input X"):
        pack(classifier, numbers)


def test_row_that_the_endpoint_rejects_is_named(classifier: Any, numbers: Any, pack: Package) -> None:
    folder = pack(classifier, numbers).bundle
    manifest, requirement = (
        read_manifest(folder),
        Requirement("acceptance.csv row 1", "label", (0,), expected="yes"),
    )
    features = tuple(feature._replace(highest=50.0) for feature in manifest.signature.features)
    bounded = manifest._replace(signature=manifest.signature._replace(features=features))
    rows = numbers.head(1).assign(a=60.0)
    sample = fit_to_model(rows, names=tuple(numbers.columns), count=6)
    runner = Runner((folder / "model.onnx").read_bytes(), sample)
    with pytest.raises(
        AcceptanceError, match=r"the endpoint rejects 1 rows .* status 422\. acceptance.csv row 1: "
    ):
        _require_answers(AcceptanceTest(rows, (requirement,), 1, ()), bounded, runner)


def test_columns_may_have_another_order(numbers: Any, score: Any, pack: Package, project: Path) -> None:
    bare = LinearRegression().fit(numbers.to_numpy(), score)
    row = {name: float(index) for index, name in enumerate("abcdef")}
    exact = float(bare.predict([list(row.values())])[0])
    pd.DataFrame([{"expected": exact, **dict(reversed(row.items()))}]).to_csv(
        project / "acceptance.csv", index=False
    )
    assert pack(bare, numbers).acceptance == "1 row with required answers"


@pytest.mark.slow
def test_smaller_graph_that_fails_the_test_is_not_chosen(
    numbers: pd.DataFrame, score: Any, pack: Package, project: Path, tmp_path: Path
) -> None:
    from sklearn.neural_network import MLPClassifier

    layers = MLPClassifier((64, 64), max_iter=30, tol=1.0, random_state=0)
    model = make_pipeline(StandardScaler(), layers).fit(numbers, score > 0)
    random = np.random.default_rng(4)
    held = pd.DataFrame(random.normal(0.0, 10.0, (3000, 6)), columns=numbers.columns)
    held["y"] = model.predict(held)
    held.to_csv(tmp_path / "held.csv", index=False)
    labelled = {"target": "y", "holdout": tmp_path / "held.csv", "max_loss": 0.2}
    free = pack(model, numbers.assign(y=score > 0), **labelled)
    assert free.precision in ("int8", "int4")
    exact = model.predict_proba(numbers.head(20))[:, 1]
    table = numbers.head(20).assign(min=exact - 1e-3, max=exact + 1e-3)
    table.to_csv(project / "acceptance.csv", index=False)
    bound = pack(model, numbers.assign(y=score > 0), **labelled)
    notes = {line.precision: line.note for line in bound.precisions}
    assert "fails the acceptance test: acceptance.csv row" in notes[free.precision]
    assert bound.precision != free.precision


def test_violations_say_what_is_wrong_once_a_requirement() -> None:
    outputs = {"value": [1.0, 3.0, 2.0, 1.0], "label": np.array([1, 0, 1, 1])}
    falling = Requirement("rule", "increasing", (0, 1, 2, 3), "value")
    assert find_violations((falling,), outputs) == [
        "rule: the prediction falls from 3 to 2, and increasing is required"
    ]
    assert find_violations((falling._replace(kind="decreasing", rows=(1, 2, 3)),), outputs) == []
    assert find_violations((falling._replace(rtol=0.5),), outputs) == []
    assert find_violations((Requirement("same", "same", (0, 3)),), outputs) == []
    assert (
        "label changes from 1 to 0" in find_violations((Requirement("x", "same", (0, 1), atol=9.0),), outputs)[0]
    )
    assert find_violations((Requirement("x", "label", (0,), expected=True),), outputs) == []
    nothing = Requirement("x", "range", (0,), "value", least=0.0)
    assert "it is nan" in find_violations((nothing,), {"value": [float("nan")]})[0]
