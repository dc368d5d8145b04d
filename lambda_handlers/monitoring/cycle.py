"""The cycle of a season, and whether its traffic was whole."""

from dataclasses import dataclass
from typing import Any, Literal

Season = Literal["day", "week", "none"]

HOURS_OF: dict[Season, int] = {"none": 1, "day": 24, "week": 168}
#: A cycle with rows in fewer of its hours than this share of the last one's is not whole.
WHOLE = 0.75
#: The usual size of a block follows growing traffic at once, and falling traffic by this factor an hour.
DECAY = 0.998


@dataclass(slots=True)
class Cycle:
    """Counts hours from the first with rows on, and ``delay_hours``, so that the first cycle is whole too;
    ``hours`` long."""

    hours: int
    delay_hours: int = 0
    first_hour: int | None = None
    number: int = 0
    hours_with_rows: int = 0
    hours_with_rows_before: int = 0

    def number_at(self, hour: int) -> int:
        """The cycle in which ``hour`` lies, from 0."""
        return 0 if self.first_hour is None else (hour - self.first_hour) // self.hours

    def ends_with(self, hour: int) -> bool:
        """Whether ``hour`` is the last of its cycle."""
        return self.first_hour is not None and (hour - self.first_hour + 1) % self.hours == 0

    def has_begun_by(self, hour: int) -> bool:
        """Whether ``hour``, which has rows, lies in a cycle."""
        self.first_hour = hour + self.delay_hours if self.first_hour is None else self.first_hour
        return hour >= self.first_hour

    def begin(self, hour: int) -> None:
        """The cycle of ``hour`` begins, with the first rows in it."""
        self.number = self.number_at(hour)

    def end(self) -> bool:
        """Whether the cycle that ends was whole, compared with the one before it."""
        whole = self.hours_with_rows >= WHOLE * self.hours_with_rows_before
        self.hours_with_rows_before, self.hours_with_rows = self.hours_with_rows, 0
        return whole

    def to_json(self) -> list[int | None]:
        return [self.first_hour, self.number, self.hours_with_rows, self.hours_with_rows_before]

    def restore(self, data: Any) -> None:
        """Take over what `to_json` wrote."""
        self.first_hour, self.number, self.hours_with_rows, self.hours_with_rows_before = data
