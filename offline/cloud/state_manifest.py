"""The manifest of a state folder: which files belong together, when they were written, and by which versions."""

import json
import platform
import reprlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Self

from serinus.offline.cloud.state_layout import PART
from serinus.offline.core.clock import Clock, real_time

#: To be raised whenever what services keep changes its shape or its classes move: pickles name modules.
FORMAT = 4
#: Real seconds of cloud time that a restarted cloud skips, so that it never shows a time twice.
CLOCK_MARGIN_S = 1.0
#: Digits of a part's SHA-256 in the name of its file.
HASH_DIGITS = 32
#: The last second of the year 9999, beyond which there are no dates.
LATEST_S = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


class WrittenElsewhere(Exception):
    """The state is of another account, or of other versions; the message names both."""


def stamp(account_id: str) -> dict[str, str]:
    """What must be the same where a state is written and where it is read."""
    return {
        "account": account_id,
        "format": str(FORMAT),
        "moto": version("moto"),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


@dataclass(frozen=True, slots=True)
class SavedClock:
    """The clock when the state was last written: cloud and real epoch seconds, and the speed."""

    cloud: float
    real: float
    factor: float

    @classmethod
    def of(cls, clock: Clock) -> Self:
        return cls(clock.time(), real_time(), clock.factor)

    def restart(self) -> float:
        """The cloud time to go on from: never earlier than any that was shown, nor than real time.

        A clock that is stepped by hand goes on exactly where it stood.
        """
        if self.factor == 0:
            return self.cloud
        return max(self.cloud + CLOCK_MARGIN_S * self.factor, real_time())


@dataclass(frozen=True, slots=True)
class Manifest:
    """The state's stamp and clock, the real time of its parts, and the file of each part."""

    stamp: dict[str, str]
    clock: SavedClock
    written: float
    parts: dict[str, str]

    def to_json(self) -> bytes:
        content = {
            "stamp": self.stamp,
            "clock": astuple(self.clock),
            "written": self.written,
            "parts": self.parts,
        }
        return json.dumps(content, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes, required: dict[str, str]) -> Self:
        """Raises `WrittenElsewhere` unless its stamp is the one ``required``, ValueError if it is damaged."""
        content = _object(json.loads(data), "it")
        written = _object(content.get("stamp"), "its stamp")
        if differing := [
            name for name in sorted({*written, *required}) if written.get(name) != required.get(name)
        ]:
            raise WrittenElsewhere(
                f"written with {_listed(written, differing)}; this cloud requires {_listed(required, differing)}"
            )
        parts = _object(content.get("parts"), "its list of parts")
        for name, file in parts.items():
            # Anything else could lead out of the folder.
            if (
                not isinstance(file, str)
                or not PART.fullmatch(file)
                or file != part_file(name, file[-HASH_DIGITS:])
            ):
                raise ValueError(f"its part {reprlib.repr(name)} is in {reprlib.repr(file)}, not in NAME-HASH")
        return cls(written, _clock(content.get("clock")), 0.0, parts)


def part_file(name: str, sha256: str) -> str:
    """The name of the file of a part with this hash in hex."""
    return f"{name}-{sha256[:HASH_DIGITS]}"


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {reprlib.repr(value)}, not a JSON object")
    return value


def _clock(saved: Any) -> SavedClock:
    if not isinstance(saved, list) or len(saved) != len(fields(SavedClock)):
        raise ValueError(f"its clock is {reprlib.repr(saved)}, not three numbers")
    for number in saved:
        if type(number) not in (int, float) or not 0 <= number <= LATEST_S:
            raise ValueError(f"its clock holds {reprlib.repr(number)}, not a number from 0 to {LATEST_S:.0f}")
    clock = SavedClock(*saved)
    if clock.restart() > LATEST_S:
        raise ValueError(f"its clock {saved} would go on after the year 9999")
    return clock


def _listed(stamped: Mapping[str, str], names: list[str]) -> str:
    return ", ".join(f"{name} {stamped.get(name, 'unstated')}" for name in names)
