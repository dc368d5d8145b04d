"""The thirty columns of a simulated endpoint: numbers that are continuous, rounded or often zero, and categories.

A number is a function of a standard normal one that never falls. So a share of values at most an edge is a share
of normal numbers, and values need not be drawn one by one to be counted with all their ties.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NUMBERS = 24
CATEGORICAL = 6
COLUMNS = tuple(f"number {place}" for place in range(NUMBERS)) + tuple(f"category {p}" for p in range(CATEGORICAL))
EDGES = 9
#: A number's edges, mean rank, missing, below and above; a category's five values, unseen, missing.
STREAMS_OF_NUMBER = EDGES + 4
CATEGORIES = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
#: Ten points move from the first category to the fourth.
MOVED = np.array([0.3, 0.25, 0.2, 0.2, 0.05])
STREAMS_OF_CATEGORY = len(CATEGORIES) + 2


@dataclass(frozen=True, slots=True)
class Number:
    """``step``: values are rounded to multiples of it; ``zeros``: those below it are set to it."""

    step: float = 0.0
    zeros: float = -np.inf

    def values(self, normal: Floats) -> Floats:
        """The column's values."""
        rounded = np.round(normal / self.step) * self.step if self.step else normal
        return np.maximum(rounded, self.zeros)

    def highest(self, values: Floats) -> Floats:
        """The highest normal numbers of which these are the values."""
        return values + self.step / 2

    def lowest(self, values: Floats) -> Floats:
        """The lowest normal numbers of which these are the values."""
        return np.where(values <= self.zeros, -np.inf, values - self.step / 2)


#: Continuous; like an age in years; like a rating; with four of ten values at zero.
KINDS = (Number(),) * 12 + (Number(step=1 / 12),) * 6 + (Number(step=0.5),) * 3 + (Number(zeros=-0.25),) * 3
