"""Packaging a model: the one door, which stays light until it is opened.

What converting needs is an optional extra; who only builds and deploys has none of it.
"""

from importlib.util import find_spec

from modelpack.errors import ModelpackError
from modelpack.progress import Progress, Silent
from modelpack.request import PackageRequest, PackageResult

__all__ = ["PackageRequest", "PackageResult", "package"]

_EXTRA = "sklearn"
_NEEDED = ("pandas", "sklearn", "skl2onnx", "onnx", "skops")


def package(request: PackageRequest, progress: Progress | None = None) -> PackageResult:
    """Make the bundle that ``request`` describes and pin it; nothing is written unless it agrees with its source.

    Raises `ModelpackError`, and `ContractError` where the project's lock is damaged.
    """
    request.check()
    absent = [name for name in _NEEDED if find_spec(name) is None]
    if absent:
        raise ModelpackError(
            f"packaging a model needs {', '.join(absent)}, which is not installed. pip install 'serinus[{_EXTRA}]'"
        )
    from modelpack.making import make

    return make(request, progress or Silent())
