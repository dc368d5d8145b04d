"""Stores equal tensors once, and none that no node reads: exact, and smaller where weights are tied or forgotten.

Exporters write a table of embeddings and the layer that shares it twice, and keep what training alone needed.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

#: Smaller tensors are not worth their comparison.
_LEAST_BYTES = 256


def store_once(model: bytes) -> bytes:
    """The same graph, each large tensor stored once and the unread ones left out; ``model`` itself where there are
    none."""
    import onnx

    graph_model = onnx.load_from_string(model)
    graph = graph_model.graph
    before = len(graph.initializer)
    _share_equal(graph)
    drop_unread(graph)
    if len(graph.initializer) == before:
        return model
    return bytes(graph_model.SerializeToString(deterministic=True))


def drop_unread(graph: Any) -> None:
    """Remove stored tensors that no node of ``graph`` and of its inner graphs reads."""
    read = {name for node in _all_nodes(graph) for name in node.input} | {output.name for output in graph.output}
    read |= {item.name for item in graph.input}
    for inner in _inner_graphs(graph):
        read |= {output.name for output in inner.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    if len(kept) < len(graph.initializer):
        del graph.initializer[:]
        graph.initializer.extend(kept)


def _share_equal(graph: Any) -> None:
    """Let nodes read the first of equal tensors."""
    taken = {item.name for item in (*graph.input, *graph.output)}
    if any(True for _ in _inner_graphs(graph)):
        return  # names of inner graphs may shadow those outside
    first: dict[tuple[Any, ...], str] = {}
    instead: dict[str, str] = {}
    for tensor in graph.initializer:
        if tensor.name in taken or len(tensor.raw_data) < _LEAST_BYTES:
            continue
        digest = hashlib.blake2b(tensor.raw_data, digest_size=16).digest()
        name = first.setdefault((tensor.data_type, tuple(tensor.dims), digest), tensor.name)
        if name != tensor.name:
            instead[tensor.name] = name
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name in instead:
                node.input[position] = instead[name]


def _all_nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for inner in _inner_graphs(graph):
        yield from inner.node


def _inner_graphs(graph: Any) -> Iterator[Any]:
    """The bodies of conditions and loops, at every depth."""
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.HasField("g") else list(attribute.graphs):
                yield inner
                yield from _inner_graphs(inner)
