"""The clocks that watch an endpoint, with the chance of a false alarm divided between them.

With a season there are two: the slow one looks at the end of each cycle, the fast one each hour. Without a season
one clock looks each hour, with the tight bands. Within `HORIZON_HOURS` the chance of a false alarm is at most
`LEVEL`.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.bets import BlockBets, CountBets
from serinus.lambda_handlers.monitoring.cycle import DECAY, HOURS_OF, Season
from serinus.lambda_handlers.monitoring.detector import Evidence
from serinus.lambda_handlers.monitoring.fast_clock import FastClock
from serinus.lambda_handlers.monitoring.slow_clock import SlowClock
from serinus.lambda_handlers.monitoring.streams import Counts, Floats, Streams

Rows = Literal["clustered", "independent"]

LEVEL = 0.01
HORIZON_HOURS = 720
#: Of the values of a block in a busy hour, the part that has full weight.
MOST = 0.85
#: Of the state's format and of the rules that gathered it.
VERSION = 1


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """``season``: the cycle that traffic repeats; ``rows``: whether rows may depend on each other in a block."""

    season: Season = "day"
    rows: Rows = "clustered"


class Looks(NamedTuple):
    """The evidence of the clocks that looked: None where one did not."""

    slow: Evidence | None
    fast: Evidence | None


class StaleStateError(ValueError):
    """A state was written for other streams, settings or rules: its evidence counts for nothing here."""


class Clocks:
    """Of one endpoint, or of as many as the streams have leading axes. Hours come in order."""

    def __init__(self, streams: Streams, settings: ClockSettings) -> None:
        cycle_hours = HOURS_OF[settings.season]
        bets = CountBets if settings.rows == "independent" else BlockBets
        parts = 1 if settings.season == "none" else 2
        self._id = f"{VERSION} {streams.id} {settings.season} {settings.rows}"
        self._shape = streams.low.shape[:-1]
        self.slow = SlowClock(streams, bets(streams), cycle_hours, parts * HORIZON_HOURS / cycle_hours / LEVEL)
        self.fast = FastClock(streams, bets, parts * HORIZON_HOURS / LEVEL) if parts > 1 else None
        self._slow_alarm: npt.NDArray[np.bool_] = np.zeros(self._shape, bool)
        self._usual: Floats = np.zeros(len(streams.column))
        self._last_hour: int | None = None

    @classmethod
    def new(cls, streams: Streams, settings: ClockSettings) -> "Clocks":
        """Clocks without evidence."""
        return cls(streams, settings)

    @classmethod
    def from_json(cls, streams: Streams, settings: ClockSettings, data: dict[str, Any]) -> "Clocks":
        """Clocks as `to_json` wrote them. Raises StaleStateError if that was for other streams or settings."""
        clocks = cls(streams, settings)
        if data.get("id") != clocks._id:
            raise StaleStateError(f"evidence of {data.get('id')!r} does not count for {clocks._id!r}")
        clocks._last_hour, clocks._usual = data["hour"], np.array(data["usual"], np.float64)
        clocks._slow_alarm = np.array(data["slow_alarm"])
        clocks.slow.restore(data["slow"])
        if clocks.fast:
            clocks.fast.restore(data["fast"])
        return clocks

    def look(self, hour: int, counts: Counts, totals: Counts) -> Looks:
        """What the clocks see after ``hour``, in hours since 1970; ``counts`` of ``totals`` values [..., blocks,
        streams] in each of the hour's blocks that had rows, of which there may be none.

        Raises ValueError if the hour is not after the last one.
        """
        if self._last_hour is not None and hour <= self._last_hour:
            raise ValueError(f"hour {hour} was to follow hour {self._last_hour}")
        self._last_hour = hour
        usual = self._usual_with(totals)
        slow = self.slow.look(hour, counts, totals, usual)
        if slow is not None:
            self._slow_alarm = slow.alarm
        fast = self.fast.look(hour, counts, totals, usual, self._slow_alarm) if self.fast else None
        return Looks(slow, fast)

    def _usual_with(self, totals: Counts) -> Floats:
        """How many values of each stream [streams] a usual block has: most of what blocks have in the busiest
        recent hour before this one, so that in even traffic nearly all blocks have full weight."""
        blocks = totals.reshape(-1, totals.shape[-1])
        blocks = blocks[blocks.any(axis=-1)]
        now = np.rint(MOST * blocks.mean(axis=0)) if len(blocks) else np.zeros_like(self._usual)
        before, self._usual = self._usual, np.maximum(now, np.floor(self._usual * DECAY))
        return np.where(before > 0, before, now)

    def to_json(self) -> dict[str, Any]:
        """The state of one endpoint's clocks, as plain data."""
        fast = {"fast": self.fast.to_json()} if self.fast else {}
        return {
            "id": self._id,
            "hour": self._last_hour,
            "usual": self._usual.astype(int).tolist(),
            "slow_alarm": bool(self._slow_alarm),
            "slow": self.slow.to_json(),
            **fast,
        }
