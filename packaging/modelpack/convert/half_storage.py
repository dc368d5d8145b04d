"""Stores numbers in fewer bits; they are widened again as the session starts, so that arithmetic and speed stay.

CPUs gain nothing from half-precision arithmetic, and ONNX Runtime's would only be casts around single precision;
the file is what gets smaller. https://onnxruntime.ai/docs/performance/model-optimizations/float16.html
"""

import numpy as np

from serinus.modelpack.convert.jumps import tensors_before_jumps, tensors_before_trees

#: Tensors with fewer numbers are not worth their cast.
LEAST_NUMBERS = 64


def store_as(model: bytes, dtype: type[np.floating]) -> bytes | None:
    """The graph with its large float tensors stored in ``dtype``; None where that saves nothing. What a tree
    depends on is not rounded, and what a comparison or a ranking depends on is stored in single precision at
    least. Raises ValueError where a number does not fit."""
    import onnx
    from onnx import helper, numpy_helper

    graph_model = onnx.load_from_string(model)
    graph = graph_model.graph
    exact, single = tensors_before_trees(graph), tensors_before_jumps(graph)
    casts = []
    kinds = set()
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        stored = np.dtype(np.float32 if tensor.name in single and dtype == np.float16 else dtype)
        if values.dtype.kind != "f" or values.size < LEAST_NUMBERS or values.itemsize <= stored.itemsize:
            continue
        with np.errstate(over="ignore"):
            small = values.astype(stored)
        if tensor.name in exact and not np.array_equal(small.astype(values.dtype), values, equal_nan=True):
            continue
        if np.isinf(small).sum() != np.isinf(values).sum():
            raise ValueError(f"a stored number, {np.abs(values).max():.3g}, is too large for {stored}")
        kinds.add(stored)
        name, wide = tensor.name, tensor.data_type
        tensor.CopyFrom(numpy_helper.from_array(small, f"{name} stored"))
        casts.append(helper.make_node("Cast", [f"{name} stored"], [name], name=f"widen {name}", to=wide))
    if np.dtype(dtype) not in kinds:
        return None
    nodes = [*casts, *graph.node]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return bytes(graph_model.SerializeToString(deterministic=True))
