"""The request to `package`, and its result."""

import math
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from serinus.lambda_handlers.contract.agreement import Agreement
from serinus.lambda_handlers.contract.build import LARGEST_UNZIPPED_BYTES
from serinus.lambda_handlers.contract.lock import NAME
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack import request_fields as fields
from serinus.modelpack.errors import RequestError
from serinus.modelpack.label_verdict import LabelVerdict
from serinus.modelpack.measurements import Measurement
from serinus.modelpack.robustness.report import Robustness

#: Valid values of ``precision``; `auto` applies the rule of `precision.choose_precision`.
PRECISIONS = ("auto", "float32", "float16", "int8", "int8-dynamic", "int8-static", "int4")
#: Valid values of ``golden``: rows that are drawn within the sample's columns, or rows of the sample.
GOLDEN_ROWS = ("synthetic", "sample")
_PATHS = ("source", "sample", "project", "requirements", "holdout", "traffic", "acceptance")
_FIELDS: dict[str, fields.FieldCheck] = {
    "source": fields.path("the path of a saved model or of an MLflow model's folder"),
    "name": fields.text,
    "sample": fields.optional(fields.path("the path of a .csv or .parquet file")),
    "project": fields.path("the path of the project's folder"),
    "environment": fields.text,
    "tolerance": fields.tolerance,
    "trust": fields.texts,
    "drop": fields.texts,
    "target": fields.optional(fields.text),
    "allow_version_skew": fields.flag,
    "requirements": fields.optional(fields.path("the path of a pip requirements file")),
    "precision": fields.text,
    "holdout": fields.optional(fields.path("the path of a .csv or .parquet file")),
    "traffic": fields.optional(fields.path("the path of a .csv or .parquet file")),
    "acceptance": fields.optional(fields.path("the path of a .csv or .parquet file")),
    "max_loss": fields.number,
    "dry_run": fields.flag,
    "factory": fields.optional(fields.text),
    "allow_fragile": fields.flag,
    "largest_unzipped_bytes": fields.whole,
    "candidate": fields.flag,
    "golden": fields.text,
}
_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """A trained model in file ``source``, to become bundle ``name`` of ``project``, pinned for ``environment``.

    ``sample`` is a CSV or Parquet file of rows like the training data's, under the names used in training (None:
    the input example of an MLflow model); ``drop`` names columns of it to leave out, ``target`` the label's.
    ``trust`` names types that a skops file may hold. ``requirements`` is a pip requirements file with the versions
    that the model was trained with, where its own file lacks them; ``allow_version_skew`` lets the installed
    versions load a model of another minor release of its framework, with a notice.
    ``precision`` is one of `PRECISIONS`. ``holdout`` is a labelled table like the sample, with column
    ``target``, on which the bundle's own metrics may be worse than the source's by ``max_loss`` at most.
    ``traffic`` is a table of rows as live requests hold them, with which later traffic is compared.
    ``acceptance`` is a table of rows with required answers; None: acceptance.csv of the project, if it exists.
    ``allow_fragile`` accepts a bundle that differs from its source on edge-case inputs.
    ``dry_run`` writes nothing; ``candidate`` writes the bundle and pins nothing.
    ``golden`` is one of `GOLDEN_ROWS`, the golden set's.
    ``factory`` (`module:function`) returns the PyTorch module for weights.
    ``largest_unzipped_bytes`` is Lambda's limit for a function with its layers.

    Paths may be str, ``trust`` and ``drop`` lists. Raises TypeError for a field of another type, `RequestError`
    for an empty path. Errors name a field by its option of `serinus package`: ``max_loss`` is --max-loss.
    """

    source: Path
    name: str
    sample: Path | None
    project: Path
    environment: str = "dev"
    tolerance: Tolerance = field(default_factory=Tolerance)
    trust: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    target: str | None = None
    allow_version_skew: bool = False
    requirements: Path | None = None
    precision: str = "auto"
    holdout: Path | None = None
    traffic: Path | None = None
    acceptance: Path | None = None
    max_loss: float = 0.01
    dry_run: bool = False
    factory: str | None = None
    allow_fragile: bool = False
    largest_unzipped_bytes: int = LARGEST_UNZIPPED_BYTES
    candidate: bool = False
    golden: str = "synthetic"

    def __post_init__(self) -> None:
        for name, check in _FIELDS.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))

    def to_json(self) -> dict[str, Any]:
        """Plain data; paths as text."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()} | {
            "tolerance": self.tolerance.to_json()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "PackageRequest":
        """Read `to_json`'s data."""
        changed = {name: None if data[name] is None else Path(data[name]) for name in _PATHS}
        tuples = {name: tuple(data[name]) for name in ("trust", "drop")}
        return cls(**data | changed | tuples | {"tolerance": Tolerance.from_json(data["tolerance"])})

    def with_absolute_paths(self) -> "PackageRequest":
        """The same request, independent of the working folder; links are not resolved."""
        paths = {name: path.absolute() for name in _PATHS if (path := getattr(self, name)) is not None}
        return replace(self, **paths)

    def check(self) -> None:
        """Raise `RequestError` when a setting cannot be used."""
        for what, value in (("name", self.name), ("environment", self.environment)):
            if not NAME.fullmatch(value):
                raise RequestError(
                    f"{what} {value!r} is not valid: use at most 40 of a-z, 0-9 and -, beginning with a letter "
                    "and not ending with -. For example: churn-v2"
                )
        if self.precision not in PRECISIONS:
            raise RequestError(f"precision {self.precision!r} is not one of {', '.join(PRECISIONS)}.")
        if self.golden not in GOLDEN_ROWS:
            raise RequestError(f"golden {self.golden!r} is not one of {', '.join(GOLDEN_ROWS)}.")
        if self.requirements is not None and self.allow_version_skew:
            raise RequestError(
                f"requirements {self.requirements} select the model's own versions, and allowing version skew "
                "selects the installed ones. Leave one of them out."
            )
        if self.holdout is not None and self.target is None:
            raise RequestError(f"holdout {self.holdout} requires the name of its label column: --target y")
        if self.factory is not None and not _FACTORY.fullmatch(self.factory):
            raise RequestError(
                f"factory {self.factory!r} is not a module:function. For example: --factory my_model:make"
            )
        if not 0.0 <= self.max_loss < math.inf:
            raise RequestError(
                f"max_loss {self.max_loss:g} is not valid: it must be a finite number of at least 0. "
                "For example: --max-loss 0.01"
            )
        if self.largest_unzipped_bytes < 1:
            raise RequestError(f"largest_unzipped_bytes {self.largest_unzipped_bytes} must be at least 1.")
        self._check_tolerance()

    def _check_tolerance(self) -> None:
        tolerance = self.tolerance
        least = 0.0 if tolerance.cosine is None else tolerance.cosine
        numbers = 0.0 <= tolerance.atol < math.inf and 0.0 <= tolerance.rtol < math.inf
        if not (0.0 <= tolerance.labels <= 1.0 and numbers and -1.0 <= least <= 1.0):
            raise RequestError(
                f"tolerance {tolerance.to_json()} is not valid: labels must be a share from 0 to 1, atol and rtol "
                "finite and at least 0, cosine between -1 and 1."
            )


@dataclass(frozen=True, slots=True)
class PackageResult:
    """The packaged bundle. ``bundle`` is its folder; sizes in bytes; ``seconds`` by stage, and `total`.

    ``precisions`` is the table of `Measurement`; ``holdout`` metrics of `source` and `bundle`.
    ``score`` is the source's accuracy (classifiers) or R² (regressors) on the sample, where a target was named.
    ``environment_of_source`` holds Python and packages of the source's own environment, where it ran in one.
    ``robustness`` counts the outcomes on edge cases. ``advice`` says what labelled rows would allow.
    ``acceptance`` names the requirements of the acceptance test, which it passed; empty without one.
    """

    bundle: Path
    name: str
    version: str
    environment: str
    framework: str
    estimator: str
    precision: str
    source_bytes: int
    graph_bytes: int
    bundle_bytes: int
    parity: Agreement
    seconds: dict[str, float]
    score: float | None
    notices: tuple[str, ...]
    precisions: tuple[Measurement, ...] = ()
    holdout: dict[str, dict[str, float]] | None = None
    environment_of_source: dict[str, Any] | None = None
    robustness: Robustness | None = None
    advice: str = ""
    acceptance: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data; ``bundle`` as text."""
        return asdict(self) | {
            "bundle": str(self.bundle),
            "notices": list(self.notices),
            "parity": self.parity.to_json(),
            "precisions": [line.to_json() for line in self.precisions],
            "robustness": None if self.robustness is None else self.robustness.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "PackageResult":
        """Read `to_json`'s data."""
        robustness = data["robustness"]
        changed = {
            "bundle": Path(data["bundle"]),
            "notices": tuple(data["notices"]),
            "parity": read_agreement(data["parity"]),
            "precisions": tuple(_read_measured(line) for line in data["precisions"]),
            "robustness": None if robustness is None else Robustness.from_json(robustness),
        }
        return cls(**data | changed)


def read_agreement(data: dict[str, Any]) -> Agreement:
    """Read `Agreement.to_json`'s data."""
    return Agreement(**data | {"worst_rows": tuple(data["worst_rows"])})


def _read_measured(data: dict[str, Any]) -> Measurement:
    agreement, verdict = data["agreement"], data["verdict"]
    plain = {name: value for name, value in data.items() if name != "title"}
    read = {
        "agreement": None if agreement is None else read_agreement(agreement),
        "verdict": None if verdict is None else LabelVerdict.from_json(verdict),
    }
    return Measurement(**plain | read)
