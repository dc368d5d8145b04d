"""Chooses the columns that the endpoint counts, and the reference that live traffic is compared with.

The reference of inputs is the sample. That of predictions is the holdout: on rows that it was trained on, a model
is surer than on new ones, which would be drift from the first day. Rows of live traffic serve both.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.counting import Source, compile_counter, sources_of, values_of
from serinus.lambda_handlers.contract.monitored import Band, Column, Monitored
from serinus.lambda_handlers.contract.signature import Feature, Signature
from serinus.modelpack import bands
from serinus.modelpack.constraints import TOP_CATEGORIES, apply_edited, limits_of
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import Sample

#: Texts with more distinct values, or nearly as many as rows, are no categories: most would be new each day.
MOST_CATEGORIES = 1000
LARGEST_DISTINCT_SHARE = 0.5
#: More columns would make references and reports larger than AWS hands over.
MOST_COLUMNS = 500
#: Wider values of a row are no column that a person watches.
MOST_VALUES = 16
#: A value that so large a share of rows have gets a bin of its own.
POINT_OF_MASS = 0.05
#: With fewer rows, a drift of a quarter of a standard deviation in one feature is not seen, or only after days.
FEWEST_ROWS = 5000
#: Names of the rows that may be the reference.
SAMPLE, HOLDOUT, TRAFFIC = "sample", "holdout", "traffic"

Arrays = dict[str, npt.NDArray[Any]]


class Rows(NamedTuple):
    """The same rows as the graph's inputs and as its outputs, by name; ``name`` says which rows they are."""

    name: str
    feeds: Arrays
    outputs: Arrays


def choose_columns(
    signature: Signature,
    sample: Rows,
    holdout: Rows | None,
    traffic: Rows | None,
    edited: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Monitored:
    """The watched columns with their bands: of inputs from ``traffic`` or else ``sample``, of outputs from
    ``traffic`` or else ``holdout``. Where there is neither, outputs are counted and not tested. ``edited``
    constraints by column decide which values are counted as outside the range, or as unseen."""
    inputs, tested_outputs = traffic or sample, traffic or holdout
    outputs = tested_outputs or sample
    unwatched: dict[str, str] = {}
    columns: list[Column] = []
    for source in sources_of(signature).values():
        rows = inputs if source.role == "input" else outputs
        column = _column(signature, source, rows)
        if len(columns) >= MOST_COLUMNS and source.role == "input":
            unwatched[source.name] = f"only the first {MOST_COLUMNS} columns are watched"
        elif isinstance(column, str):
            unwatched[source.name] = column
        elif source.role == "input":
            written = edited.get(source.name, {})
            applied = apply_edited(column, written)
            columns.append(applied._replace(limits=limits_of(applied, written)))
        else:
            columns.append(column)
    counted = _with_counts(signature, columns, inputs, outputs)
    if tested_outputs is None:
        unwatched |= {
            column.name: "counted and not tested: the sample may be the training data. Pass --holdout or --traffic"
            for column in columns
            if column.role == "output"
        }
    tested = [column.role == "input" or tested_outputs is not None for column in counted]
    apart = tested_outputs is not None and tested_outputs is not inputs
    return Monitored(
        f"{inputs.name}; predictions: {outputs.name}" if apart else inputs.name,
        tuple(_with_bands(counted, tested, inputs, outputs, signature)),
        unwatched,
    )


def _column(signature: Signature, source: Source, rows: Rows) -> Column | str:
    """The column of ``source`` without counts, or the reason not to watch it."""
    arrays = rows.feeds if source.role == "input" else rows.outputs
    values = values_of(source, arrays)
    per_row = len(values) // len(arrays[source.tensor])
    if per_row > MOST_VALUES:
        return f"a row has {per_row} values, more than {MOST_VALUES}"
    shape = Column(source.name, source.role, "number", per_row, 0, ())
    label = next((output for output in signature.outputs if output.name == source.name), None)
    if source.role == "output" and label is not None and label.role == "label" and signature.classes:
        return shape._replace(kind="category", categories=tuple(signature.classes[:TOP_CATEGORIES]),
                              rest=tuple(signature.classes[TOP_CATEGORIES:]))  # fmt: skip
    feature = next((item for item in signature.features if item.name == source.name), None)
    if values.dtype.kind not in "fiu" or (source.role == "input" and feature and _is_categorical(feature)):
        return _category_column(shape, source, values, feature)
    return _number_column(shape, values.astype(np.float64))


def _is_categorical(feature: Feature) -> bool:
    return feature.categories is not None or feature.dtype == "bool"


def _category_column(shape: Column, source: Source, values: Any, feature: Feature | None) -> Column | str:
    found = Counter(value for value in values.tolist() if value == value and value != source.missing)
    if len(found) > MOST_CATEGORIES or len(found) > max(2, LARGEST_DISTINCT_SHARE * len(values)):
        return f"it has {len(found)} distinct values in {len(values)}: most would be new each day"
    ranked = sorted(found, key=lambda value: (-found[value], str(value)))
    encoded = [value for value in (feature.categories or () if feature else ()) if value not in found]
    return shape._replace(
        kind="category",
        categories=tuple(ranked[:TOP_CATEGORIES]),
        rest=(*ranked[TOP_CATEGORIES:], *encoded[:MOST_CATEGORIES]),
    )


def _number_column(shape: Column, values: npt.NDArray[np.float64]) -> Column:
    present = values[np.isfinite(values)]
    if not present.size:
        return shape
    return shape._replace(
        edges=tuple(edges_of(values)), minimum=float(present.min()), maximum=float(present.max())
    )


def edges_of(values: npt.NDArray[np.float64]) -> list[float]:
    """The distinct deciles of numbers, NaN where missing, and below each that is a point of mass a further edge,
    so that the point has a bin of its own. A share at most the largest value would always be 1, so it is no
    edge."""
    ordered = np.sort(values)
    deciles = np.unique(ordered[bands.decile_ranks(len(values)) - 1])
    present = ordered[np.isfinite(ordered)]
    edges = set()
    for decile in deciles[np.isfinite(deciles)]:
        if np.mean(values == decile) >= POINT_OF_MASS and decile > present[0]:
            edges.add(float(np.nextafter(decile, -np.inf)))
        if decile < present[-1]:
            edges.add(float(decile))
    return sorted(edges)


def _with_counts(signature: Signature, columns: Sequence[Column], inputs: Rows, outputs: Rows) -> list[Column]:
    """``columns`` with what the endpoint would count of these rows."""
    uncounted = Monitored("", tuple(columns), {})
    count = compile_counter(signature, uncounted)
    by_role = {"input": count(inputs.feeds, inputs.outputs)}
    by_role["output"] = by_role["input"] if outputs is inputs else count(outputs.feeds, outputs.outputs)
    lengths = {"input": _length(inputs), "output": _length(outputs)}
    return [
        column._replace(
            total=lengths[column.role] * column.values,
            counts=tuple(by_role[column.role][start : start + column.streams].tolist()),
        )
        for column, start in uncounted.starts()
    ]


def _length(rows: Rows) -> int:
    return len(next(iter(rows.feeds.values())))


def _with_bands(
    columns: Sequence[Column], tested: Sequence[bool], inputs: Rows, outputs: Rows, signature: Signature
) -> list[Column]:
    level = bands.level_of(sum(column.shares for column, test in zip(columns, tested, strict=True) if test) or 1)
    sources = sources_of(signature)
    measured = []
    for column, test in zip(columns, tested, strict=True):
        arrays = inputs.feeds if column.role == "input" else outputs.outputs
        source = sources[column.role, column.name]
        found = _bands_of(column, source, values_of(source, arrays), level) if test else ()
        measured.append(column._replace(bands=found))
    return measured


def _bands_of(column: Column, source: Source, values: npt.NDArray[Any], level: float) -> tuple[Band, ...]:
    """One band for each stream, and for the mean rank. A category that the reference has is never unseen in it, so
    how many are is estimated from half of its rows."""
    if column.kind == "number":
        return _band_pairs(column, level, None)
    later = bands.unseen_band(*_unseen_later(source, values), level)
    return _band_pairs(column, level, later)


def _band_pairs(column: Column, level: float, unseen: bands.Band | None) -> tuple[Band, ...]:
    """The bands of the column's counts. Where a row has several values, they are not independent: its rows are as
    few as the column is wide. Unseen categories that were counted are evidence too."""
    total, counts = column.total // column.values, np.array(column.counts) / column.values
    if column.kind == "category":
        top = len(column.categories)
        counted = bands.share_band(counts[top + 1], total, level, bands.RARE_TOLERANCE)
        others = counted if unseen is None else bands.Band(unseen.low, np.maximum(unseen.high, counted.high))
        others = bands.Band(np.zeros_like(others.high), others.high)
        chosen, rest = bands.category_bands(counts[:top], counts[top + 2], others, total, level)
        missing = bands.share_band(counts[top + 2], total, level, bands.RARE_TOLERANCE)
        parts = [chosen, rest, others, missing]
    else:
        edges, mean_rank = bands.number_bands(counts[: len(column.edges)], total, level)
        outside = bands.share_band(counts[len(column.edges) :], total, level, bands.RARE_TOLERANCE)
        parts = [edges, outside, *([mean_rank] if column.has_mean_rank else [])]
    lows, highs = (
        np.concatenate([np.atleast_1d(getattr(part, end)) for part in parts]) for end in ("low", "high")
    )
    return tuple(zip(lows.tolist(), highs.tolist(), strict=True))


def with_live_counts(monitored: Monitored, reference: str, rows: int, counts: Sequence[int]) -> Monitored:
    """``monitored`` with live ``counts`` of ``rows`` rows, all streams as on a profile line, as its reference;
    ``reference`` describes it. Predictions are tested from now on."""
    level = bands.level_of(sum(column.shares for column in monitored.columns))
    columns = []
    for column, own in monitored.by_column(counts):
        counted = column._replace(counts=tuple(own), total=rows * column.values)
        columns.append(counted._replace(bands=_band_pairs(counted, level, None)))
    names = {column.name for column in columns}
    unwatched = {name: reason for name, reason in monitored.unwatched.items() if name not in names}
    return Monitored(reference, tuple(columns), unwatched)


def _unseen_later(source: Source, values: npt.NDArray[Any]) -> tuple[int, int]:
    """Of the second half of the rows, in random order, how many have a category that the first half lacks."""
    shuffled = [values[index] for index in np.random.default_rng(0).permutation(len(values))]
    first, second = set(shuffled[: len(shuffled) // 2]), shuffled[len(shuffled) // 2 :]
    return sum(value not in first and value != source.missing for value in second), len(second)


def run_rows(name: str, runner: Runner, sample: Sample) -> Rows:
    """The rows of ``sample`` with the outputs of ``runner``."""
    feeds = runner.feeds(sample.frame)
    return Rows(name, feeds, runner.run(feeds))


def describe_doubts(monitored: Monitored, sample: Rows, signature: Signature) -> list[str]:
    """What makes the reference a poor one: too few rows, or a sample unlike the traffic."""
    doubts = []
    lengths = [column.total // column.values for column in monitored.columns if column.bands]
    rows = min(lengths, default=FEWEST_ROWS)
    if rows < FEWEST_ROWS:
        doubts.append(
            f"drift is measured against {rows:,} rows; with fewer than {FEWEST_ROWS:,}, small drift is seen late "
            "or never."
        )
    for column in monitored.columns:
        for limit in column.limits:
            breaking = sum(column.counts[place] for place in limit.streams) / max(column.total, 1)
            if breaking > limit.share:
                doubts.append(
                    f"{breaking:.1%} of the reference break the constraint {limit.name} on {column.name}, which "
                    f"allows {limit.share:.1%}: the monitor will report live values that do."
                )
    if monitored.reference == TRAFFIC:
        unlike = _unlike(monitored, _with_counts(signature, monitored.columns, sample, sample))
        if unlike:
            doubts.append(f"the sample is unlike the traffic, with which drift is compared: {'; '.join(unlike)}.")
    return doubts


def _unlike(monitored: Monitored, counted: Sequence[Column]) -> list[str]:
    """Input columns of which a stream's share in the sample lies outside what the traffic's band and the sample's
    own size leave open, with the stream that differs most."""
    level = bands.level_of(monitored.streams)
    unlike = []
    for column, other in zip(monitored.columns, counted, strict=True):
        if column.role != "input" or not column.bands:
            continue
        rows = other.total // other.values
        shares = np.array(other.counts) / other.total
        own = bands.share_band(shares * rows, rows, level, 0.0)
        low, high = np.array(column.bands[: column.streams]).T
        apart = (own.high < low) | (own.low > high)
        if apart.any():
            before = np.array(column.counts) / column.total
            worst = int(np.argmax(np.where(apart, np.abs(shares - before), 0.0)))
            unlike.append(
                f"{column.name} ({column.describe_streams()[worst]}: {shares[worst]:.1%} of the sample, "
                f"{before[worst]:.1%} of the traffic)"
            )
    return unlike
