"""Trained models become bundles, and bundles become Lambda layers.

`package.package` builds a bundle; `layers.build` builds the layers that a deployment needs.
This module imports only names, so that importing an error or a layer does not load numpy and pandas.
"""

import os

from serinus.modelpack.errors import ModelpackError
from serinus.modelpack.progress import Progress, Silent

# ONNX Runtime's official builds send names, hashes and shapes of models to Microsoft unless this is set before the
# import (https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md). A value that is set already stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["ModelpackError", "Progress", "Silent"]
