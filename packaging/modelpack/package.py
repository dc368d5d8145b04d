"""The entry point of packaging; it loads the converters only when it is called.

They are an optional extra, which building and deploying do without.
"""

from importlib.util import find_spec

from serinus.modelpack.errors import ModelpackError
from serinus.modelpack.progress import Progress, Silent
from serinus.modelpack.publish import publish
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.temporary_folder import TemporaryFolder

__all__ = ["PackageRequest", "PackageResult", "package"]

_EXTRA = "sklearn"
_NEEDED = ("pandas", "sklearn", "skl2onnx", "onnx", "skops")


def package(request: PackageRequest, progress: Progress | None = None) -> PackageResult:
    """Build the bundle that ``request`` describes and pin it; nothing is written unless it agrees with its source.

    The model's code runs in this process, which it can end or block; `supervised` runs it in another. Raises
    `ModelpackError`, and `ContractError` where the project's lock is damaged.
    """
    check(request)
    from serinus.modelpack.pipeline import build_bundle

    with TemporaryFolder() as folder:
        drafted = build_bundle(request, progress or Silent(), folder)
        return publish(request, drafted, folder)


def check(request: PackageRequest) -> None:
    """Raise `RequestError` where ``request`` is not valid, and `ModelpackError` where the converters are not
    installed; TypeError where it is not a `PackageRequest`. Loads nothing."""
    if not isinstance(request, PackageRequest):
        raise TypeError(
            f"package() takes a PackageRequest, not a {type(request).__name__}: "
            'package(PackageRequest("model.joblib", name="churn", sample="sample.csv", project="."))'
        )
    request.check()
    absent = [name for name in _NEEDED if find_spec(name) is None]
    if absent:
        raise ModelpackError(
            f"packaging a model needs {', '.join(absent)}, which is not installed: pip install 'serinus[{_EXTRA}]'"
        )
