"""Under which name an answer holds each output: one rule for the function that writes and the hooks that read."""

from collections.abc import Sequence

from serinus.lambda_handlers.contract.signature import Output

#: Fields of their own, by role, in the order of the answer; all other outputs stand by name in "outputs".
FIELDS = {"label": "labels", "probabilities": "probabilities", "value": "values"}
OTHERS = "outputs"


def field_of(output: Output, outputs: Sequence[Output]) -> str | None:
    """The answer's field for ``output``, if it is the only one of a role that has a field; None for the others."""
    only = sum(other.role == output.role for other in outputs) == 1
    return FIELDS.get(output.role) if only else None
