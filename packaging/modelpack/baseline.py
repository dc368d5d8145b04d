"""The training-time profile of inputs and predictions, against which drift is measured.

Numbers are kept as deciles and moments, enough for the population stability index and an approximate
Kolmogorov-Smirnov distance; categories as counts.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Feature
from serinus.modelpack.features import request_value, to_json_value

#: Categories beyond these are counted together as `other`.
TOP_CATEGORIES = 50
#: Wider outputs are profiled as one: nobody watches each dimension of an embedding.
TOP_COLUMNS = 50
_DECILES = np.linspace(0.1, 0.9, 9)


def profile(frame: pd.DataFrame, features: tuple[Feature, ...], outputs: Outputs, classes: Any) -> dict[str, Any]:
    """Plain data: `rows`, `features` and `outputs`, each by name."""
    return {
        "rows": len(frame),
        "features": {feature.name: _profile_feature(frame[feature.name], feature) for feature in features},
        "outputs": {name: _profile_output(name, values, classes) for name, values in outputs.items()},
    }


def _profile_feature(values: "pd.Series[Any]", feature: Feature) -> dict[str, Any]:
    if feature.dtype == "bool":
        return profile_categories(pd.Series([request_value(value, "bool") for value in values], dtype=object))
    if feature.dtype == "string" or feature.categories is not None:
        # A text that no other row has may be somebody's.
        return profile_categories(values, least=1 if feature.categories is not None else 2)
    if feature.shape:
        return profile_numbers(np.array(values.tolist(), dtype=np.float64).ravel())
    return profile_numbers(values.to_numpy(dtype=np.float64))


def _profile_output(name: str, values: npt.NDArray[Any], classes: Any) -> dict[str, Any]:
    if values.dtype.kind != "f" or name == "label":
        if values.ndim > 1:
            parts = values.reshape(len(values), -1).T[:TOP_COLUMNS]
            profiles = {str(index): _profile_output(name, part, classes) for index, part in enumerate(parts)}
            return {"kind": "columns", "columns": profiles}
        return profile_categories(pd.Series(values.tolist()))
    if values.ndim == 1:
        return profile_numbers(values)
    if values.ndim > 2 or (values.shape[1] > TOP_COLUMNS and name != "probabilities"):
        return profile_numbers(values.ravel())
    labels = [str(label) for label in classes] if name == "probabilities" and classes else range(values.shape[1])
    columns = {str(label): profile_numbers(values[:, index]) for index, label in enumerate(labels)}
    return {"kind": "columns", "columns": columns}


def profile_numbers(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Count, missing or infinite, mean, standard deviation (of the sample), extremes, the nine inner deciles."""
    present = values[np.isfinite(values)]
    if not present.size:
        return {"kind": "numeric", "count": 0, "missing": int(values.size)}
    return {
        "kind": "numeric",
        "count": int(present.size),
        "missing": int(values.size - present.size),
        "mean": float(present.mean()),
        "std": float(present.std(ddof=1)) if present.size > 1 else 0.0,
        "minimum": float(present.min()),
        "maximum": float(present.max()),
        "deciles": [float(value) for value in np.quantile(present, _DECILES)],
    }


def profile_categories(values: "pd.Series[Any]", *, least: int = 1) -> dict[str, Any]:
    """Counts by category, the most frequent first; equal counts in the order of their text. Categories of fewer
    than ``least`` rows are counted together as `other`."""
    present = [to_json_value(value) for value in values if to_json_value(value) is not None]
    counts: dict[Any, int] = {}
    for value in present:
        counts[value] = counts.get(value, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    top = [item for item in ranked if item[1] >= least][:TOP_CATEGORIES]
    return {
        "kind": "categorical",
        "count": len(present),
        "missing": len(values) - len(present),
        "categories": [{"value": value, "count": count} for value, count in top],
        "other": sum(count for _, count in ranked[len(top) :]),
    }
