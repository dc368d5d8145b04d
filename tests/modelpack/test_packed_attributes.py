"""Packed lists are the same graph in fewer bytes."""

import numpy as np
import onnx
import onnxruntime
from sklearn.ensemble import RandomForestClassifier

from serinus.modelpack.convert.packed_attributes import pack_lists
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource


def test_packed_graph_is_the_same_graph_in_fewer_bytes(numbers: object, score: np.ndarray) -> None:
    source = SklearnSource(RandomForestClassifier(20, random_state=0).fit(numbers, score > 0))
    sample = fit_to_model(numbers, names=source.feature_names, count=None)  # type: ignore[arg-type]
    plain = next(source.graphs(sample)).model
    packed = pack_lists(plain)
    assert len(packed) < 0.8 * len(plain)
    assert pack_lists(packed) == packed
    assert onnx.load_from_string(packed) == onnx.load_from_string(plain)
    onnx.checker.check_model(onnx.load_from_string(packed), full_check=True)
    rows = {"numbers": np.asarray(sample.frame, dtype=np.float64)}
    theirs, ours = (onnxruntime.InferenceSession(model).run(None, rows) for model in (plain, packed))
    assert all(np.array_equal(one, other) for one, other in zip(theirs, ours, strict=True))
