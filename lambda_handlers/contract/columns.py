"""The field of a response that holds each output: one rule for the writing function and the reading hooks."""

from collections.abc import Sequence

from serinus.lambda_handlers.contract.signature import Output

#: Fields by role, in the response's order; all other outputs are by name in "outputs".
FIELDS = {"label": "labels", "probabilities": "probabilities", "value": "values"}
OTHERS = "outputs"


def field_of(output: Output, outputs: Sequence[Output]) -> str | None:
    """The response's field for ``output``, if it is the only one of a role that has a field; None for others."""
    only = sum(other.role == output.role for other in outputs) == 1
    return FIELDS.get(output.role) if only else None
