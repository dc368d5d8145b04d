"""Metadata of server and model in the Open Inference Protocol, and in Triton's extensions of it.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
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
    extensions = ["binary_tensor_data", "model_configuration"]
    return {"name": "serinus", "version": scorer.function_version, "extensions": extensions}


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


def describe_configuration(scorer: Scorer) -> dict[str, Any]:
    """The response of GET /v2/models/{model}/config: Triton's model configuration, in which shapes leave out the
    rows, of which there may be `max_batch_size`."""
    manifest, described = scorer.model.manifest, describe_model(scorer.model.manifest)
    return {
        "name": manifest.name,
        "platform": described["platform"],
        "backend": "onnxruntime",
        "max_batch_size": scorer.limits.max_rows,
        "input": [_configured(each) for each in described["inputs"]],
        "output": [_configured(each) for each in described["outputs"]],
    }


def describe_repository(manifest: Manifest) -> list[dict[str, str]]:
    """The response of POST /v2/repository/index: the one model that is served."""
    return [{"name": manifest.name, "version": manifest.short_version, "state": "READY", "reason": ""}]


def _configured(tensor: dict[str, Any]) -> dict[str, Any]:
    kind = "STRING" if tensor["datatype"] == "BYTES" else tensor["datatype"]
    return {"name": tensor["name"], "data_type": f"TYPE_{kind}", "dims": tensor["shape"][1:] or [1]}


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
