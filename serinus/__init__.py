"""Put trained models into production on AWS Lambda, and rehearse every release on this machine first.

In Python, `package` makes a bundle of a trained model, `load` opens one to predict with, and `predict` calls a
deployed endpoint. Each is imported on first use: functions on Lambda carry this module too.

    import serinus

    serinus.package(model, X, y, name="churn")
    serinus.load("churn").predict([{"tenure": 2, "charge": 95.5, "contract": "monthly"}])
    serinus.predict("churn", X.head())

Errors:

    ModelpackError          `package` cannot make a bundle
    ├── RequestError            a setting of the request cannot be used
    ├── SourceError             the model file cannot be read as a model
    ├── SampleError             the sample cannot be read, or does not fit the model
    ├── ConversionError         the model cannot be expressed as an ONNX graph
    ├── PrecisionError          the requested precision does not apply, or is out of tolerance
    ├── ParityError             the graph disagrees with the model beyond the tolerance
    ├── HoldoutError            the bundle's metrics on labelled rows are worse than the source's
    ├── AcceptanceError         an answer is not as the acceptance test requires
    └── LayerError              the function would exceed what AWS Lambda allows
    ContractError           a bundle or serinus.lock is damaged, or a folder is not a bundle
    ReleaseError            `load` finds no pinned bundle of that name
    RequestRejected         rows are rejected, by an endpoint or as it would (a ValueError)
    EndpointError           a deployed endpoint cannot be found or reached, or failed
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from serinus.deployed import EndpointError, predict
    from serinus.infra.errors import ReleaseError
    from serinus.lambda_handlers.contract.errors import ContractError
    from serinus.lambda_handlers.contract.tolerance import Tolerance
    from serinus.loaded import LoadedModel, RequestRejected, load
    from serinus.modelpack.errors import (
        AcceptanceError,
        ConversionError,
        HoldoutError,
        LayerError,
        ModelpackError,
        ParityError,
        PrecisionError,
        RequestError,
        SampleError,
        SourceError,
    )
    from serinus.modelpack.request import PackageRequest, PackageResult
    from serinus.packaged import PackagedModel, package

__all__ = [
    "AcceptanceError",
    "ContractError",
    "ConversionError",
    "EndpointError",
    "HoldoutError",
    "LayerError",
    "LoadedModel",
    "ModelpackError",
    "PackageRequest",
    "PackageResult",
    "PackagedModel",
    "ParityError",
    "PrecisionError",
    "ReleaseError",
    "RequestError",
    "RequestRejected",
    "SampleError",
    "SourceError",
    "Tolerance",
    "load",
    "package",
    "predict",
]

_MODULES = {
    "ContractError": "serinus.lambda_handlers.contract.errors",
    "EndpointError": "serinus.deployed",
    "LoadedModel": "serinus.loaded",
    "PackageRequest": "serinus.modelpack.request",
    "PackageResult": "serinus.modelpack.request",
    "PackagedModel": "serinus.packaged",
    "ReleaseError": "serinus.infra.errors",
    "RequestRejected": "serinus.loaded",
    "Tolerance": "serinus.lambda_handlers.contract.tolerance",
    "load": "serinus.loaded",
    "package": "serinus.packaged",
    "predict": "serinus.deployed",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_MODULES.get(name, "serinus.modelpack.errors")), name)

    def __dir__():
        return __all__.copy()  # `help` lists no others: neither these two functions nor the tables
