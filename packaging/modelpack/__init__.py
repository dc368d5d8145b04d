"""Trained models become bundles, and bundles become Lambda layers.

`package` makes a bundle; `modelpack.layers.build` makes the layers that a deployment needs.
"""

from modelpack.errors import ModelpackError
from modelpack.package import package
from modelpack.progress import Progress, Silent
from modelpack.request import PackageRequest, PackageResult

__all__ = ["ModelpackError", "PackageRequest", "PackageResult", "Progress", "Silent", "package"]
