"""A graph's measurements in one precision; separate from `precision`, so that readers load no converter."""

from dataclasses import asdict, dataclass
from typing import Any

from serinus.lambda_handlers.contract.agreement import Agreement
from serinus.modelpack.label_verdict import LabelVerdict

#: By how many times, and microseconds, a graph must be slower, or faster, for the difference to count.
SLOWER, NOTICED_US = 2.0, 50.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table: sizes in bytes, times in milliseconds and microseconds. ``form`` names the operator
    of its trees, if any. ``note`` says why a candidate has no figures, or why it was not chosen. ``verdict`` is
    the labelled rows' on a candidate that does not agree in each row."""

    precision: str
    size_bytes: int | None = None
    session_ms: float | None = None
    one_row_us: float | None = None
    hundred_rows_us: float | None = None
    agreement: Agreement | None = None
    note: str = ""
    chosen: bool = False
    form: str = ""
    verdict: LabelVerdict | None = None

    @property
    def is_equal(self) -> bool:
        """Whether it agrees with the source in every row, or is as good by labels."""
        agrees = self.agreement is not None and self.agreement.agrees
        return agrees or (self.verdict is not None and self.verdict.is_equal)

    @property
    def title(self) -> str:
        """Precision and form: "float64, TreeEnsemble v5"."""
        return f"{self.precision}, {self.form}" if self.form else self.precision

    def is_slower_than(self, plain: "Measurement") -> bool:
        """Whether it takes more than both twice the time of ``plain`` and that plus 50 us: what people notice, and
        what other load on the machine alone rarely does."""
        pairs = ((self.one_row_us, plain.one_row_us), (self.hundred_rows_us, plain.hundred_rows_us))
        return any((mine or 0.0) > max(SLOWER * (its or 0.0), (its or 0.0) + NOTICED_US) for mine, its in pairs)

    def to_json(self) -> dict[str, Any]:
        verdict = None if self.verdict is None else self.verdict.to_json()
        return asdict(self) | {"title": self.title, "verdict": verdict}
