"""How far two outputs may differ; apart from their comparison, which the inference function never makes."""

from typing import Any, NamedTuple


class Tolerance(NamedTuple):
    """``labels`` is the least share of rows (0 to 1) whose label must be equal; ``atol`` and ``rtol`` bound
    the difference of numbers. ``cosine``, if set, is the least cosine similarity (1: the same direction) of vector
    outputs, such as embeddings, in every row; their numbers are then free."""

    labels: float = 1.0
    atol: float = 1e-4
    rtol: float = 1e-3
    cosine: float | None = None

    def to_json(self) -> dict[str, float | None]:
        return self._asdict()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Tolerance":
        return cls(labels=data["labels"], atol=data["atol"], rtol=data["rtol"], cosine=data.get("cosine"))
