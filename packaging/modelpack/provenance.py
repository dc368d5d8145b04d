"""The record of how a bundle was made: sources by hash, libraries, times and every measurement."""

import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from serinus.lambda_handlers.contract.agreement import Agreement, Outputs
from serinus.modelpack.holdout import accuracy
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import ModelFile, Source
from serinus.modelpack.sources.files import hash_file

_LIBRARIES = ("serinus", "numpy", "pandas", "onnx", "onnxruntime", "scikit-learn", "skl2onnx", "skops", "protobuf")


def describe_origin(
    file: ModelFile, sample: Path | None, source: Source, agreement: Agreement, seconds: dict[str, float]
) -> dict[str, Any]:
    """Plain data: time, model file, sample file, Python, libraries, agreement with the source and seconds by
    stage."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": {"file": file.path.name, "sha256": file.sha256, "estimator": source.estimator},
        "sample": None if sample is None else {"file": sample.name, "sha256": hash_file(sample)},
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "parity": agreement.to_json(),
        "seconds": seconds,
    }


def score_on_sample(sample: Sample, outputs: Outputs, source: Source) -> dict[str, Any] | None:
    """`name` and `value` of the source's accuracy, or R² for a single value, against the target column; None
    without a target."""
    value = _score(sample, outputs)
    if value is None:
        return None
    return {"name": "R²" if source.task == "regression" else "accuracy", "value": value}


def _score(sample: Sample, outputs: Outputs) -> float | None:
    if sample.target is None:
        return None
    if "label" in outputs and outputs["label"].ndim == 1:
        return accuracy(sample.target, outputs["label"])
    if "value" not in outputs:
        return None
    truth = sample.target.to_numpy(dtype=np.float64)
    value = outputs["value"]
    if value.ndim != 1 or not truth.var():
        return None
    return float(1.0 - np.mean((truth - value) ** 2) / truth.var())
