"""Opens the model layer's bundle with ONNX Runtime."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

# The official builds send names, hashes and shapes of models to their maker, unless this is set before the import
# (https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md). What is set already stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

from serinus.lambda_handlers.contract.bundle import DISABLED_OPTIMIZERS, GRAPH, Manifest, read_manifest
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.files import Folder, path_in
from serinus.lambda_handlers.inference.tensors import Array, Feeds

#: Memory at which Lambda gives a function one whole CPU; its share is proportional
#: (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
MEGABYTES_PER_CPU = 1769


#: Runs a graph: from tensors by input name to its outputs, in the signature's order. Raises where it fails.
Run = Callable[[Feeds], list[Array]]


class Model(NamedTuple):
    """A bundle's manifest, its folder, and its graph, ready to run."""

    manifest: Manifest
    folder: Folder
    run: Run


def open_model(folder: Folder, *, memory_mb: int) -> Model:
    """Read the bundle in ``folder`` and create its session, with as many threads as ``memory_mb`` has CPUs.
    Raises `ContractError` if graph and signature name different inputs or outputs."""
    manifest = read_manifest(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads_for(memory_mb)
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        path_in(folder, GRAPH),
        sess_options=options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=DISABLED_OPTIMIZERS,
    )
    signature = manifest.signature
    _refuse_other_names("input", session.get_inputs(), [tensor.name for tensor in signature.tensors])
    _refuse_other_names("output", session.get_outputs(), [output.name for output in signature.outputs])
    return Model(manifest, folder, compile_run(session, [output.name for output in signature.outputs]))


def compile_run(session: onnxruntime.InferenceSession, output_names: list[str]) -> Run:
    """A function that runs the graph of ``session`` and returns ``output_names`` in order."""
    # The native session's own method. The checks of Python's wrapper before each call (1.2 us) are for feeds on
    # devices, captured graphs and other providers than the CPU's; native code itself rejects a missing input.
    run = session._sess.run
    options = onnxruntime.RunOptions()  # which each run would else make for itself: 0.7 us
    return lambda feeds: run(output_names, feeds, options)


def threads_for(memory_mb: int) -> int:
    """Whole CPUs that a function of ``memory_mb`` gets, at least one."""
    return max(1, memory_mb // MEGABYTES_PER_CPU)


def _refuse_other_names(kind: str, nodes: Any, promised: list[str]) -> None:
    existing = {node.name for node in nodes}
    if unknown := sorted(set(promised) - existing):
        raise ContractError(
            f"the signature names {kind} {unknown[0]!r}; the graph has {sorted(existing)}. "
            "Package the model again."
        )
