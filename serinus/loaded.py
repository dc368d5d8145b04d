"""A bundle opened in this process: predictions by the code that serves them on Lambda, without a cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from serinus.infra.names import DEFAULT_ENVIRONMENT
from serinus.infra.release import pinned_bundle
from serinus.lambda_handlers.contract.bundle import MANIFEST, Manifest, verify
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.problems import Problem
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import MEGABYTES_PER_CPU, open_model

#: The function version that answers name, which no function of Lambda has.
_VERSION = "local"


class RequestRejected(ValueError):
    """The endpoint would reject these rows; ``problem`` is the document that it would answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(" ".join([*(f"{error.summary()}." for error in problem.errors), problem.detail]))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A bundle that predicts; `load` opens one. ``manifest`` holds its name, version and signature."""

    manifest: Manifest
    _scorer: Scorer

    def predict(self, rows: Sequence[Mapping[str, Any] | Sequence[Any]]) -> dict[str, Any]:
        """What `POST /predict` answers for ``rows``: objects by feature name, or arrays in the signature's order.

        Raises `RequestRejected` for rows that the endpoint would reject, and TypeError for what is not JSON.
        """
        answer = self._scorer.predict(msgspec.json.encode({"rows": list(rows)}), None)
        if answer.status != 200:
            raise RequestRejected(msgspec.json.decode(answer.body, type=Problem))
        content: dict[str, Any] = msgspec.json.decode(answer.body)
        return content


def load(model: str | Path, *, project: str | Path = ".", environment: str = DEFAULT_ENVIRONMENT) -> LoadedModel:
    """Open a bundle: ``model`` is its folder, or the name of a model that ``project``'s lock pins for
    ``environment``.

    The bundle's hash is checked first. Rows and bytes are limited as on an endpoint with default settings.
    Raises `ContractError` for a folder that is not an unchanged bundle, `ReleaseError` where nothing is pinned.
    """
    folder = Path(model)
    if not (folder / MANIFEST).is_file() and isinstance(model, str) and folder.name == model:
        folder = pinned_bundle(Path(project), environment, model)
    verify(folder)
    opened = open_model(folder, memory_mb=MEGABYTES_PER_CPU)
    return LoadedModel(opened.manifest, Scorer(opened, Limits(), _VERSION))
