"""Points for the parity plots: few enough for the provenance, spread evenly and with the worst among them."""

from typing import Any

import numpy as np

from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected

POINTS = 300


def plot_points(expected: Expected, runner: Runner) -> dict[str, Any]:
    """By float output `source` and `bundle` [points], and `differences`: counts by power of ten of the absolute
    difference, from 1e-16 or less (first) to 1 or more (last)."""
    got = runner(expected.frame)
    points: dict[str, Any] = {}
    for name, want in expected.outputs.items():
        if want.dtype.kind != "f":
            continue
        a = want.reshape(len(want), -1).astype(np.float64)
        b = got[name].reshape(len(want), -1).astype(np.float64)
        column = -1 if a.shape[1] == 2 else 0
        difference = np.abs(a - b)
        rows = np.unique(np.linspace(0, len(a) - 1, num=POINTS - 20).astype(int))
        worst = np.argsort(-np.nan_to_num(difference[:, column]), kind="stable")[:20]
        shown = np.unique(np.concatenate([rows, worst]))
        shown = shown[np.isfinite(a[shown, column]) & np.isfinite(b[shown, column])]
        decades = np.clip(np.floor(np.log10(np.maximum(np.nan_to_num(difference.ravel()), 1e-16))), -16, 0)
        points[name] = {
            "source": [float(f"{value:.6g}") for value in a[shown, column]],
            "bundle": [float(f"{value:.6g}") for value in b[shown, column]],
            "differences": [int((decades == power).sum()) for power in range(-16, 1)],
        }
    return points
