"""Locates the layers' pinned requirements: beside the code in a checkout, inside the package when installed."""

from pathlib import Path

from serinus.modelpack.errors import LayerError

_PACKAGE = Path(__file__).resolve().parents[1]


def requirements_file(layer: str) -> Path:
    """The hash-pinned requirements of ``layer``; raises `LayerError` where the installation lacks them."""
    candidates = (_PACKAGE / "_layers" / f"{layer}.txt", _PACKAGE.parent / "layers" / f"{layer}.txt")
    for path in candidates:
        if path.is_file():
            return path
    raise LayerError(f"{candidates[0]} is missing: this installation is incomplete. Install serinus again.")
