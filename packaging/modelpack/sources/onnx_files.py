"""Reads untrusted ONNX files: complete, with known operators only, and nothing from outside their folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serinus.modelpack.errors import SourceError, first_line
from serinus.modelpack.sources.extras import require

#: Domains whose operators the runtime layer's ONNX Runtime has.
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")


def read(path: Path) -> Any:
    """The model in ``path``, with its external data loaded; raises `SourceError` with a one-line message."""
    onnx = require("onnx", "sklearn")
    try:
        model = onnx.load_model(str(path), load_external_data=False)
    except Exception as error:
        raise SourceError(
            f"{path} cannot be read as an ONNX model ({type(error).__name__}: {first_line(error)}). It may be cut "
            "short: export it again."
        ) from error
    if not model.graph.node or not model.graph.output:
        raise SourceError(f"{path} is not an ONNX model: it has no nodes or no outputs. Export it again.")
    _refuse_unknown_domains(path, model)
    _take_in_external_data(path, model)
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise SourceError(f"{path} is not a valid ONNX model: {first_line(error)}. Export it again.") from error
    return model


def graphs(graph: Any) -> Iterator[Any]:
    """The graph and those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from graphs(inner)


def _tensors(model: Any) -> Iterator[Any]:
    """Every tensor that is stored in the model, in its graphs, their nodes' attributes and its functions."""
    nodes = [node for function in model.functions for node in function.node]
    for graph in graphs(model.graph):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        nodes.extend(graph.node)
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        yield from ([attribute.t] if attribute.HasField("t") else []) + list(attribute.tensors)


def _refuse_unknown_domains(path: Path, model: Any) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    for graph in graphs(model.graph):
        for node in graph.node:
            if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
                raise SourceError(
                    f"{path} uses operator {node.op_type} of domain {node.domain!r}, which ONNX Runtime lacks "
                    "without an extra library. Export the model with standard operators."
                )


def _take_in_external_data(path: Path, model: Any) -> None:
    from onnx import TensorProto, external_data_helper

    folder = path.resolve().parent
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        file = (folder / location).resolve()
        if not location or not file.is_relative_to(folder):
            raise SourceError(
                f"{path} keeps tensor {tensor.name!r} in {location!r}, outside its own folder, which is not read. "
                "Put the data beside the model, or save it with save_as_external_data=False."
            )
        if not file.is_file():
            raise SourceError(
                f"{path} keeps tensor {tensor.name!r} in {location!r}, which does not exist. Copy it beside the "
                "model."
            )
        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(folder))
        except Exception as error:
            raise SourceError(
                f"{path}: {location!r} does not hold tensor {tensor.name!r}: {first_line(error)}."
            ) from error
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]
