"""Imports a finished layer and predicts with it, so that a package that needs a removed file fails at build time
and not on the first request."""

import os
import subprocess
from pathlib import Path

from serinus.modelpack.errors import LayerError

#: y = Identity(x) for one float, serialized: 65 bytes, so that the check needs no packages beside the layer's.
_CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, onnxruntime, importlib
for name in ("fastapi", "mangum", "msgspec", "pydantic", "starlette.routing", "numpy.typing"):
    importlib.import_module(name)
session = onnxruntime.InferenceSession(bytes.fromhex(sys.argv[2]), providers=["CPUExecutionProvider"])
answer = session.run(None, {"x": np.array([1.5], dtype=np.float32)})[0].tolist()
fastapi = sys.modules["fastapi"]
app = fastapi.FastAPI()
app.get("/")(lambda: {})
app.openapi()
sys.exit(0 if answer == [1.5] else f"predicted {answer} instead of [1.5]")
"""
_IDENTITY = (
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801620f0a0179120a0a08080112040a"
    "02080142040a00100d"
)


def check_layer(folder: Path, interpreter: Path) -> None:
    """Raise `LayerError` unless ``interpreter`` imports and predicts with the packages in ``folder`` alone."""
    command = [str(interpreter), "-I", "-S", "-B", "-c", _CODE, str(folder), _IDENTITY]
    environment = dict(os.environ) | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise LayerError(
            f"the slimmed layer does not work under {interpreter}: {done.stderr.strip()[-600:]}\n"
            "A package needs a file that slimming removes. Report it with the versions in "
            "packaging/layers/inference.txt."
        )
