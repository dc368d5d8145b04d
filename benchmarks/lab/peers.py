"""Handlers of other ways, opened in this process from the same files that cold starts deploy."""

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.models import Model


def onnx_fastapi(trained: Model) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    """ONNX Runtime behind FastAPI and Mangum in the usual way."""
    os.environ["MODEL"] = str(trained.bundle / "model.onnx")
    os.environ["FEATURES"] = json.dumps(list(trained.rows[0]))
    spec = importlib.util.spec_from_file_location(
        "onnx_fastapi", Path(__file__).parent / "handlers" / "onnx_fastapi.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[dict[str, Any], object], dict[str, Any]] = module.handler
    return handler


def graph_alone(trained: Model) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    """The graph, run on the event's rows as a tensor that is made once."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(trained.bundle / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    (tensor,), names = session.get_inputs(), [output.name for output in session.get_outputs()]
    made: dict[str, Any] = {}

    def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
        if made.get("body") is not event["body"]:
            rows = [list(row.values()) for row in json.loads(event["body"])["rows"]]
            made.update(body=event["body"], feeds={tensor.name: np.array(rows)})
        session.run(names, made["feeds"])
        return {"statusCode": 200}

    return handler
