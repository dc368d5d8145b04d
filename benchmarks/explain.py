"""Explanations: milliseconds a row of exact Shapley values, 30 features, 100 background rows, shap's beside.

Both explain the same rows of the same models, one at a time, with one thread, in one process; each time is the
median of 50 rows. "difference" is the largest over those rows, as a share of the largest value.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from table import Row, main

from serinus.modelpack.errors import ConversionError
from serinus.modelpack.explain.ensemble_input import read_ensemble
from serinus.modelpack.explain.leaf_boxes import read_leaf_boxes
from serinus.modelpack.explain.tables import LARGEST_BYTES, explain_trees

FEATURES, TRAINED, BACKGROUND, EXPLAINED = 30, 4000, 100, 50
#: By name: the model, and what its ensemble's sum is divided by.
MODELS: dict[str, tuple[Any, int]] = {
    "boosting, 100 trees of depth 3": (GradientBoostingClassifier(random_state=0), 1),
    "boosting, 100 trees of depth 6": (GradientBoostingClassifier(max_depth=6, subsample=0.5, random_state=0), 1),
    "forest, 100 trees of depth 6": (RandomForestClassifier(max_depth=6, random_state=0), 100),
    "forest, 100 trees of depth 8": (RandomForestClassifier(max_depth=8, random_state=0), 100),
}


def measure() -> Iterator[Row]:
    """A row for each model and form: table, patterns."""
    data, target = make_classification(6000, FEATURES, n_informative=12, n_redundant=6, random_state=0)
    rows = pd.DataFrame(data.astype(np.float32), columns=[f"f{number}" for number in range(FEATURES)])
    explained = slice(TRAINED, TRAINED + EXPLAINED)
    for name, (model, divisor) in MODELS.items():
        model.fit(rows[:TRAINED], target[:TRAINED])
        node, inputs = read_ensemble(model, rows)
        peer_ms, peer = _shap(model, rows[:BACKGROUND].to_numpy(), rows[explained].to_numpy())
        boxes = read_leaf_boxes(node, range(FEATURES))
        for form, largest_bytes in (
            ("table", LARGEST_BYTES),
            ("patterns", min(LARGEST_BYTES, (boxes.feature.size << boxes.depth) * 4 - 1)),
        ):
            begun = time.perf_counter()
            try:
                explainer = explain_trees(boxes, inputs[:BACKGROUND], FEATURES, 1, largest_bytes=largest_bytes)
            except ConversionError as error:
                yield {"model": name, "form": form, "note": str(error)}
                continue
            seconds = time.perf_counter() - begun
            if type(explainer).__name__ != {"table": "TableExplainer", "patterns": "PatternExplainer"}[form]:
                yield {"model": name, "form": form, "note": f"the table takes more than {largest_bytes:,} bytes"}
                continue
            ms, values = _timed(
                lambda row, explainer=explainer: explainer.explain(row[None])[0, 0], inputs[explained]
            )
            part = explainer.table if form == "table" else explainer.weight
            yield {
                "model": name,
                "form": form,
                "leaves": len(boxes.value),
                "MB": round(part.nbytes / 1e6, 1),
                "prepared_s": round(seconds, 2),
                "ms": round(ms, 3),
                "shap_ms": None if peer_ms is None else round(peer_ms, 2),
                "times_shap": None if peer_ms is None else round(peer_ms / ms, 1),
                "difference": None
                if peer is None
                else float(f"{np.abs(values / divisor - peer).max() / np.abs(peer).max():.1e}"),
                "note": "shap is not installed" if peer is None else "",
            }


def _shap(model: Any, background: Any, rows: Any) -> tuple[float, Any] | tuple[None, None]:
    """shap's interventional values of the second of two classes."""
    try:
        import shap
    except ImportError:
        return None, None
    explainer = shap.TreeExplainer(model, background, feature_perturbation="interventional")

    def explain(row: Any) -> Any:
        values = explainer.shap_values(row[None], check_additivity=False)[0]
        return values[..., 1] if values.ndim == 2 else values

    return _timed(explain, rows)


def _timed(explain: Callable[[Any], Any], rows: Any) -> tuple[float, Any]:
    """The median of milliseconds a row, and the values."""
    explain(rows[0])
    values, spent = [], []
    for row in rows:
        begun = time.perf_counter()
        values.append(explain(row))
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent), np.array(values)


if __name__ == "__main__":
    main("explain", lambda: list(measure()), note=__doc__ or "")
