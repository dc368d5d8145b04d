"""The values that are tried: each in one feature of a complete row of the sample, some in all features at once.

Deterministic, so that equal inputs give equal bundles.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.signature import Feature
from serinus.modelpack.sample import Sample

ProbeKind = Literal[
    "missing value",
    "unseen category",
    "empty string",
    "spaces around a string",
    "very long string",
    "non-ASCII string",
    "capital letters",
    "control characters",
    "tiny number",
    "number beyond the sample",
    "date as a number",
    "very large integer",
    "huge number",
    "number beyond float32",
    "infinite number",
    "extremes in all features",
]

#: Wide models are probed in this many features, evenly spaced; the others get the narrowest of their bounds.
MOST_FEATURES = 24
#: Rows of the sample that probes start from.
_BASES = 8

FLOAT32_MAX = float(np.finfo(np.float32).max)
FLOAT64_MAX = float(np.finfo(np.float64).max)
#: Magnitudes beyond any sample, ascending: where formats of numbers end, and the same day as a number of seconds,
#: milliseconds and nanoseconds.
_FAR: tuple[tuple[ProbeKind, int | float], ...] = (
    ("very large integer", 2**24 + 1),
    ("date as a number", 1_764_288_123),
    ("very large integer", 2**31 - 1),
    ("date as a number", 1_764_288_123_456),
    ("very large integer", 2**53),
    ("very large integer", 2**53 + 1),
    ("date as a number", 1_764_288_123_456_789_123),
    ("very large integer", 2**63 - 1),
    ("huge number", 1e30),
    ("huge number", FLOAT32_MAX),
    ("number beyond float32", 1e39),
    ("number beyond float32", 1e100),
    ("number beyond float32", FLOAT64_MAX),
)
#: Beyond this, a value that the source refuses in one feature counts as refused in all: nobody sends it.
SURELY_FAR = 1e30
#: Of several scripts; one that becomes two characters in lower case, a final sigma, and one between the cases.
_CAPITALS = "ÜBER ŁÓDŹ ОТЕЛЬ İZMİR ΟΔΟΣ STRAẞE ǅUNGLA"
_TINY = (5e-324, -1e-310, 1e-40, -0.0)


@dataclass(frozen=True, slots=True)
class Probe:
    """``value`` in ``feature``. ``sign`` is 0 where bundle and source must agree; else the direction in which
    ``value`` is a step outward, where agreement may end and the signature's bound begin."""

    kind: ProbeKind
    feature: str
    value: Any
    sign: Literal[-1, 0, 1] = 0


def complete_rows(sample: Sample) -> pd.DataFrame:
    """Rows without a missing value, evenly spaced; filled ones where none is complete."""
    complete = sample.frame.dropna()
    if not len(complete):
        complete = sample.frame.bfill().ffill()
    indices = np.unique(np.linspace(0, len(complete) - 1, num=_BASES).astype(int))
    rows = complete.iloc[indices].reset_index(drop=True)
    return rows.astype({name: np.int64 for name in sample.numbers if sample.dtypes[name] == "int64"})


def select_features(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    """The single-valued features that are probed, in order."""
    single = [feature for feature in features if not feature.shape]
    indices = np.unique(np.linspace(0, len(single) - 1, num=min(MOST_FEATURES, len(single))).astype(int))
    return tuple(single[index] for index in indices) if single else ()


def list_probes(features: tuple[Feature, ...], words: tuple[str, ...] = ()) -> tuple[Probe, ...]:
    """Probes of ``features`` that the signature accepts unless it gets a bound; numbers go outward. Strings are
    also tried with ``words`` that the model knows."""
    return tuple(probe for feature in features for probe in _probes(feature, words))


def _probes(feature: Feature, words: tuple[str, ...]) -> Iterator[Probe]:
    if feature.unseen == "refused" and feature.categories is not None:
        return
    if feature.dtype == "string":
        yield from _strings(feature)
        yield from _capitals(feature, words)
    elif feature.dtype == "float64" and (feature.minimum or 0.0) <= 0.0 <= (feature.maximum or 0.0):
        yield from (Probe("tiny number", feature.name, value) for value in _TINY)
    if feature.dtype in ("float64", "int64"):
        for sign in (-1, 1):
            yield from _outward(feature, sign)


def _strings(feature: Feature) -> Iterator[Probe]:
    known = str(feature.example)
    values: tuple[tuple[ProbeKind, str], ...] = (
        ("empty string", ""),
        ("spaces around a string", f" {known}"),
        ("spaces around a string", f"{known}\t\n"),
        ("spaces around a string", "   "),
        ("very long string", f"{known} " * 2000),
        ("very long string", "x" * 20_000),
        ("non-ASCII string", f"{known} Zürich Łódź 東京 ſtraße İ"),
        ("non-ASCII string", "e\u0301\u200d🧪"),
        ("control characters", f"{known}\u0000"),
        ("control characters", f"\u0001\u007f{known}\u0085"),
    )
    return (Probe(kind, feature.name, value) for kind, value in values)


def _capitals(feature: Feature, words: tuple[str, ...]) -> Iterator[Probe]:
    """Capitals of every script and those with lower-casing rules of their own; and the model's words inside longer
    ones, which no rule for ASCII separates."""
    known, joined = str(feature.example), " ".join(words)
    texts = [text for text in (known, joined) if text]
    capitals = [variant for text in texts for variant in (text.upper(), text.title(), text.swapcase())]
    for value in dict.fromkeys([*capitals, _CAPITALS, f"{known} {_CAPITALS}"]):
        yield Probe("capital letters", feature.name, value)
    if words:
        yield Probe("non-ASCII string", feature.name, " ".join(f"ö{word} {word}ш" for word in words))


def near_magnitude(feature: Feature) -> float:
    """The power of ten from twice to twenty times the sample's largest magnitude: up to ten times that, bundle and
    source must agree."""
    largest = max(abs(feature.minimum or 0.0), abs(feature.maximum or 0.0)) or 1.0
    return float(10.0 ** math.ceil(math.log10(2.0 * largest))) if largest < FLOAT64_MAX / 200 else largest


def _outward(feature: Feature, sign: Literal[-1, 1]) -> Iterator[Probe]:
    """Steps from the sample's end of the feature, ascending in magnitude once past zero."""
    whole = feature.dtype == "int64"
    end = sign * ((feature.maximum if sign > 0 else feature.minimum) or 0.0)
    steps: list[tuple[ProbeKind, int | float]] = []
    if end < 0:  # the sample lies on the other side of zero
        if not whole:
            steps += [("number beyond the sample", -(10.0 ** math.floor(math.log10(-end))))]
            steps += [("tiny number", -1e-40), ("tiny number", -1e-310)]
        steps += [("number beyond the sample", 0)]
    first = near_magnitude(feature)
    bound = feature.highest if sign > 0 else feature.lowest
    steps += [("number beyond the sample", size) for size in (first, 10.0 * first) if math.isfinite(size)]
    steps += [(kind, size) for kind, size in _FAR if size > 10.0 * first]
    for kind, size in steps:
        if bound is not None and size > sign * bound:
            continue  # the signature refuses it
        if size > end and not (whole and size > 2**63 - 1):
            yield Probe(kind, feature.name, sign * (int(size) if whole else float(size)), sign)


def build_frame(probes: tuple[Probe, ...], rows: pd.DataFrame) -> pd.DataFrame:
    """One row a probe: a row of ``rows``, in turn, with the probe's value."""
    frame = rows.iloc[np.arange(len(probes)) % len(rows)].reset_index(drop=True)
    columns = {name: frame[name].to_numpy(copy=True) for name in frame.columns}
    for row, probe in enumerate(probes):
        columns[probe.feature][row] = probe.value
    return pd.DataFrame(columns)


def far_magnitudes() -> list[float]:
    """Magnitudes beyond any sample, ascending."""
    return [float(size) for _, size in _FAR]
