"""Lambda layers: the runtime layer, from hash-pinned requirements, and the model layer, from a bundle."""

from serinus.modelpack.layers.build import build
from serinus.modelpack.layers.interpreters import find_interpreter
from serinus.modelpack.layers.zips import sizes

__all__ = ["build", "find_interpreter", "sizes"]
