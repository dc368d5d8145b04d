"""Exact values equal shap's, as scripts/shap_values.py recorded them."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from serinus.modelpack.explain.leaf_boxes import read_leaf_boxes
from serinus.modelpack.explain.tables import explain_trees

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("shap.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", RECORDED["cases"])
def test_values_are_those_of_shap(case: str) -> None:
    recorded = RECORDED["cases"][case]
    node = onnx.NodeProto.FromString(base64.b64decode(recorded["node"]))
    rows, background = np.array(recorded["rows"], float), np.array(recorded["background"], float)
    expected = np.array(recorded["values"])
    boxes = read_leaf_boxes(node, range(rows.shape[1]))
    explainer = explain_trees(boxes, background, rows.shape[1], expected.shape[1])
    values = explainer.explain(rows) / recorded["divisor"]
    scale = np.abs(expected).max()
    assert scale > 0.01
    tolerance = 1e-6 if boxes.upper.dtype == np.float64 else 1e-5 * scale
    assert np.abs(values - expected).max() <= tolerance
