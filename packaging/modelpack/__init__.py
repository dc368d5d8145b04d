"""Trained models become bundles, and bundles become Lambda layers.

`modelpack.package.package` makes a bundle; `modelpack.layers.build` makes the layers that a deployment needs.
Nothing is imported here beyond names, so that asking for an error or a layer does not load numpy and pandas.
"""

from modelpack.errors import ModelpackError
from modelpack.progress import Progress, Silent

__all__ = ["ModelpackError", "Progress", "Silent"]
