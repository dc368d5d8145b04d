"""A model's trees as its graph holds them, and the rows that reach them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.modelpack import sources
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import fit_to_model


def read_ensemble(model: Any, rows: pd.DataFrame) -> tuple[Any, npt.NDArray[np.floating]]:
    """The TreeEnsemble node of the graph of ``model``, a fitted one, and the node's input for ``rows``, [rows,
    columns]: the graph may round the features first."""
    import onnx

    source = sources.from_object(model, Path("model"))
    sample = fit_to_model(rows, names=source.feature_names, count=None)
    graph = onnx.load_from_string(next(iter(source.graphs(sample))).model)
    node = next(node for node in graph.graph.node if node.op_type == "TreeEnsemble")
    splits = next(item.t for item in node.attribute if item.name == "nodes_splits")
    graph.graph.output.append(onnx.helper.make_tensor_value_info(node.input[0], splits.data_type, None))
    return node, Runner(graph.SerializeToString(), sample)(sample.frame)[node.input[0]]
