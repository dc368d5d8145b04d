"""Every classifier, regressor and transformer of scikit-learn with default parameters, and data to learn from.

An estimator around others gets a plain one; a transformer stands before a linear and a boosting model.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators

ROWS, OTHER_ROWS = 300, 500
KINDS = ("classifier", "regressor", "transformer")
#: Their input is no table: dictionaries, images, or the labels themselves.
WITHOUT_TABLE = {
    "DictVectorizer",
    "FeatureHasher",
    "LabelBinarizer",
    "LabelEncoder",
    "MultiLabelBinarizer",
    "PatchExtractor",
}
_TEXT = {"CountVectorizer", "HashingVectorizer", "TfidfVectorizer"}
_WORDS = {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"}
_TWO_CLASSES = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}


@dataclass(frozen=True, slots=True)
class Case:
    """A model by ``kind`` and ``name``, a table and its target (None where the model is fitted already), and 500
    rows outside the table. ``is_double`` says that the source computes in double precision."""

    kind: str
    name: str
    model: Any
    table: pd.DataFrame
    target: Any
    other: pd.DataFrame
    is_double: bool = True


def names(kind: str) -> list[str]:
    """Estimators of ``kind`` whose input is a table."""
    return [name for name, _ in all_estimators(type_filter=kind) if name not in WITHOUT_TABLE]


def cases(kind: str, name: str) -> Iterator[Case]:
    """The estimator alone, or a transformer before each of two models."""
    cls = dict(all_estimators(type_filter=kind))[name]
    table, other, target = _data(kind, name)
    if kind != "transformer":
        yield Case(kind, name, _default(cls, kind), table, target, other)
        return
    boosting = GradientBoostingClassifier(n_estimators=10, random_state=0)
    step = _default(cls, kind)
    if name in _TEXT:
        step = ColumnTransformer([("terms", step, "text")])
    for title, last in (("linear", LogisticRegression()), ("boosting", boosting)):
        yield Case(kind, f"{name}, {title}", make_pipeline(step, last), table, target, other)


def _data(kind: str, name: str) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    """Positive numbers on three decimals, so that every estimator takes them; words or text where it must be."""
    random = np.random.default_rng(1)
    count = ROWS + OTHER_ROWS
    numbers = pd.DataFrame(random.gamma(2, 1, size=(count, 6)).round(3), columns=list("abcdef"))
    score = (numbers["a"] * 1.2 - numbers["b"] + random.normal(size=count) * 0.4).to_numpy()
    whole = numbers
    if name in _TEXT:
        words = np.array(["red", "Green", "blue", "grün", "yellow", "pink"])
        picked = [" ".join(words[: 1 + int(abs(value) * 2) % 6]) for value in score]
        whole = pd.DataFrame({"text": picked})
    elif name in _WORDS:
        whole = pd.DataFrame({column: numbers[column].clip(upper=4).astype(int).astype(str) for column in "abc"})
    elif name == "CategoricalNB":
        whole = numbers.clip(upper=4).astype(int)
    elif name == "IsotonicRegression":
        whole = numbers[["a"]]
    table, other = whole.head(ROWS), whole.tail(OTHER_ROWS).reset_index(drop=True)
    return table, other, _target(kind, name, numbers.head(ROWS), score[:ROWS])


def _target(kind: str, name: str, numbers: pd.DataFrame, score: Any) -> Any:
    value = score - score.min() + 0.5
    several = any(part in name for part in ("MultiOutput", "Chain", "MultiTask"))
    if kind == "regressor":
        both = several or name in ("CCA", "PLSCanonical")
        return np.column_stack([value, np.sqrt(value) + numbers["c"]]) if both else value
    if several:
        return np.column_stack([score > 0, score > 1.5]).astype(int)
    if name in _TWO_CLASSES:
        return (score > 0).astype(int)
    if name in ("CCA", "PLSCanonical", "PLSRegression", "PLSSVD"):
        return np.digitize(score, [0, 1.5])
    labels = np.array(["low", "middle", "high"])[np.digitize(score, [0, 1.5])]
    return labels.astype(object) if name == "SelfTrainingClassifier" else labels


def _default(cls: Any, kind: str) -> Any:
    """The estimator with default parameters; those that it requires are plain estimators, or few values."""
    regresses = kind == "regressor"
    linear = Ridge() if regresses else LogisticRegression()
    tree = DecisionTreeRegressor(random_state=0) if regresses else DecisionTreeClassifier(random_state=0)
    given: dict[str, Any] = {
        "estimator": linear,
        "estimators": [("linear", linear), ("tree", tree)],
        "param_grid": {"alpha" if regresses else "C": [0.5, 1.0]},
        "param_distributions": {"alpha" if regresses else "C": [0.5, 1.0]},
        "transformers": [("kept", "passthrough", ["a", "b", "c"])],
        "transformer_list": [("kept", "passthrough")],
        "steps": [("last", linear)],
        "dictionary": np.eye(6)[:4],
    }
    required = [
        parameter.name
        for parameter in inspect.signature(cls.__init__).parameters.values()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name != "self"
    ]
    if cls.__name__ == "SelfTrainingClassifier":
        required.append("estimator")  # its default is none, which it refuses
    model = cls(**{name: given[name] for name in required})
    return model.set_params(random_state=0) if "random_state" in model.get_params(deep=False) else model
