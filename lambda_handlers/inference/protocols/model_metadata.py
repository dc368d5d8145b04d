"""Metadata of server and model in the Open Inference Protocol.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from typing import Any

from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.signature import Signature, Tensor
from serinus.lambda_handlers.inference.protocols.datatypes import NAMES
from serinus.lambda_handlers.inference.scoring import Scorer

#: Seconds for which a caller may keep a description of the model; a release takes longer.
DESCRIPTION_KEEP_S = 60


def describe_server(scorer: Scorer) -> dict[str, Any]:
    """The response of GET /v2."""
    return {"name": "serinus", "version": scorer.function_version, "extensions": ["binary_tensor_data"]}


def describe_model(manifest: Manifest) -> dict[str, Any]:
    """The response of GET /v2/models/{model}; inputs are the graph's tensors and their features."""
    signature = manifest.signature
    return {
        "name": manifest.name,
        "versions": [manifest.short_version],
        "platform": "onnxruntime_onnx",
        "inputs": [_input(signature, tensor) for tensor in signature.addressed_tensors()],
        "outputs": [
            {"name": output.name, "datatype": NAMES[output.dtype], "shape": [-1, *_known(output.shape[1:])]}
            for output in signature.outputs
        ],
    }


def row_shape(signature: Signature, tensor: Tensor) -> tuple[int, ...]:
    """The shape of one row in ``tensor``."""
    shapes = {feature.name: feature.shape for feature in signature.features}
    return shapes[tensor.features[0]] or (len(tensor.features),)


def _input(signature: Signature, tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "datatype": NAMES[tensor.dtype],
        "shape": [-1, *row_shape(signature, tensor)],
        "parameters": {"features": list(tensor.features)},
    }


def _known(shape: tuple[int | None, ...]) -> list[int]:
    return [-1 if size is None else size for size in shape]
