"""Sends each probe as a request body to the code that will serve."""

import json
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.signature import Dtype
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import JSON, Scorer
from serinus.lambda_handlers.inference.session import Model, compile_run
from serinus.modelpack.features import request_value
from serinus.modelpack.onnx_run import Runner


@dataclass(frozen=True, slots=True)
class EndpointAnswers:
    """HTTP ``statuses`` by row; ``outputs`` of the rows whose status is 200, in order."""

    statuses: tuple[int, ...]
    outputs: Outputs


def serve(manifest: Manifest, runner: Runner, rows: Sequence[dict[str, Any]]) -> EndpointAnswers:
    """The bundle's endpoint's answers to ``rows``, one a request."""
    names = [output.name for output in manifest.signature.outputs]
    scorer = open_scorer(manifest, runner, max_rows=max(1, len(rows)))
    with _quiet():
        statuses = tuple(scorer.predict(_body(row), JSON).status for row in rows)
    accepted = [row for row, status in zip(rows, statuses, strict=True) if status == 200]
    if not accepted:
        return EndpointAnswers(statuses, {})
    scored = [scorer.score([row]) for row in scorer.validate(accepted)]
    return EndpointAnswers(
        statuses,
        {name: np.concatenate(parts) for name, parts in zip(names, zip(*scored, strict=True), strict=True)},
    )


def open_scorer(manifest: Manifest, runner: Runner, *, max_rows: int) -> Scorer:
    """What the function of the bundle will score with; it has no folder."""
    run = compile_run(runner.session, [output.name for output in manifest.signature.outputs])
    return Scorer(Model(manifest, Path(), run), Limits(max_rows=max_rows), "0")


def as_requested(frame: pd.DataFrame, dtypes: dict[str, Dtype]) -> list[dict[str, Any]]:
    """The rows of ``frame`` as in requests: integers and booleans by the signature, null where missing."""
    columns = {name: [request_value(value, dtypes[name]) for value in frame[name]] for name in frame.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _body(row: dict[str, Any]) -> bytes:
    fields = (f"{json.dumps(name)}: {_literal(value)}" for name, value in row.items())
    return f'{{"rows": [{{{", ".join(fields)}}}]}}'.encode()


def _literal(value: Any) -> str:
    """JSON has no infinity, but numbers that overflow to it."""
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the scorer from logging: here a failing graph is a result, not an incident."""
    logger = logging.getLogger("serinus.lambda_handlers.inference.scoring")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
