"""The errors for graphs that fail on edge cases."""

from collections.abc import Sequence

from serinus.lambda_handlers.contract.agreement import Agreement
from serinus.modelpack.errors import ParityError
from serinus.modelpack.robustness.report import Robustness

_SHOWN = 5
_NEXT = (
    "Replace the step that causes it, add such rows to the sample so that they are compared, or accept it with "
    "--allow-fragile."
)


def edge_case_error(differences: Sequence[str], agreement: Agreement) -> ParityError:
    """The error for a graph that differs from the source in ``differences``."""
    more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    shown = "; ".join(differences[:_SHOWN])
    return ParityError(
        f"the ONNX graph agrees on the sample but differs from the source on edge cases: {shown}{more}. {_NEXT}",
        agreement,
    )


def fragile_endpoint_error(robustness: Robustness, agreement: Agreement) -> ParityError:
    """The error for a bundle whose endpoint would differ from the source on edge cases."""
    failing = [counts for counts in robustness.lines if counts.differs + counts.unguarded]
    shown = "; ".join(f"{counts.probe} ({counts.summary()}) in {counts.where() or 'all'}" for counts in failing)
    return ParityError(f"the endpoint would differ from the source on edge cases: {shown}. {_NEXT}", agreement)
