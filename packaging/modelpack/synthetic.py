"""Rows drawn from the sample column by column, for a golden set that holds nobody's row.

The golden set is shipped with the bundle and committed to git. Each column of a drawn row is drawn on its own:
numbers lie between two neighbours of the sample's, texts that are no categories are mixed of words that several
rows have. The source predicts the rows as it does the sample's, and the graph must agree.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from serinus.lambda_handlers.contract.signature import Feature
from serinus.modelpack.errors import ParityError, SampleError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected, measure_agreement, parity_error, predict_expected
from serinus.modelpack.robustness.source_oracle import query_source
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

#: Drawn rows, of which the golden set selects; fewer where a row is a tensor.
ROWS, NESTED_ROWS = 200, 40
#: Numbers of at most this many values count as categories: most are codes.
_FEW_VALUES = 20
#: A text or word that fewer rows have may name a person.
_LEAST_ROWS = 2


def draw_expected(
    source: Source,
    sample: Sample,
    features: tuple[Feature, ...],
    runner: Runner,
    tolerance: Any,
    *,
    most_outside: float = 0.0,
) -> Expected:
    """Drawn rows that the source predicts, their variants with missing and unseen values, and its outputs. Raises
    `SampleError` where the source predicts none of them, and `ParityError` where the graph disagrees in more of
    them than ``most_outside``, a share."""
    drawn = draw_rows(source, sample, features)
    answers = query_source(source, drawn, [np.arange(len(drawn), dtype=np.int64)], set())
    if not len(answers.answered):
        raise SampleError(
            "the source model predicts none of the rows that were drawn from the sample's columns: "
            f"{next(iter(answers.refused.values()))}. Take rows of the sample: --golden sample"
        )
    frame = drawn.iloc[answers.answered].reset_index(drop=True)
    expected = predict_expected(source, replace(sample, frame=frame, target=None), features)
    agreement = measure_agreement(expected, runner, tolerance)
    if not agreement.agrees and agreement.rows_out_of_tolerance > most_outside * agreement.rows:
        error = parity_error(expected, runner, agreement, tolerance, getattr(source, "doubt", ""))
        raise ParityError(f"on rows drawn from the sample's columns {error}", agreement)
    return expected


def draw_rows(source: Source, sample: Sample, features: tuple[Feature, ...]) -> pd.DataFrame:
    """Rows drawn column by column, always the same for the same sample."""
    words = source.known_words
    random = np.random.default_rng(0)
    rows = NESTED_ROWS if sample.shapes else ROWS
    return pd.DataFrame({feature.name: _column(feature, sample, rows, random, words) for feature in features})


def _column(
    feature: Feature, sample: Sample, rows: int, random: np.random.Generator, words: tuple[str, ...]
) -> "pd.Series[Any]":
    values = sample.frame[feature.name]
    if feature.shape:
        return _tensors(values, rows, random)
    present = values.dropna()
    missing = random.random(rows) < float(values.isna().mean())
    if feature.dtype == "string":
        drawn: npt.NDArray[Any] = np.array(_texts(feature, present.tolist(), rows, random, words), dtype=object)
        drawn[missing] = np.nan
        return pd.Series(drawn, dtype=object)
    numbers = _numbers(feature, present.to_numpy(dtype=np.float64), rows, random)
    if missing.any():
        return pd.Series(np.where(missing, np.nan, numbers))
    plain = {"bool": np.bool_, "int64": np.int64}.get(feature.dtype, np.float64)
    return pd.Series(numbers.astype(np.float64 if values.dtype.kind == "f" else plain))


def _numbers(
    feature: Feature, present: npt.NDArray[np.float64], rows: int, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Between two neighbours; codes and categories as they are. The extremes, which the signature states anyway,
    are among them."""
    ordered = np.unique(present)
    if feature.dtype == "bool" or feature.categories is not None or len(ordered) <= _FEW_VALUES:
        drawn = random.choice(ordered, rows)
    else:
        drawn = np.interp(random.random(rows) * (len(ordered) - 1), np.arange(len(ordered)), ordered)
        drawn = np.round(drawn, 0 if feature.dtype == "int64" else _decimals(ordered))
    drawn[random.choice(rows, 2, replace=False)] = ordered[0], ordered[-1]
    return np.asarray(drawn)


def _decimals(values: npt.NDArray[np.float64]) -> int:
    """How many decimals the values have, 15 where they have more than a few."""
    return next((places for places in range(7) if (np.round(values, places) == values).all()), 15)


def _texts(
    feature: Feature, present: list[str], rows: int, random: np.random.Generator, words: tuple[str, ...]
) -> list[str]:
    """Categories as they are, and texts that several rows have; other texts mixed of words that several rows
    have."""
    counts = Counter(present)
    common = sorted(value for value, count in counts.items() if count >= _LEAST_ROWS)
    if feature.categories is not None:
        return [str(value) for value in random.choice(np.array(sorted(counts), dtype=object), rows)]
    if sum(counts[value] for value in common) > len(present) / 2:
        return [str(value) for value in random.choice(np.array(common, dtype=object), rows)]
    seen = Counter(word for value in counts for word in set(value.split()))
    pool = np.array(sorted({*(word for word, count in seen.items() if count >= _LEAST_ROWS), *words}) or ["text"])
    lengths = random.choice([max(1, len(value.split())) for value in present], rows)
    return [" ".join(random.choice(pool, length)) for length in lengths]


def _tensors(values: "pd.Series[Any]", rows: int, random: np.random.Generator) -> "pd.Series[Any]":
    """Each place of a tensor from that place of another row."""
    stacked = np.array(values.tolist())
    flat = stacked.reshape(len(stacked), -1)
    chosen = random.integers(len(flat), size=(rows, flat.shape[1]))
    drawn = np.take_along_axis(flat, chosen, axis=0).reshape(rows, *stacked.shape[1:])
    return pd.Series(drawn.tolist(), dtype=object)
