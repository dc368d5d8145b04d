"""A graph's measurements in one precision; separate from `precision`, so that readers load no converter."""

from dataclasses import asdict, dataclass
from typing import Any

from serinus.lambda_handlers.contract.agreement import Agreement


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table: sizes in bytes, times in milliseconds and microseconds. ``form`` names the operator
    of its trees, if any. ``note`` says why a candidate has no figures, or why it was not chosen."""

    precision: str
    size_bytes: int | None = None
    session_ms: float | None = None
    one_row_us: float | None = None
    hundred_rows_us: float | None = None
    agreement: Agreement | None = None
    note: str = ""
    chosen: bool = False
    form: str = ""

    @property
    def title(self) -> str:
        """Precision and form: "float64, TreeEnsemble v5"."""
        return f"{self.precision}, {self.form}" if self.form else self.precision

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"title": self.title}
