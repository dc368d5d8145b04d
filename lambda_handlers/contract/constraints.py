"""What a column's values must be, from request to request: baseline.json's key ``constraints``.

They are inferred from the reference, and people replace what they know better. What people wrote is held against
live traffic as they wrote it, without a tolerance; the rest is drift, which the monitor tests against its bands.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from serinus.lambda_handlers.contract.errors import ContractError

#: baseline.json's key.
KEY = "constraints"

ColumnType = Literal["number", "integer", "boolean", "text"]


class Constraint(NamedTuple):
    """Of one input column. ``missing``, ``outside`` (of ``minimum`` to ``maximum``) and ``unseen`` (other than
    ``values``) are the largest shares of values that may be so; ``unique``: no value may occur twice in a table.
    None does not constrain. ``edited`` names the constraints that a person wrote."""

    type: ColumnType
    missing: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    outside: float | None = None
    values: tuple[Any, ...] | None = None
    unseen: float | None = None
    unique: bool = False
    edited: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return self._asdict()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Constraint":
        """Read `to_json`'s data; raises `ContractError` for anything else."""
        try:
            fields: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
            }
            return cls(**fields)
        except TypeError as error:
            raise ContractError(f"a constraint is damaged: {error}. Package the model again.") from error
