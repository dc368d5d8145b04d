"""Lambda layers: the runtime layer, from hash-pinned requirements, and the model layer, from a bundle."""

from modelpack.layers.building import build
from modelpack.layers.interpreters import find_interpreter
from modelpack.layers.zips import sizes

__all__ = ["build", "find_interpreter", "sizes"]
