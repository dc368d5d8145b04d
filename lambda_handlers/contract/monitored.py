"""Which columns of an endpoint are watched, and what is counted of them: baseline.json's key ``monitoring``.

A column is an input feature, or an output: a class' probability, a value, the label. Its values fall into streams:
a number is at most each of the edges, missing, below or above all values of the sample; a category is one of the
most frequent, another that the sample has, one that it has not, or missing. A stream is a share of all the
column's values, so counts are all that has to be kept: those of the sample are the reference, and counts under the
same `Monitored.id` can be added.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from serinus.lambda_handlers.contract.errors import ContractError

#: baseline.json's key.
KEY = "monitoring"
#: The bucket of collector and monitor.
ENV_BUCKET = "SERINUS_BUCKET"
#: JSON: each monitored endpoint's function, with its settings as far as they differ from the defaults.
ENV_MONITORED = "SERINUS_MONITORED"
#: The function that keeps lines and references; a hook sends it those of a new bundle.
ENV_COLLECTOR = "SERINUS_COLLECTOR"

#: No time of a line lies after the year 9999.
_LATEST_S = 253402300800.0

Kind = Literal["number", "category"]
Role = Literal["input", "output"]
#: Lower and upper end of the shares that are not drift.
Band = tuple[float, float]


#: Streams of categories beside those that are counted one by one.
_OTHERS = ("another known value", "a value never seen", "missing")


def _after(number: float) -> float:
    return math.nextafter(number, math.inf)


class Limit(NamedTuple):
    """A constraint that a person wrote: of the column's values, at most ``share`` fall into ``streams``, by place;
    ``name`` is the constraint's."""

    name: str
    streams: tuple[int, ...]
    share: float


class Column(NamedTuple):
    """One watched column.

    ``values`` is how many values a row has. Numbers have ``edges``, ascending, and the sample's ``minimum`` and
    ``maximum``; categories have the most frequent ``categories`` and the others of the sample, ``rest``.
    ``counts`` are those of ``total`` values of the reference, by stream. ``bands`` have one more for numbers with
    several edges: the mean rank, which is the mean of the shares at most each edge. Without bands a column is
    counted, and not tested for drift. ``limits`` are tested as they are.
    """

    name: str
    role: Role
    kind: Kind
    values: int
    total: int
    counts: tuple[int, ...]
    bands: tuple[Band, ...] = ()
    edges: tuple[float, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0
    categories: tuple[Any, ...] = ()
    rest: tuple[Any, ...] = ()
    limits: tuple[Limit, ...] = ()

    @property
    def streams(self) -> int:
        """How many streams are counted."""
        return len(self.edges) + 3 if self.kind == "number" else len(self.categories) + 3

    @property
    def has_mean_rank(self) -> bool:
        """Whether a mean rank is derived from the counts."""
        return len(self.edges) > 1

    @property
    def shares(self) -> int:
        """How many shares are tested: those of the streams, and the mean rank."""
        return self.streams + self.has_mean_rank

    def describe_streams(self) -> tuple[str, ...]:
        """Each stream in words, all different, in the order of `counts`; a mean rank is last."""
        if self.kind == "number":
            *edges, low, high = self._words(*self.edges, self.minimum, self.maximum)
            names = [
                self._below(place) if self._precedes(place) else f"at most {word}"
                for place, word in enumerate(edges)
            ]
            names += ["missing", f"below {low}", f"above {high}"]
            return (*names, *(["mean rank"] if self.has_mean_rank else []))
        own = [f'"{value}"' if str(value) in _OTHERS else str(value) for value in self.categories]
        return (*own, *_OTHERS)

    def describe_bins(self) -> tuple[str, ...]:
        """The bins of a number's edges in words, without missing values; the last lies above all edges."""
        if not self.edges:
            return ("any value",)
        words = self._words(*self.edges, self.maximum)
        bins = []
        for place in range(len(self.edges)):
            if self._precedes(place):
                bins.append(self._below(place))
            elif place and self._precedes(place - 1):
                bins.append(f"exactly {words[place]}")
            else:
                bins.append(f"up to {words[place]}")
        last = f"exactly {words[-1]}" if self._precedes(len(self.edges) - 1) else f"above {words[-2]}"
        return (*bins, last)

    def _below(self, place: int) -> str:
        return f"below {self._words(*self.edges, _after(self.edges[place]))[-1]}"

    def _precedes(self, place: int) -> bool:
        """Whether an edge is the number just below the next edge or the maximum, which has a bin of its own."""
        following = (*self.edges, self.maximum)[place + 1]
        return _after(self.edges[place]) == following

    @staticmethod
    def _words(*numbers: float) -> list[str]:
        """Numbers, as short as they still differ, but for a number just below another."""
        different = len({number for number in numbers if _after(number) not in numbers})
        for digits in (6, 9, 12, 17):
            words = [f"{number:.{digits}g}" for number in numbers]
            if len(set(words)) >= different:
                break
        return words

    def _parts(self) -> list[Any]:
        return [value for key, value in self._asdict().items() if _is_kept(self, key)]


class Monitored(NamedTuple):
    """All watched columns, in the order in which their streams are counted; ``unwatched`` names features that are
    not counted, and outputs that are not tested, with the reason. ``reference`` says which rows were counted."""

    reference: str
    columns: tuple[Column, ...]
    unwatched: Mapping[str, str]

    @property
    def id(self) -> str:
        """Eight hex digits: equal where counts can be added, and are compared with the same reference."""
        from zlib import crc32

        return f"{crc32(json.dumps([column._parts() for column in self.columns]).encode()):08x}"

    @property
    def streams(self) -> int:
        """How many counts a profile line holds."""
        return sum(column.streams for column in self.columns)

    def starts(self) -> Iterator[tuple[Column, int]]:
        """Each column with the place of its first count on a profile line."""
        start = 0
        for column in self.columns:
            yield column, start
            start += column.streams

    def by_column(self, counts: Sequence[int]) -> Iterator[tuple[Column, Sequence[int]]]:
        """Each column with its own of ``counts``, which are as on a profile line."""
        return ((column, counts[start : start + column.streams]) for column, start in self.starts())

    def to_json(self) -> dict[str, Any]:
        columns = [
            {key: value for key, value in column._asdict().items() if _is_kept(column, key)}
            for column in self.columns
        ]
        return {"id": self.id, "reference": self.reference, "columns": columns, "unwatched": dict(self.unwatched)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Monitored":
        """Read `to_json`'s data; raises `ContractError` for anything else."""
        try:
            columns = tuple(_read_column(item) for item in data["columns"])
            monitored = cls(str(data["reference"]), columns, dict(data["unwatched"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ContractError(f"the monitored columns are damaged: {error}. Package the model again.") from error
        if monitored.id != data.get("id"):
            raise ContractError(
                f"the monitored columns have id {monitored.id}, not {data.get('id')!r}. Package the model again."
            )
        return monitored


class ProfileLine(NamedTuple):
    """What one environment counted in one stretch of time: a line of the function's log.

    ``sequence`` numbers an environment's lines; ``since`` and ``until`` are seconds since 1970; ``requests`` are
    live ones of any status, ``refused`` those that validation rejected, and ``rows`` those that were counted.
    """

    function: str
    version: str
    model_version: str
    baseline: str
    environment: str
    sequence: int
    since: float
    until: float
    requests: int
    refused: int
    rows: int
    counts: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """As the function writes it: times in milliseconds."""
        return {
            "Profile": 1,
            "FunctionName": self.function,
            "FunctionVersion": self.version,
            "ModelVersion": self.model_version,
            "Baseline": self.baseline,
            "Environment": self.environment,
            "Sequence": self.sequence,
            "Since": round(self.since * 1000),
            "Until": round(self.until * 1000),
            "Requests": self.requests,
            "Refused": self.refused,
            "Rows": self.rows,
            "Counts": list(self.counts),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ProfileLine":
        """Read `to_json`'s data; raises `ContractError` for anything else."""
        try:
            counts = tuple(data["Counts"])
            line = cls(
                function=str(data["FunctionName"]),
                version=str(data["FunctionVersion"]),
                model_version=str(data["ModelVersion"]),
                baseline=str(data["Baseline"]),
                environment=str(data["Environment"]),
                sequence=data["Sequence"],
                since=data["Since"] / 1000,
                until=data["Until"] / 1000,
                requests=data["Requests"],
                refused=data["Refused"],
                rows=data["Rows"],
                counts=counts,
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ContractError(f"a profile line is damaged: {error!r}") from error
        numbers = (line.sequence, line.requests, line.refused, line.rows, *counts)
        times = 0 <= line.since <= line.until < _LATEST_S
        if not times or not all(type(number) is int and number >= 0 for number in numbers):
            raise ContractError("a profile line is damaged: it holds a number that is no count")
        return line


def _is_kept(column: Column, key: str) -> bool:
    if column.kind == "number":
        return key not in ("categories", "rest")
    return key not in ("edges", "minimum", "maximum")


def _read_column(data: Mapping[str, Any]) -> Column:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
    }
    fields["limits"] = tuple(Limit(name, tuple(streams), share) for name, streams, share in data["limits"])
    fields["bands"] = tuple((float(low), float(high)) for low, high in data["bands"])
    column = Column(**fields)
    if column.kind not in ("number", "category") or len(column.counts) != column.streams:
        raise ValueError(f"column {column.name!r} has {len(column.counts)} counts; {column.streams} are required")
    if column.bands and len(column.bands) != column.shares:
        raise ValueError(f"column {column.name!r} has {len(column.bands)} bands for {column.streams} streams")
    return column
