"""The models that are started: each as a joblib file of scikit-learn and as our bundle, with a row to ask for."""

import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.store import stored

Row = dict[str, float]
NAMES = ("boosting", "forest")
FOREST_ROWS = 10_000
#: The code that makes a bundle, and so decides what is measured.
PACKAGING = Path(__file__).resolve().parents[2] / "packaging" / "modelpack"


@dataclass(frozen=True, slots=True)
class Model:
    """A trained classifier. ``rows`` are requests; the source model predicts ``label`` for the first of them."""

    name: str
    joblib: Path
    bundle: Path
    rows: list[Row]
    label: int


def model(name: str) -> Model:
    """The model ``name`` of `NAMES`, trained and packaged once."""
    versions = [importlib.metadata.version(package) for package in ("scikit-learn", "skl2onnx", "onnxruntime")]
    code = [file.read_bytes() for file in (Path(__file__), *sorted(PACKAGING.rglob("*.py")))]
    folder = stored(f"model-{name}", (name, *versions, *code), lambda made: _make(name, made))
    told = json.loads((folder / "told.json").read_text())
    return Model(name, folder / "model.joblib", folder / told["bundle"], told["rows"], told["label"])


def _make(name: str, folder: Path) -> None:
    import joblib

    from serinus.modelpack.package import package
    from serinus.modelpack.request import PackageRequest

    estimator, data, target = _TRAINED[name]()
    estimator.fit(data.to_numpy(), target)
    joblib.dump(estimator, folder / "model.joblib")
    data.to_csv(folder / "sample.csv", index=False)
    packed = package(PackageRequest(folder / "model.joblib", name, folder / "sample.csv", folder))
    told = {
        "bundle": str(packed.bundle.relative_to(folder)),
        "rows": data.head(100).to_dict(orient="records"),
        "label": int(estimator.predict(data.head(1).to_numpy())[0]),
    }
    (folder / "told.json").write_text(json.dumps(told))


def _boosting() -> tuple[Any, Any, Any]:
    """100 trees of depth 3 on 30 numbers of 569 tumours."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import GradientBoostingClassifier

    data, target = load_breast_cancer(return_X_y=True, as_frame=True)
    return GradientBoostingClassifier(random_state=0), data, target


def _forest() -> tuple[Any, Any, Any]:
    """100 full trees on ten noisy numbers of one decimal: 15 MB as joblib."""
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(0)
    data = pd.DataFrame(
        np.round(random.normal(0.0, 10.0, (FOREST_ROWS, 10)), 1), columns=[f"x{n}" for n in range(10)]
    )
    score = data["x0"] + data["x1"] * data["x2"] / 5 + random.normal(0.0, 3.0, FOREST_ROWS)
    return RandomForestClassifier(100, random_state=0), data, (score > 0).astype(int)


_TRAINED: dict[str, Callable[[], tuple[Any, Any, Any]]] = {"boosting": _boosting, "forest": _forest}
