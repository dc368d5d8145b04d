"""Names the operator that holds a graph's trees."""

_TREES = {"TreeEnsemble": "TreeEnsemble v5", "TreeEnsembleClassifier": "", "TreeEnsembleRegressor": ""}


def tree_form(model: bytes) -> str:
    """The operator that holds the trees of the serialized graph, with its operator set ("TreeEnsemble v5
    (ai.onnx.ml 5)"); empty without trees. https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html"""
    import onnx

    graph = onnx.load_from_string(model)
    operators = {node.op_type for node in graph.graph.node}
    name = next((name for name in _TREES if name in operators), "")
    version = next((entry.version for entry in graph.opset_import if entry.domain == "ai.onnx.ml"), "")
    return f"{_TREES[name] or name} (ai.onnx.ml {version})" if name else ""
