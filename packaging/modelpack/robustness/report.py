"""What became of the probes: a few lines for a person, the same for equal bundles."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from serinus.modelpack.robustness.probes import Kind

#: Answered as by the source; refused by the signature, with status 422; answered otherwise, or where the source
#: gives no answer.
Outcome = Literal["same", "refused", "differs", "unguarded"]
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Line:
    """Probes of one kind by outcome, and the ``features`` of those that were not the same."""

    probe: str
    same: int = 0
    refused: int = 0
    differs: int = 0
    unguarded: int = 0
    features: tuple[str, ...] = ()

    def told(self) -> str:
        """The outcome in words."""
        said = [
            f"{count} {what}"
            for count, what in (
                (self.same, "as the source"),
                (self.refused, "refused by the signature"),
                (self.differs, "answered otherwise"),
                (self.unguarded, "answered though the source refuses"),
            )
            if count
        ]
        return ", ".join(said)

    def where(self) -> str:
        """The features that were not the same; of many the first."""
        more = len(self.features) - _NAMED
        return ", ".join(self.features[:_NAMED]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Robustness:
    """``lines`` by kind of probe; ``probed`` of ``features`` were tried. ``reason`` says why none, or not all,
    were."""

    probed: int
    features: int
    reason: str = ""
    lines: tuple[Line, ...] = ()
    bounds: dict[str, dict[str, Any]] = field(default_factory=dict)

    def fails(self, labels: float) -> bool:
        """Whether more than the share 1 - ``labels`` of the probes that are answered are not as by the source."""
        failing = sum(line.differs + line.unguarded for line in self.lines)
        return failing > int((1.0 - labels) * (failing + sum(line.same for line in self.lines)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Robustness":
        """Read `to_json`'s data."""
        lines = tuple(Line(**{**line, "features": tuple(line["features"])}) for line in data["lines"])
        return cls(**{**data, "lines": lines})


def count(outcomes: "Iterable[tuple[Kind, str, Outcome]]") -> tuple[Line, ...]:
    """A line a kind, from probes' kinds, features and outcomes."""
    from serinus.modelpack.robustness.probes import Kind  # with pandas, which whoever reads a report does without

    counts: dict[str, dict[str, int]] = {}
    features: dict[str, dict[str, None]] = {}
    for kind, feature, outcome in outcomes:
        line = counts.setdefault(kind, {})
        line[outcome] = line.get(outcome, 0) + 1
        if outcome != "same" and feature:
            features.setdefault(kind, {})[feature] = None
    return tuple(
        Line(kind, **counts[kind], features=tuple(features.get(kind, ())))
        for kind in get_args(Kind)
        if kind in counts
    )
