"""Random requests to a packaged model, valid and not: each is answered as its source predicts, or refused."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from searching.answers import as_rows, compare
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.modelpack.sources.live import LiveModel

#: Rows that each model is asked about, each changed in one column in every way.
_ROWS = 3
#: What is never a request.
_NO_REQUESTS = (
    *(b"", b"{", b"null", b"[]", b"{}", b'{"rows": []}', b'{"rows": 3}', b'{"rows": [3]}', b'{"rows": [null]}'),
    *(b'{"rows": [{}], "more": 1}', b"\xff\xfe{\x00", b"[" * 10_000, b'{"rows": [NaN]}'),
)


def find_mistakes(
    scorer: Scorer, features: tuple[Feature, ...], live: LiveModel, table: pd.DataFrame
) -> Iterator[str]:
    """Requests with a wrong answer, or without a clear refusal, in words. Rows are drawn from ``table``."""
    random = np.random.default_rng(len(table.columns))
    for body in _NO_REQUESTS:
        yield from _expect_refusal(scorer, body, f"the body {body[:20]!r}")
    for index in random.choice(len(table), min(_ROWS, len(table)), replace=False):
        rows = table.iloc[[int(index)]].reset_index(drop=True)
        (row,) = as_rows(rows)
        feature = features[int(random.integers(len(features)))]
        name = feature.name
        yield from _expect_answer(scorer, live, dict(reversed(row.items())), rows, "another order")
        yield from _expect_answer(scorer, live, [row[item.name] for item in features], rows, "values in order")
        for value in _possible(feature):
            changed = rows.copy()
            changed[name] = pd.Series([np.nan if value is None else value], dtype=object)
            if feature.dtype not in ("string", "bool"):
                changed[name] = changed[name].astype(np.float64)
            yield from _expect_answer(scorer, live, {**row, name: value}, changed, f"{value!r} in {name!r}")
        for value in _impossible(feature):
            body = json.dumps({"rows": [{**row, name: value}]}).encode()
            yield from _expect_refusal(scorer, body, f"{value!r} in {name!r}")
        yield from _expect_refusal(scorer, json.dumps({"rows": [{**row, "no such": 1}]}).encode(), "a column more")


def _possible(feature: Feature) -> list[Any]:
    """Values that a model may answer or refuse."""
    if feature.dtype == "string":
        return [None, "", "(never seen)", "ÜBER \U0001f9ea", "x" * 5000]
    if feature.dtype == "bool":
        return [None]
    return [None, 0, -1, 3.0, 1e308, -1e30, 2**53 + 1]


def _impossible(feature: Feature) -> list[Any]:
    common: list[Any] = [[1], {"a": 1}, []]
    return [*common, 3, 1.5, True] if feature.dtype == "string" else [*common, "many", "1", "NaN"]


def _expect_answer(scorer: Scorer, live: LiveModel, row: Any, rows: pd.DataFrame, what: str) -> Iterator[str]:
    response = scorer.predict(json.dumps({"rows": [row]}).encode(), None)
    if response.status != 200:
        yield from _unclear(response.status, response.body, what)
        return
    try:
        expected = live.source.predict(rows)
    except Exception as error:  # noqa: BLE001 - the source's own refusal
        yield f"{what}: answered, where the source raises {type(error).__name__}"
        return
    if any(values.dtype.kind == "f" and not np.isfinite(values).all() for values in expected.values()):
        return
    for difference in compare(expected, json.loads(response.body), Tolerance(), is_sample=False):
        yield f"{what}: {difference.text}"


def _expect_refusal(scorer: Scorer, body: bytes, what: str) -> Iterator[str]:
    response = scorer.predict(body, None)
    if response.status == 200:
        yield f"{what}: answered"
    else:
        yield from _unclear(response.status, response.body, what)


def _unclear(status: int, body: bytes, what: str) -> Iterator[str]:
    """A refusal that is no client's error, or says nothing."""
    if not 400 <= status < 500 or not json.loads(body).get("detail"):
        yield f"{what}: status {status} {body[:80]!r}"
