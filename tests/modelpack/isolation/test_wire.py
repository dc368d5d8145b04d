"""Tables and outputs cross between two Pythons unchanged."""

import numpy as np
import pandas as pd
import pytest

from serinus.modelpack.isolation import wire


def test_tables_keep_values_types_and_order() -> None:
    frame = pd.DataFrame(
        {
            "file": [1.5, np.nan, -0.0],
            "whole": [2**62, -1, 0],
            "yes": [True, False, True],
            "a/b": pd.Series(["x", np.nan, "\ue000"], dtype=object),
            "tensor": pd.Series([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]], dtype=object),
        }
    )
    back = wire.unpack_frame(wire.pack_frame(frame))
    pd.testing.assert_frame_equal(back, frame)
    assert np.signbit(back["file"][2])


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a", "b"], dtype=object),
        np.array([["a", "b"], ["c", "d"]], dtype=object),
        np.array(["é", "long text"]),
        np.zeros((0, 3)),
        np.arange(12, dtype=np.float32).reshape(3, 2, 2),
        np.array([True, False]),
    ],
    ids=["strings", "rows of strings", "plain text", "no rows", "tensor", "booleans"],
)
def test_outputs_keep_values_and_types(array: np.ndarray) -> None:
    back = wire.unpack(wire.pack({"label": array}))["label"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert (back == array).all()
