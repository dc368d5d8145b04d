"""Spoils a bundle's graph after packaging, to show that the pre-traffic check stops it.

Packaging would refuse to make it, so it is made by hand: golden set and signature stay those of the good
bundle, only the graph answers otherwise.
"""

import json
from pathlib import Path
from typing import Any

from serinus.cli.errors import CliError
from serinus.lambda_handlers.contract import bundle
from serinus.lambda_handlers.contract.bundle import Manifest


def spoil(good: Path, folder: Path, kind: str) -> Manifest:
    """Write into ``folder`` the bundle in ``good`` with a graph spoiled as ``kind`` says, "wrong-answers" or
    "nan"; its manifest. `CliError` when ONNX's library is not installed or no output is a number."""
    graph = _spoiled_graph((good / bundle.GRAPH).read_bytes(), kind)
    manifest = json.loads((good / bundle.MANIFEST).read_text(encoding="utf-8"))
    baseline, golden = (good / bundle.BASELINE).read_bytes(), (good / bundle.GOLDEN).read_bytes()
    background = (good / bundle.BACKGROUND).read_bytes() if (good / bundle.BACKGROUND).exists() else None
    manifest["version"] = bundle.compute_version(graph, manifest, baseline, golden, background)
    folder.mkdir(parents=True)
    for name, content in (
        (bundle.GRAPH, graph),
        (bundle.MANIFEST, bundle.dump_json(manifest)),
        (bundle.BASELINE, baseline),
        (bundle.GOLDEN, golden),
    ):
        (folder / name).write_bytes(content)
    for name in (bundle.BACKGROUND, bundle.CARD, bundle.PROVENANCE):
        if (good / name).exists():
            (folder / name).write_bytes((good / name).read_bytes())
    return bundle.verify(folder)


def _spoiled_graph(graph: bytes, kind: str) -> bytes:
    try:
        import onnx
    except ImportError as error:
        raise CliError(
            f"--inject {kind} rewrites the model's graph and needs the onnx package, which is not installed: "
            "pip install onnx"
        ) from error
    model = onnx.load_model_from_string(graph)
    numbers = [output for output in model.graph.output if _is_float(onnx, output)]
    if not numbers:
        raise CliError(f"--inject {kind} needs a model with a floating-point output; this one has none.")
    for output in numbers:
        _spoil_output(onnx, model.graph, output, kind)
    return bytes(model.SerializeToString(deterministic=True))


def _is_float(onnx: Any, output: Any) -> bool:
    return output.type.tensor_type.elem_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)


def _spoil_output(onnx: Any, graph: Any, output: Any, kind: str) -> None:
    """Put a node between the output and what computed it: 1 - x, or x * NaN."""
    inner, factor = f"{output.name}_before", f"{output.name}_factor"
    for node in graph.node:
        node.output[:] = [inner if name == output.name else name for name in node.output]
        node.input[:] = [inner if name == output.name else name for name in node.input]
    value = float("nan") if kind == "nan" else 1.0
    kind_of = output.type.tensor_type.elem_type
    graph.initializer.append(onnx.helper.make_tensor(factor, kind_of, [], [value]))
    operator, inputs = ("Mul", [inner, factor]) if kind == "nan" else ("Sub", [factor, inner])
    graph.node.append(onnx.helper.make_node(operator, inputs, [output.name]))
