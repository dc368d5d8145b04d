"""Random tables and pipelines of scikit-learn and the boosting libraries, with random valid parameters."""

import inspect
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.utils import all_estimators
from sklearn.utils._param_validation import HasMethods, Hidden, Interval, Options, StrOptions, make_constraint

ROWS = 200
#: Seconds matter in a search; parameters that only take time are not varied.
_FIXED = {
    "n_jobs",
    "verbose",
    "random_state",
    "warm_start",
    "copy",
    "max_iter",
    "cache_size",
    "copy_X",
    "iterated_power",
}
#: What a fit of seconds, or of a memory for all pairs of rows, would take.
_SMALL = {"n_estimators": 5, "max_iter": 30, "n_quantiles": 20, "n_components": 3, "hidden_layer_sizes": (8,)}
#: Estimators that take estimators, or tables of a shape of their own.
_LEFT_OUT = {
    "ClassicalMDS",
    "ColumnTransformer",
    "CountVectorizer",
    "DictVectorizer",
    "DictionaryLearning",
    "FeatureHasher",
    "FeatureUnion",
    "FrozenEstimator",
    "GaussianProcessClassifier",
    "GaussianProcessRegressor",
    "GridSearchCV",
    "HalvingGridSearchCV",
    "HalvingRandomSearchCV",
    "HashingVectorizer",
    "IsotonicRegression",
    "KernelCenterer",
    "LabelBinarizer",
    "LabelEncoder",
    "MDS",
    "MiniBatchDictionaryLearning",
    "MultiLabelBinarizer",
    "PatchExtractor",
    "Pipeline",
    "RandomizedSearchCV",
    "SparseCoder",
    "SpectralEmbedding",
    "TSNE",
    "TfidfTransformer",
    "TfidfVectorizer",
    "TheilSenRegressor",
    "TransformedTargetRegressor",
}


@dataclass(frozen=True)
class Drawn:
    """A fitted ``model``, the table it was fitted to, and rows that it was not; ``described`` names its steps."""

    model: Any
    table: pd.DataFrame
    other: pd.DataFrame
    hard: pd.DataFrame
    described: str


class NotFittedError(Exception):
    """scikit-learn itself refuses the drawn combination."""


def draw(seed: int) -> Drawn:
    """The model of ``seed``. Raises `NotFittedError` where scikit-learn does not fit it."""
    random = np.random.default_rng(seed)
    whole = _table(random, 3 * ROWS + 100)
    task = random.choice(["classes", "two classes", "numbers"])
    target = _target(random, whole, task)
    table = whole.head(ROWS)
    steps = _steps(random, table, task)
    model = make_pipeline(*steps) if len(steps) > 1 or random.random() < 0.5 else steps[0]
    described = f"{' > '.join(map(_shown, steps))}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(table, target[:ROWS])
            getattr(model, "predict", model.transform if hasattr(model, "transform") else None)(table.head(3))
        except Exception as error:
            raise NotFittedError(f"{described}: {error}") from error
    other = whole.iloc[ROWS:].reset_index(drop=True)
    return Drawn(model, table, other.head(480), _hard(random, table), described)


def _table(random: np.random.Generator, rows: int) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for number in range(int(random.integers(2, 6))):
        kind = random.choice(["normal", "skewed", "whole", "float32", "constant"], p=[0.4, 0.2, 0.2, 0.15, 0.05])
        values = {
            "normal": lambda: random.normal(size=rows) * 10.0 ** random.integers(-3, 5),
            "skewed": lambda: random.lognormal(size=rows).round(3),
            "whole": lambda: random.integers(-5, 50, rows),
            "float32": lambda: random.normal(size=rows).astype(np.float32).astype(np.float64),
            "constant": lambda: np.full(rows, 3.0),
        }[kind]()
        columns[f"n{number}"] = values
    for number in range(int(random.choice([0, 0, 1, 2]))):
        kind = random.choice(["words", "capitals", "digits", "bool", "codes"])
        values = {
            "words": ["red", "green", "blue", "grün"],
            "capitals": ["New York", "NEW YORK", "new york", "Łódź"],
            "digits": ["01", "1", "10", "2"],
            "bool": [True, False],
            "codes": [1.5, 2.0, 7.0],
        }[kind]
        columns[f"c{number}"] = pd.Series(random.choice(np.array(values, dtype=object), rows)).infer_objects()
    table = pd.DataFrame(columns)
    if random.random() < 0.35:
        for name in table.columns:
            if table[name].dtype.kind in "fO" and random.random() < 0.6:
                table[name] = table[name].mask(random.random(rows) < 0.1)
    return table


def _target(random: np.random.Generator, table: pd.DataFrame, task: str) -> Any:
    numbers = table.select_dtypes("number").fillna(0.0)
    scaled = (numbers - numbers.mean()) / numbers.std().replace(0.0, 1.0)
    score = (scaled @ random.normal(size=scaled.shape[1])).to_numpy() + random.normal(size=len(table)) * 0.5
    if task == "numbers":
        return np.exp(score / 3) * 10.0 ** random.integers(-2, 4)
    edges = [0.0] if task == "two classes" else [-0.7, 0.6]
    index = np.digitize(score, edges)
    names = [[0, 1, 2], ["no", "yes", "perhaps"], [False, True, True], [3, 7, 12], [-1, 1, 2]]
    labels = names[int(random.integers(len(names)))]
    return np.array(labels if len(edges) > 1 and labels[1] != labels[2] else [*labels[:2], labels[1]])[index]


def _steps(random: np.random.Generator, table: pd.DataFrame, task: str) -> list[Any]:
    words = [name for name in table.columns if table[name].dtype.kind in "Ob"]
    numbers = [name for name in table.columns if name not in words]
    gaps = table.isna().any().any()
    steps: list[Any] = []
    if words or random.random() < 0.2:
        parts: list[Any] = []
        if words:
            parts.append(("words", _encoder(random), words))
        if random.random() < 0.7:
            inner = _imputer(random) if gaps else StandardScaler()
            parts.append(("numbers", inner, numbers))
            steps.append(ColumnTransformer(parts, sparse_threshold=0.0))
        else:
            steps.append(ColumnTransformer(parts or [("kept", "passthrough", numbers)], remainder="passthrough"))
    elif gaps and random.random() < 0.6:
        steps.append(_imputer(random))
    steps.extend(_drawn(random, "transformer") for _ in range(int(random.choice([0, 1, 1, 2]))))
    if random.random() < 0.35:
        steps.append(_booster(random, task))
    elif random.random() < 0.9:
        steps.append(_drawn(random, "regressor" if task == "numbers" else "classifier"))
    else:
        steps.append(_drawn(random, "transformer"))
    return steps


def _imputer(random: np.random.Generator) -> Any:
    return [
        lambda: SimpleImputer(
            strategy=str(random.choice(["mean", "median", "most_frequent"])),
            add_indicator=bool(random.integers(2)),
        ),
        lambda: KNNImputer(weights=str(random.choice(["uniform", "distance"]))),
        lambda: IterativeImputer(max_iter=3, random_state=0),
    ][int(random.choice([0, 0, 0, 1, 2]))]()  # fmt: skip


def _encoder(random: np.random.Generator) -> Any:
    return [
        lambda: OneHotEncoder(
            handle_unknown=str(random.choice(["ignore", "infrequent_if_exist"])),
            min_frequency=random.choice(np.array([None, 40], dtype=object)),
            sparse_output=False,
        ),
        lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        lambda: TargetEncoder(random_state=0),
    ][int(random.integers(3))]()


def _booster(random: np.random.Generator, task: str) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from xgboost import XGBClassifier, XGBRegressor

    is_number = task == "numbers"
    depth = int(random.integers(2, 6))
    kind = int(random.integers(3))
    if kind == 0:
        settings = {"n_estimators": 6, "max_depth": depth, "n_jobs": 1, "missing": random.choice([np.nan, -1.0])}
        return (XGBRegressor if is_number else XGBClassifier)(**settings)
    if kind == 1:
        settings = {"n_estimators": 6, "max_depth": depth, "n_jobs": 1, "verbose": -1, "min_child_samples": 5}
        boosting = str(random.choice(["gbdt", "dart", "goss"]))
        return (LGBMRegressor if is_number else LGBMClassifier)(**settings, boosting_type=boosting)
    return (HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier)(
        max_iter=6, max_depth=depth
    )


def _drawn(random: np.random.Generator, kind: str) -> Any:
    """An estimator of ``kind`` with some parameters drawn within scikit-learn's own constraints."""
    known = [(name, cls) for name, cls in all_estimators(type_filter=kind) if name not in _LEFT_OUT]
    while True:
        name, cls = known[int(random.integers(len(known)))]
        required = [
            parameter.name
            for parameter in inspect.signature(cls.__init__).parameters.values()
            if parameter.default is inspect.Parameter.empty and parameter.name not in ("self", "args", "kwargs")
        ]
        if required:
            made = _around(random, name, cls, required, kind)
            if made is None:
                continue
            return made
        estimator = cls()
        for parameter, value in _varied(random, estimator).items():
            estimator.set_params(**{parameter: value})
        return estimator


def _around(random: np.random.Generator, name: str, cls: Any, required: list[str], kind: str) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    pool = [Ridge(), DecisionTreeRegressor(max_depth=3)] if kind == "regressor" else [
        LogisticRegression(), DecisionTreeClassifier(max_depth=3),
    ]  # fmt: skip
    if required == ["estimator"] and "MultiOutput" not in name and "Chain" not in name:
        return cls(pool[int(random.integers(2))])
    if required == ["estimators"]:
        return cls([("a", pool[0]), ("b", pool[1])])
    return None


def _varied(random: np.random.Generator, estimator: Any) -> dict[str, Any]:
    constraints = getattr(estimator, "_parameter_constraints", {})
    values: dict[str, Any] = {}
    parameters = estimator.get_params(deep=False)
    if "random_state" in parameters:
        values["random_state"] = 0
    for name in parameters:
        if name in _SMALL:
            values[name] = _SMALL[name]
        elif name not in _FIXED and isinstance(constraints.get(name), list) and random.random() < 0.35:
            options = list(_options(random, constraints[name]))
            if options:
                values[name] = options[int(random.integers(len(options)))]
    return values


def _options(random: np.random.Generator, constraints: Iterable[Any]) -> Iterable[Any]:
    for constraint in constraints:
        if (
            isinstance(constraint, HasMethods)
            or callable(constraint)
            or constraint in ("array-like", "random_state")
        ):
            continue
        if constraint is None:
            yield None
        elif constraint == "boolean":
            yield from (True, False)
        elif isinstance(constraint, StrOptions | Options):
            yield from (
                sorted(map(str, constraint.options - constraint.deprecated))
                if isinstance(constraint, StrOptions)
                else constraint.options
            )
        elif isinstance(constraint, Interval):
            low = constraint.left if constraint.left is not None else -3
            high = constraint.right if constraint.right is not None else low + 5
            drawn = random.uniform(low, min(high, low + 10))
            yield int(np.ceil(drawn)) if constraint.type.__name__ == "Integral" else float(drawn)
        elif isinstance(constraint, str) and not isinstance(make_constraint(constraint), Hidden):
            continue


def _hard(random: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Twenty rows with values at and beyond the ends, halfway between values, missing and unknown ones."""
    rows = table.sample(20, random_state=int(random.integers(2**31)), replace=True).reset_index(drop=True)
    rows = rows.astype({name: float for name in rows.columns if rows[name].dtype.kind == "i"})
    for row in range(len(rows)):
        name = rows.columns[int(random.integers(rows.shape[1]))]
        column = table[name].dropna()
        if column.dtype.kind in "fi":
            low, high = float(column.min()), float(column.max())
            choices = [low, high, 2 * low - high, 2 * high - low, (low + high) / 2, 0.0, -0.0, round(high)]
            rows.loc[row, name] = choices[int(random.integers(len(choices)))]
        elif (
            column.dtype.kind == "O" and random.random() < 0.5 and all(isinstance(value, str) for value in column)
        ):
            rows.loc[row, name] = str(random.choice(["RED", "unknown", "", "zürich"]))
    return rows


def _shown(step: Any) -> str:
    return " ".join(str(step).split())[:160]
