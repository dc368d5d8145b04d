"""The errors of packaging a model and building layers; in brackets the command's exit code.

ModelpackError
├── RequestError            [1] a name, tolerance or other setting cannot be used
├── WorkerError             [1] the process that ran the model's code ended or exceeded its time limit
├── SourceError             [3] the model file cannot be read as a model
│   ├── UntrustedTypesError     a skops file holds types that are not trusted
│   ├── ExtraMissingError       its framework is an optional extra that is not installed
│   ├── VersionSkewError        saved by a release of its framework other than the installed one
│   └── IsolationError          the versions that saved it could not be installed, or their Python ended
├── SampleError             [4] the sample cannot be read, or does not fit the model
├── ConversionError         [5] the model cannot be expressed as an ONNX graph
├── PrecisionError          [6] the requested precision does not apply, or is out of tolerance
├── ParityError             [6] the graph disagrees with the model beyond the tolerance
├── HoldoutError            [6] the bundle's own metrics on labelled rows are worse than the source's
├── AcceptanceError         [6] an answer is not as the acceptance test requires
├── ExplanationError        [6] predictions cannot be explained, and the settings switch explanations on
└── LayerError              [7] a layer cannot be built
    ├── ResolveError            the layer's packages could not be installed for the target
    └── LayerLimitError         the function would exceed what AWS Lambda allows
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serinus.lambda_handlers.contract.agreement import Agreement


def first_line(error: Exception) -> str:
    """The first line of another library's error message, or the error's name; at most 300 characters."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:300]


class ModelpackError(Exception):
    """Base of all errors that a user of modelpack can cause; the message can be shown as it is. ``exit_code`` is
    the command's, by kind of failure."""

    exit_code = 1


class RequestError(ModelpackError):
    """A setting of the request cannot be used."""

    exit_code = 1


class WorkerError(ModelpackError):
    """The process that ran the model's code ended early or exceeded its time limit."""

    exit_code = 1


class SourceError(ModelpackError):
    """The model file cannot be read as a model that this release supports."""

    exit_code = 3


class UntrustedTypesError(SourceError):
    """A skops file holds types that are not trusted; ``types`` are their qualified names."""

    def __init__(self, message: str, types: tuple[str, ...]) -> None:
        super().__init__(message)
        self.types = types


class ExtraMissingError(SourceError):
    """The model's framework is not installed; ``extra`` of serinus installs it."""

    def __init__(self, message: str, extra: str) -> None:
        super().__init__(message)
        self.extra = extra


class VersionSkewError(SourceError):
    """The model was saved by framework version ``saved``; version ``installed`` is installed."""

    def __init__(self, message: str, saved: str, installed: str) -> None:
        super().__init__(message)
        self.saved = saved
        self.installed = installed


class IsolationError(SourceError):
    """An environment with the model's own versions cannot be created, or its Python ended unexpectedly."""


class SampleError(ModelpackError):
    """The sample cannot be read, or does not fit the model."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Attempt:
    """One conversion of an estimator in one precision: its ``step`` (names joined by " > "; empty: the model
    itself), its class, and the ``failure``, empty where it succeeded."""

    step: str
    estimator: str
    precision: str
    failure: str


class ConversionError(ModelpackError):
    """The model cannot be converted; ``estimator`` names the part that prevents it, where that is known, and
    ``attempts`` are the conversions of its parts up to there."""

    exit_code = 5

    def __init__(self, message: str, estimator: str | None = None, attempts: tuple[Attempt, ...] = ()) -> None:
        super().__init__(message)
        self.estimator = estimator
        self.attempts = attempts


class PrecisionError(ModelpackError):
    """The requested ``precision`` does not apply or is out of tolerance."""

    exit_code = 6

    def __init__(self, message: str, precision: str) -> None:
        super().__init__(message)
        self.precision = precision


class ParityError(ModelpackError):
    """The graph disagrees with the source model; ``agreement`` holds the figures."""

    exit_code = 6

    def __init__(self, message: str, agreement: "Agreement") -> None:
        super().__init__(message)
        self.agreement = agreement


class HoldoutError(ModelpackError):
    """The bundle's ``metric`` on labelled rows is worse than the source's by too much."""

    exit_code = 6

    def __init__(self, message: str, metric: str) -> None:
        super().__init__(message)
        self.metric = metric


class AcceptanceError(ModelpackError):
    """An answer is not as the acceptance test requires; ``violations`` are sentences."""

    exit_code = 6

    def __init__(self, message: str, violations: tuple[str, ...]) -> None:
        super().__init__(message)
        self.violations = violations


class ExplanationError(ModelpackError):
    """Predictions of the model cannot be explained."""

    exit_code = 6


class LayerError(ModelpackError):
    """A layer cannot be built."""

    exit_code = 7


class ResolveError(LayerError):
    """The packages of a layer could not be installed for the target platform."""


class LayerLimitError(LayerError):
    """A zip of ``size_bytes`` exceeds AWS Lambda's limit of ``limit_bytes``."""

    def __init__(self, message: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(message)
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
