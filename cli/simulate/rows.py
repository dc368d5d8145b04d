"""Rows to send: drawn like the reference's counts, drawn from a table, or a table replayed by its own time."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from serinus.cli.errors import WrongUsage
from serinus.cli.request_values import as_request_value
from serinus.cli.simulate.drift import Row
from serinus.lambda_handlers.contract import monitored
from serinus.lambda_handlers.contract.bundle import read_baseline, read_golden, read_manifest
from serinus.lambda_handlers.contract.monitored import Column, Monitored
from serinus.lambda_handlers.contract.signature import Feature, Signature

#: The longest table that is replayed.
LONGEST_HOURS = 366 * 24

Floats = npt.NDArray[np.float64]


class RowSource(Protocol):
    """Gives the rows of a stretch of time."""

    def draw(self, count: int, hour: float) -> list[Row]:
        """``count`` rows, or as many as there are, for the stretch that begins at ``hour`` of the simulation."""
        ...


class ReferenceRows:
    """Rows whose columns have the shares of the bundle's reference, each column drawn by itself. Features that are
    not watched have the values of golden rows.

    With a season of ``season_sd`` standard deviations numbers are larger at some hours of the day and smaller at
    others, by which a day's rows still have the shares of the reference: where each value lies among all, as a
    normal number, is the sum of a sine of the hour and of chance, whose variances add to 1.
    """

    def __init__(self, bundle: Path, seed: int, season_sd: float = 0.0) -> None:
        self._season_sd = season_sd
        self._random = np.random.default_rng([seed, 2])
        self._signature = read_manifest(bundle).signature
        self._golden = read_golden(bundle).rows
        columns = read_monitored(bundle).columns
        self._columns = {column.name: column for column in columns if column.role == "input"}
        self._phases = {name: self._random.uniform(0, 24) for name in self._columns}

    def draw(self, count: int, hour: float) -> list[Row]:
        drawn = {feature.name: self._values(feature, count, hour) for feature in self._signature.features}
        return [{name: values[index] for name, values in drawn.items()} for index in range(count)]

    def _values(self, feature: Feature, count: int, hour: float) -> list[Any]:
        column = self._columns.get(feature.name)
        if column is None or feature.shape:
            choices = self._random.integers(len(self._golden), size=count)
            return [self._golden[choice].get(feature.name) for choice in choices]
        if column.kind == "category":
            values = _draw_categories(column, count, self._random)
            values = [as_request_value(feature, value) for value in values]
        else:
            ranks = self._ranks(feature.name, count, hour)
            values = _draw_numbers(column, feature, ranks, self._random.random(count))
        if feature.missing != "accepted":
            return values
        missing = column.counts[-1 if column.kind == "category" else len(column.edges)] / column.total
        absent = self._random.random(count) < missing
        return [None if gone else value for gone, value in zip(absent, values, strict=True)]

    def _ranks(self, name: str, count: int, hour: float) -> Floats:
        """Where values lie among all, from 0 to 1."""
        if not self._season_sd:
            return self._random.random(count)
        sine = self._season_sd * math.sin(2 * math.pi * (hour + self._phases[name]) / 24)
        by_chance = math.sqrt(1 - self._season_sd**2 / 2)
        normal = sine + by_chance * self._random.standard_normal(count)
        return np.array([(1 + math.erf(value / math.sqrt(2))) / 2 for value in normal.tolist()])


def read_monitored(bundle: Path) -> Monitored:
    """The watched columns of a bundle; raises `WrongUsage` where it has none."""
    baseline = read_baseline(bundle)
    if monitored.KEY not in baseline:
        raise WrongUsage(f"bundle {bundle.name} has no watched columns. Package the model again.")
    return Monitored.from_json(baseline[monitored.KEY])


def read_spread(bundle: Path, signature: Signature) -> dict[str, float]:
    """Standard deviations in the sample, of features of numbers that differ."""
    profiles = read_baseline(bundle)["features"]
    return {
        feature.name: profiles[feature.name]["std"]
        for feature in signature.features
        if not feature.shape and profiles[feature.name].get("std")
    }


def _draw_categories(column: Column, count: int, random: np.random.Generator) -> list[Any]:
    values = [*column.categories, *column.rest]
    rest = column.counts[len(column.categories)]
    weights = [*column.counts[: len(column.categories)], *[rest / max(1, len(column.rest))] * len(column.rest)]
    chances = np.array(weights, np.float64)
    chosen = random.choice(len(values), size=count, p=chances / chances.sum())
    return [values[place] for place in chosen]


def _draw_numbers(column: Column, feature: Feature, ranks: Floats, parts: Floats) -> list[float]:
    """The bin of each rank, and within it the place ``parts``; a bin's upper end belongs to it."""
    edges = [*column.edges, column.maximum]
    present = column.total - column.counts[len(column.edges)]
    cumulative = np.array([*column.counts[: len(column.edges)], present], np.float64) / max(present, 1)
    places = np.searchsorted(cumulative, ranks * cumulative[-1], side="right")
    values: list[float] = []
    for place, part in zip(np.minimum(places, len(edges) - 1), parts, strict=True):
        low, high = (edges[place - 1] if place else column.minimum), edges[place]
        if feature.dtype in ("int32", "int64"):
            least = math.floor(low) + 1 if place else math.ceil(low)
            most = max(math.floor(high), least)
            values.append(least + int(part * (most - least + 1)))
        else:
            values.append(float(high - part * (high - low)))
    return values


class TableRows:
    """Rows of a table, drawn by chance, or in the order of their times: row ``hour`` * 3600 seconds after the
    first."""

    def __init__(self, rows: Sequence[Row], hours: Sequence[float] | None, seed: int) -> None:
        self._random = np.random.default_rng([seed, 3])
        self._rows = rows
        self._hours = hours
        self._next = 0

    @property
    def days(self) -> int | None:
        """How many days a table with times spans, whole ones; None for one without."""
        return None if self._hours is None else max(1, math.ceil(self._hours[-1] / 24))

    def draw(self, count: int, hour: float) -> list[Row]:
        if self._hours is None:
            return [dict(self._rows[index]) for index in self._random.integers(len(self._rows), size=count)]
        del count
        first = self._next
        while self._next < len(self._rows) and self._hours[self._next] < hour:
            self._next += 1
        return [dict(row) for row in self._rows[first : self._next]]


def read_rows(path: Path, signature: Signature, time_column: str | None, seed: int) -> TableRows:
    """The rows of a CSV or Parquet file as requests hold them. Raises `WrongUsage` where columns are missing or
    ``time_column`` holds no times, and `SampleError` for what is no table."""
    import pandas as pd

    from serinus.modelpack.features import to_json_value
    from serinus.modelpack.tables import read_table, texts_of

    frame = read_table(path, texts_of(signature), most_rows=None, kind="table")
    names = signature.feature_names()
    if missing := [
        name for name in (*names, *([time_column] if time_column else [])) if name not in frame.columns
    ]:
        raise WrongUsage(
            f"--data {path} has no column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}."
        )
    hours = None
    if time_column:
        try:
            times = pd.to_datetime(frame[time_column], utc=True, format="ISO8601")
        except (ValueError, TypeError) as error:
            raise WrongUsage(
                f"--time {time_column} of {path} does not hold times such as 2026-11-30T12:00:00Z."
            ) from error
        if times.isna().any():
            raise WrongUsage(f"--time {time_column} of {path} is empty in row {int(times.isna().argmax()) + 1}.")
        order = times.argsort(kind="stable")
        frame, times = frame.iloc[order], times.iloc[order]
        hours = ((times - times.iloc[0]).dt.total_seconds() / 3600).tolist()
        if hours[-1] > LONGEST_HOURS:
            raise WrongUsage(
                f"--time {time_column} of {path} spans {hours[-1] / 24:,.0f} days; at most {LONGEST_HOURS // 24} "
                "can be replayed. Leave the rows out that lie apart."
            )
    columns = {
        feature.name: [as_request_value(feature, to_json_value(value)) for value in frame[feature.name]]
        for feature in signature.features
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return TableRows(rows, hours, seed)


class ClusteredRows:
    """Each row of another source several times over, as when one client sends many alike."""

    def __init__(self, rows: RowSource, size: int) -> None:
        self._rows = rows
        self._size = size

    def draw(self, count: int, hour: float) -> list[Row]:
        return [
            dict(row) for row in self._rows.draw(math.ceil(count / self._size), hour) for _ in range(self._size)
        ]


def split(rows: list[Row], size: int) -> Iterator[list[Row]]:
    """``rows`` in requests of at most ``size``."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
