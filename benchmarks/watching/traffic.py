"""Hours of simulated traffic, counted as the function counts them."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from watching.baselines import Baselines, draw_baselines
from watching.columns import CATEGORICAL, CATEGORIES, EDGES, MOVED, NUMBERS, Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kind:
    """``cluster`` rows are alike at a time; each number's mean moves by ``season`` standard deviations over a day,
    with a phase of its own, and traffic by half; ``wander``: the standard deviation of means that wander from hour
    to hour (autoregressive, 0.9)."""

    name: str
    rows_an_hour: int
    cluster: int = 1
    season: float = 0.0
    wander: float = 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """In one column of each run, another in each: a number's mean moves by ``shift`` standard deviations, a
    ``missing`` share of it is missing, or ten points of a category (``moved``) become another."""

    name: str
    shift: float = 0.0
    missing: float = 0.0
    moved: bool = False

    def columns(self, runs: int) -> Ints:
        """The place of the column that drifts in each run."""
        run = np.arange(runs)
        return NUMBERS + run % CATEGORICAL if self.moved else run % NUMBERS


NO_DRIFT = Drift("none")
DRIFTS = (
    Drift("0.5 sd", shift=0.5),
    Drift("0.25 sd", shift=0.25),
    Drift("category by 10 points", moved=True),
    Drift("5 % missing", missing=0.05),
)


@dataclass(slots=True)
class Traffic:
    """The traffic of several runs, each with a baseline of its own, of ``blocks`` an hour."""

    kind: Kind
    blocks: int
    rng: np.random.Generator
    baselines: Baselines
    _means: Floats
    _volume: Floats
    _level: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._level = np.zeros(self._means.shape[:2])

    @classmethod
    def begin(cls, kind: Kind, runs: int, blocks: int, baseline_rows: int, seed: int) -> "Traffic":
        """Draws the baselines from the same days as live traffic."""
        rng = np.random.default_rng([20261130, seed])
        phases = rng.random((runs, NUMBERS, 1)) * 24
        means = kind.season * np.sin(2 * np.pi * (np.arange(24) + phases) / 24)
        volume = 1 + 0.5 * (kind.season > 0) * np.sin(2 * np.pi * (np.arange(24) - 9) / 24)
        return cls(kind, blocks, rng, draw_baselines(rng, means, volume / 24, baseline_rows), means, volume)

    def hour(self, hour: int, drift: Drift, drifts: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """Counts and totals [runs, blocks, streams] of an hour; ``drifts`` [runs]: where the drift has begun."""
        runs, kind = len(drifts), self.kind
        if kind.wander:
            steps = self.rng.normal(0, kind.wander * np.sqrt(1 - 0.81), self._level.shape)
            self._level = 0.9 * self._level + steps
        number, run = drift.columns(runs), np.arange(runs)
        means = self._means[..., hour % 24] + self._level
        if not drift.moved:
            means[run, number] += drift.shift * drifts
        clusters = self._clusters(hour, runs)
        missing = np.zeros((runs, self.blocks, NUMBERS), np.int64)
        if drift.missing:
            missing[run, :, number] = self.rng.binomial(clusters, drift.missing * drifts[:, None])
        below = ndtr(self.baselines.places - means[..., None])[:, None]
        bins = np.diff(below, axis=-1, prepend=0.0, append=1.0)
        values = self.rng.multinomial(clusters[..., None] - missing, bins / bins.sum(axis=-1, keepdims=True))
        numbers = self._numbers(values, missing)
        shares = np.broadcast_to(CATEGORIES, (runs, CATEGORICAL, len(CATEGORIES))).copy()
        if drift.moved:
            shares[run, number - NUMBERS] = np.where(drifts[:, None], MOVED, CATEGORIES)
        categories = self.rng.multinomial(clusters[..., None], shares[:, None])
        none = np.zeros((runs, self.blocks, CATEGORICAL, 2), np.int64)
        parts = [numbers, np.concatenate([categories, none], axis=-1)]
        counts = np.concatenate([part.reshape(runs, self.blocks, -1) for part in parts], axis=-1) * kind.cluster
        return counts, np.broadcast_to((clusters * kind.cluster)[..., None], counts.shape)

    def _clusters(self, hour: int, runs: int) -> Ints:
        """Rows that are not alike, [runs, blocks]."""
        expected = self.kind.rows_an_hour * self._volume[hour % 24] / self.blocks / self.kind.cluster
        if self.blocks == 1 and self.kind.cluster == 1:
            return np.full((runs, 1), round(expected))
        return self.rng.poisson(expected, (runs, self.blocks))

    def _numbers(self, values: Ints, missing: Ints) -> npt.NDArray[np.float64]:
        """Streams [runs, blocks, numbers, streams] of values by bin: below the minimum, between edges, above."""
        at_most = np.cumsum(values, axis=-1)[..., 1 : EDGES + 1]
        real = (self.baselines.places[..., 1 : EDGES + 1] < self.baselines.places[..., -1:])[:, None]
        mean_rank = (at_most * real).sum(axis=-1) / np.maximum(real.sum(axis=-1), 1)
        others = [mean_rank, missing, values[..., 0], values[..., -1]]
        return np.concatenate([at_most, np.stack(others, axis=-1)], axis=-1)
