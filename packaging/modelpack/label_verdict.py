"""A graph's verdict by labels; separate from `labelled`, so that readers load no tables."""

from dataclasses import asdict, dataclass
from typing import Any

from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.label_changes import LabelChanges
from serinus.modelpack.paired_loss import LEAST_ROWS, PairedLoss


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """A graph's losses by metric on ``rows`` labelled rows of the ``origin`` (holdout or sample), what was
    ``allowed``, and the labels that changed. ``tolerance`` is the one that its outputs keep on them and on the
    sample; ``differs_on_edges`` says that edge cases do not."""

    origin: str
    rows: int
    allowed: float
    losses: dict[str, PairedLoss]
    changes: LabelChanges | None
    tolerance: Tolerance
    differs_on_edges: bool = False

    @property
    def has_enough_rows(self) -> bool:
        """Whether intervals mean anything."""
        return self.rows >= LEAST_ROWS

    @property
    def is_equal(self) -> bool:
        """Whether every metric's bound is within what is allowed, and edge cases agree."""
        holds = all(loss.at_most <= self.allowed for loss in self.losses.values())
        return self.has_enough_rows and holds and not self.differs_on_edges

    def summary(self) -> str:
        """The metric whose bound is largest, or why nothing is said."""
        if not self.has_enough_rows:
            return f"{self.rows} labelled rows are too few for an interval; at least {LEAST_ROWS} are required"
        name, worst = max(self.losses.items(), key=lambda item: item[1].at_most)
        return (
            f"{name} may be worse by {worst.at_most:.2g} on {self.rows} rows of the {self.origin} "
            f"({self.allowed:g} is allowed)"
        )

    def to_json(self) -> dict[str, Any]:
        changes = None if self.changes is None else self.changes.to_json()
        return asdict(self) | {
            "changes": changes,
            "tolerance": self.tolerance.to_json(),
            "is_equal": self.is_equal,
            "summary": self.summary(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "LabelVerdict":
        """Read `to_json`'s data."""
        return cls(
            origin=data["origin"],
            rows=data["rows"],
            allowed=data["allowed"],
            losses={name: PairedLoss(**loss) for name, loss in data["losses"].items()},
            changes=None if data["changes"] is None else LabelChanges.from_json(data["changes"]),
            tolerance=Tolerance.from_json(data["tolerance"]),
            differs_on_edges=data["differs_on_edges"],
        )
