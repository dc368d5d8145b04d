"""Records shap's interventional values of small models, for tests to compare ours with.

It writes tests/modelpack/explain/shap.json. shap is no dependency: install it into an environment of the same
Python, then run `.venv/bin/python scripts/shap_values.py FOLDER` with that environment's site-packages.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingClassifier, RandomForestClassifier

from serinus.modelpack.explain.ensemble_input import read_ensemble

FILE = Path(__file__).parents[1] / "tests" / "modelpack" / "explain" / "shap.json"
_RANDOM = np.random.default_rng(0)
NUMBERS = pd.DataFrame(_RANDOM.normal(size=(200, 5)).round(3), columns=list("abcde"))
SCORE = (NUMBERS["a"] + NUMBERS["b"] * NUMBERS["c"] - NUMBERS["d"]).to_numpy()
HOLED = NUMBERS.mask(_RANDOM.random(NUMBERS.shape) < 0.15)
TWO, THREE = (SCORE > 0).astype(int), np.digitize(SCORE, [-1.0, 1.0])
_XGB: dict[str, Any] = {"n_estimators": 4, "max_depth": 3, "n_jobs": 1}
_LGB: dict[str, Any] = {"n_estimators": 4, "num_leaves": 6, "n_jobs": 1, "verbose": -1}
_CAT: dict[str, Any] = {"iterations": 4, "depth": 3, "verbose": 0, "allow_writing_files": False}
#: By name: the model, its rows, its target, and what its ensemble's sum is divided by.
CASES: dict[str, tuple[Any, pd.DataFrame, Any, int]] = {
    "GradientBoostingClassifier": (GradientBoostingClassifier(n_estimators=4, random_state=0), NUMBERS, TWO, 1),
    "RandomForestClassifier": (RandomForestClassifier(4, max_depth=3, random_state=0), NUMBERS, TWO, 4),
    "RandomForestClassifier, three classes": (
        RandomForestClassifier(4, max_depth=3, random_state=0),
        NUMBERS,
        THREE,
        4,
    ),
    "ExtraTreesRegressor": (ExtraTreesRegressor(4, max_depth=3, random_state=0), NUMBERS, SCORE, 4),
    "XGBClassifier, missing": (xgboost.XGBClassifier(**_XGB), HOLED, TWO, 1),
    "XGBClassifier, three classes": (xgboost.XGBClassifier(**_XGB), HOLED, THREE, 1),
    "XGBRegressor, missing": (xgboost.XGBRegressor(**_XGB), HOLED, SCORE, 1),
    "LGBMClassifier, missing": (lightgbm.LGBMClassifier(**_LGB), HOLED, TWO, 1),
    "LGBMRegressor, missing": (lightgbm.LGBMRegressor(**_LGB), HOLED, SCORE, 1),
    "CatBoostRegressor": (catboost.CatBoostRegressor(**_CAT), NUMBERS, SCORE, 1),
    "CatBoostClassifier": (catboost.CatBoostClassifier(**_CAT), NUMBERS, TWO, 1),
}


def record(folder: str) -> None:
    """Write the file; a model that shap cannot explain is printed, and left out."""
    sys.path.append(folder)
    import shap

    cases = {}
    for name, (model, rows, target, divisor) in CASES.items():
        model.fit(rows, target)
        explained, background = rows[:8], rows[-20:]
        try:
            explainer = shap.TreeExplainer(model, background, feature_perturbation="interventional")
            values = np.asarray(explainer.shap_values(explained, check_additivity=False), np.float64)
        except Exception as error:  # noqa: BLE001  shap raises whatever its readers raise
            print(f"{name}: shap {shap.__version__} cannot: {str(error).splitlines()[0]}")
            continue
        node, inputs = read_ensemble(model, rows)
        targets = next(item.i for item in node.attribute if item.name == "n_targets")
        # shap has [rows, features], or [rows, features, classes]; of two classes ours is the second.
        by_target = values[..., None] if values.ndim == 2 else values[..., -targets:]
        cases[name] = {
            "node": base64.b64encode(node.SerializeToString()).decode(),
            "rows": _plain(inputs[:8]),
            "background": _plain(inputs[-20:]),
            "divisor": divisor,
            "values": by_target.transpose(0, 2, 1).tolist(),
        }
    FILE.write_text(json.dumps({"shap": shap.__version__, "cases": cases}, indent=1) + "\n", encoding="utf-8")


def _plain(rows: Any) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in rows]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    record(sys.argv[1])
