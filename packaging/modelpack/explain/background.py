"""The rows that explanations compare with, and the check that the bundle's golden rows can be explained by them.

A bundle has them where the project's settings switch explanations on for its model. They travel to the function,
so that they are drawn as the golden set's are: nobody's row is shipped unless rows of the sample were chosen
there.
"""

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.bundle import Golden, Manifest
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.explained import explained_output
from serinus.lambda_handlers.inference.explaining import Explainer, ExplainRequest
from serinus.modelpack.errors import ExplanationError, RequestError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.robustness.serving_check import as_requested, open_scorer, serve

SETTINGS = "serinus.toml"
#: Of the background. Each takes two pairs of permutations of a row that is explained.
ROWS = 64
#: Fewer background rows say too little of what the model returns usually.
LEAST_ROWS = 8
#: Base and values must sum to the output within this share of it; they differ by rounding alone.
TOLERANCE = 1e-9
_LONGEST_MS = 60_000


def is_requested(project: Path, name: str) -> bool:
    """Whether a table of the project's settings switches explanations on for an endpoint that may serve model
    ``name``, in any environment. Raises `RequestError` for settings that are no TOML."""
    path = project / SETTINGS
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} cannot be read as TOML: {error}. Correct it, then package again.") from error
    environments = settings.get("env", {})
    scopes = [settings, *(environments.values() if isinstance(environments, dict) else ())]
    serving = _serving(settings, name)
    return any("explanations" in table for scope in scopes for table in _tables(scope, serving))


def _serving(settings: dict[str, Any], name: str) -> set[str]:
    """The endpoints that serve model ``name``; one of its name is added where there is none."""
    endpoints = settings.get("endpoint", {})
    if not isinstance(endpoints, dict):
        return set()
    serving = {
        endpoint
        for endpoint, table in endpoints.items()
        if isinstance(table, dict) and table.get("model", endpoint) == name
    }
    return serving if name in endpoints else serving | {name}


def _tables(scope: Any, serving: set[str]) -> Iterator[dict[str, Any]]:
    if not isinstance(scope, dict):
        return
    endpoints = scope.get("endpoint", {})
    tables = [endpoints.get(endpoint) for endpoint in serving] if isinstance(endpoints, dict) else []
    yield from (table for table in (scope.get("defaults"), *tables) if isinstance(table, dict))


def choose_background(rows: pd.DataFrame, manifest: Manifest, runner: Runner) -> list[list[Any]]:
    """At most `ROWS` of ``rows``, evenly, as requests hold them, in signature order; none that the endpoint
    rejects. Raises `ExplanationError` for a model that cannot be explained."""
    signature = manifest.signature
    try:
        explained_output(signature)
    except ContractError as error:
        raise ExplanationError(
            f"predictions of {manifest.name} cannot be explained: {error}. Remove its table `explanations` from "
            f"{SETTINGS}."
        ) from error
    picked = np.unique(np.linspace(0, len(rows) - 1, num=ROWS).astype(int))
    requested = as_requested(rows.iloc[picked], {feature.name: feature.dtype for feature in signature.features})
    statuses = serve(manifest, runner, requested).statuses
    kept = [row for row, status in zip(requested, statuses, strict=True) if status == 200]
    if len(kept) < LEAST_ROWS:
        raise ExplanationError(
            f"predictions of {manifest.name} cannot be explained: the endpoint accepts {len(kept)} of "
            f"{len(requested)} rows to compare with, and {LEAST_ROWS} are needed. Package with a larger sample, "
            f"or remove the table `explanations` from {SETTINGS}."
        )
    return [[row[feature.name] for feature in signature.features] for row in kept]


def check_explanations(
    manifest: Manifest, runner: Runner, background: list[list[Any]], golden: Golden, *, rows: int = 32
) -> float:
    """Explain golden rows as the function will; milliseconds a row, the median. Raises `ExplanationError` where
    base and values do not sum to the output."""
    scorer = open_scorer(manifest, runner, max_rows=1)
    explainer = Explainer(scorer, background)
    times_ms = []
    for number, row in enumerate(scorer.convert(golden.rows[:rows])):
        began = time.perf_counter()
        answer = explainer.explain(ExplainRequest([row], None, None), _LONGEST_MS)
        times_ms.append((time.perf_counter() - began) * 1000)
        (explanation,) = answer["explanations"]
        output = explanation[answer["explains"]]
        total = explanation["base"] + sum(explanation["values"])
        if not abs(total - output) <= TOLERANCE * max(1.0, abs(output)):
            raise ExplanationError(
                f"predictions of {manifest.name} cannot be explained: for golden row {number} base and values sum "
                f"to {total:g}, and the output is {output:g}. Remove the table `explanations` from {SETTINGS}."
            )
    return float(np.median(times_ms))
