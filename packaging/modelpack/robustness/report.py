"""The outcome of the probes: a few lines for a person, the same for equal bundles."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from serinus.modelpack.robustness.probes import ProbeKind

#: Predicted as by the source; refused by the signature with status 422; predicted differently; predicted although
#: the source refuses.
Outcome = Literal["same", "refused", "differs", "unguarded"]
_NAMED = 4


@dataclass(frozen=True, slots=True)
class ProbeCounts:
    """Probes of one kind by outcome, and the ``features`` of those that were not the same."""

    probe: str
    same: int = 0
    refused: int = 0
    differs: int = 0
    unguarded: int = 0
    features: tuple[str, ...] = ()

    def summary(self) -> str:
        """The outcomes in words."""
        parts = [
            f"{count} {outcome}"
            for count, outcome in (
                (self.same, "as the source"),
                (self.refused, "refused by the signature"),
                (self.differs, "differ from the source"),
                (self.unguarded, "predicted though the source refuses"),
            )
            if count
        ]
        return ", ".join(parts)

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
    lines: tuple[ProbeCounts, ...] = ()
    bounds: dict[str, dict[str, Any]] = field(default_factory=dict)

    def fails(self, labels: float) -> bool:
        """Whether more than the share 1 - ``labels`` of the probes with a prediction differ from the source."""
        failing = sum(counts.differs + counts.unguarded for counts in self.lines)
        return failing > int((1.0 - labels) * (failing + sum(counts.same for counts in self.lines)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Robustness":
        """Read `to_json`'s data."""
        lines = tuple(ProbeCounts(**{**item, "features": tuple(item["features"])}) for item in data["lines"])
        return cls(**{**data, "lines": lines})


def count_outcomes(outcomes: "Iterable[tuple[ProbeKind, str, Outcome]]") -> tuple[ProbeCounts, ...]:
    """One entry a kind, from the probes' kinds, features and outcomes."""
    # Imports pandas, which readers of a report do without.
    from serinus.modelpack.robustness.probes import ProbeKind

    counts: dict[str, dict[str, int]] = {}
    features: dict[str, dict[str, None]] = {}
    for kind, feature, outcome in outcomes:
        by_outcome = counts.setdefault(kind, {})
        by_outcome[outcome] = by_outcome.get(outcome, 0) + 1
        if outcome != "same" and feature:
            features.setdefault(kind, {})[feature] = None
    return tuple(
        ProbeCounts(kind, **counts[kind], features=tuple(features.get(kind, ())))
        for kind in get_args(ProbeKind)
        if kind in counts
    )
