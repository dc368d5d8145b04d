"""The streams that are watched, and the bands in which their shares may lie.

A stream is the share of a column's values that show one thing: lie at or below an edge, are missing, have a
category. Values between 0 and 1 are streams too, such as the mean rank: the mean of indicators of the same value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float64] | npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Streams:
    """``low`` and ``high`` [..., streams] bound the shares that are no drift, ``column`` [streams] is the place in
    ``columns`` of the column that owns a stream. Leading axes are endpoints that are watched at once."""

    low: Floats
    high: Floats
    column: npt.NDArray[np.int64]
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.low.shape != self.high.shape or self.low.shape[-1:] != self.column.shape:
            raise ValueError(f"low {self.low.shape}, high {self.high.shape} and column {self.column.shape} differ")
        if not ((self.low >= 0) & (self.low <= self.high) & (self.high <= 1)).all():
            raise ValueError("a band must satisfy 0 <= low <= high <= 1")
        if not set(self.column.tolist()) <= set(range(len(self.columns))):
            raise ValueError(f"column names places beyond the {len(self.columns)} columns")

    @classmethod
    def of(
        cls, low: Sequence[float], high: Sequence[float], column: Sequence[int], columns: Sequence[str]
    ) -> "Streams":
        """The streams of one endpoint."""
        return cls(
            np.array(low, np.float64), np.array(high, np.float64), np.array(column, np.int64), tuple(columns)
        )

    @property
    def id(self) -> str:
        """Eight hex digits: evidence that was gathered against other bands is no evidence against these."""
        parts = (self.low.tobytes(), self.high.tobytes(), self.column.tobytes(), repr(self.columns).encode())
        return f"{crc32(b'|'.join(parts)):08x}"
