"""Put trained models into production on AWS Lambda, and rehearse every release on this machine first.

In Python, `package` makes a bundle of a trained model and `load` opens one to predict with. Each is imported on
first use: functions on Lambda carry this module too.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from serinus.loaded import LoadedModel, RequestRejected, load
    from serinus.modelpack.package import PackageRequest, PackageResult, package

__all__ = ["LoadedModel", "PackageRequest", "PackageResult", "RequestRejected", "load", "package"]

_MODULES = {
    "LoadedModel": "serinus.loaded",
    "PackageRequest": "serinus.modelpack.package",
    "PackageResult": "serinus.modelpack.package",
    "RequestRejected": "serinus.loaded",
    "load": "serinus.loaded",
    "package": "serinus.modelpack.package",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_MODULES[name]), name)

    def __dir__():
        return sorted({*globals(), *__all__})
