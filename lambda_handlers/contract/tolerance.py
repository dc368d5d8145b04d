"""How far two outputs may differ; apart from their comparison, which a function that answers never makes."""

from typing import NamedTuple


class Tolerance(NamedTuple):
    """``labels`` is the least share of rows (0 to 1) whose label must be equal; ``atol`` and ``rtol`` bound
    the difference of numbers."""

    labels: float = 1.0
    atol: float = 1e-4
    rtol: float = 1e-3

    def to_json(self) -> dict[str, float]:
        return self._asdict()

    @classmethod
    def from_json(cls, data: dict[str, float]) -> "Tolerance":
        return cls(labels=data["labels"], atol=data["atol"], rtol=data["rtol"])
