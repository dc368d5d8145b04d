"""A bundle opened in this process: predictions by the code that serves them on Lambda, without a cloud."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from serinus.infra.errors import ReleaseError
from serinus.infra.names import DEFAULT_ENVIRONMENT
from serinus.infra.release import is_pinned, pinned_bundle
from serinus.lambda_handlers.contract.bundle import MANIFEST, Manifest, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK
from serinus.lambda_handlers.contract.signature import Signature
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.problems import Problem
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import MEGABYTES_PER_CPU, open_model
from serinus.rows import encode_rows

if TYPE_CHECKING:
    from pandas import DataFrame

#: The function version that answers name, which no function of Lambda has.
_VERSION = "local"
#: The next step in Python, by the type of a problem whose own is for callers over HTTP.
_NEXT_STEP = {
    "urn:serinus:invalid-request": "`model.signature` shows what this model takes; None and NaN are null.",
    "urn:serinus:too-many-rows": "Predict in parts.",
    "urn:serinus:body-too-large": "Predict fewer rows at once.",
    "urn:serinus:answer-too-large": "Predict fewer rows at once.",
    "urn:serinus:internal-error": "The log holds the error.",
}


class RequestRejected(ValueError):
    """The endpoint rejects these rows, or would; ``problem`` is the document that it answers."""

    def __init__(self, problem: Problem, *, over_http: bool = False) -> None:
        faults = [f"{error.summary()}." for error in problem.errors]
        detail = problem.detail
        if problem.type in _NEXT_STEP and not over_http:
            detail = f"{detail.split('. ')[0].rstrip('.')}. {_NEXT_STEP[problem.type]}"
        super().__init__(" ".join([*faults, detail]))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A bundle that predicts; `load` opens one. ``manifest`` holds its name, version and signature."""

    manifest: Manifest
    _scorer: Scorer

    @property
    def signature(self) -> Signature:
        """What a row holds (``features``: names, types, accepted values) and what is predicted (``outputs``)."""
        return self.manifest.signature

    def predict(self, rows: "Sequence[Mapping[str, Any] | Sequence[Any]] | DataFrame") -> dict[str, Any]:
        """What `POST /predict` answers for ``rows``: dicts by feature name, or lists in the signature's order.

        A pandas DataFrame gives its columns by name, without its index; a NumPy array is [rows, features] in the
        signature's order. None and NaN are missing values. NumPy's scalars are numbers.

        Raises `RequestRejected` for rows that the endpoint would reject, and TypeError for values of other types.
        """
        answer = self._scorer.predict(encode_rows(rows, self.signature.feature_names()), None)
        if answer.status != 200:
            raise RequestRejected(msgspec.json.decode(answer.body, type=Problem))
        content: dict[str, Any] = msgspec.json.decode(answer.body)
        return content


def load(model: str | Path, *, project: str | Path = ".", environment: str = DEFAULT_ENVIRONMENT) -> LoadedModel:
    """Open a bundle: ``model`` is its folder, or the name of a model that ``project``'s lock pins for
    ``environment``.

    The bundle's hash is checked first. Rows and bytes are limited as on an endpoint with default settings.
    Raises `ContractError` for a folder that is not an unchanged bundle, `ReleaseError` where nothing is pinned,
    and TypeError for arguments of other types.
    """
    for name, value in (("model", model), ("project", project), ("environment", environment)):
        if not isinstance(value, str if name == "environment" else str | os.PathLike):
            kind = "None" if value is None else f"of type {type(value).__name__}"
            raise TypeError(f"{name} is {kind}; it must be {_ACCEPTED[name]}.")
    folder = _folder(model, Path(project), environment)
    verify(folder)
    opened = open_model(folder, memory_mb=MEGABYTES_PER_CPU)
    return LoadedModel(opened.manifest, Scorer(opened, Limits(), _VERSION))


_ACCEPTED = {
    "model": "the name of a packaged model, or its bundle's folder as a str or Path",
    "project": "the project's folder as a str or Path",
    "environment": "the name of an environment, such as 'dev'",
}


def _folder(model: str | Path, project: Path, environment: str) -> Path:
    """The bundle's folder, that ``model`` names or is; raises `ReleaseError` or `ContractError`."""
    folder = Path(model)
    if not os.fspath(model) or "\0" in os.fspath(model):
        raise ContractError(f"model is {model!r}; it must be {_ACCEPTED['model']}.")
    if (folder / MANIFEST).is_file():
        return folder
    if folder.is_file():
        raise ContractError(
            f"{folder} is a file, not a bundle. Package it first: serinus.package(serinus.PackageRequest("
            f"{str(folder)!r}, name=..., sample=..., project=...))"
        )
    name = model if isinstance(model, str) and folder.name == model else None
    if folder.is_dir() and not (name and is_pinned(project, environment, name)):
        raise ContractError(
            f"{folder} is not a bundle: {MANIFEST} is missing. Name a folder such as bundles/NAME/VERSION, or "
            "load a pinned model by its name."
        )
    if name is None:
        raise ContractError(f"there is no folder {folder}. Name the folder of a bundle, or a pinned model.")
    if not (project / LOCK).is_file():
        raise ReleaseError(
            f"{project.resolve()} holds no {LOCK}, which would say which bundle of {name} to load. Name the "
            "project's folder with project=..., or package the model first."
        )
    return pinned_bundle(project, environment, name)
