"""The errors for graphs that fail on hard values."""

from collections.abc import Sequence

from serinus.lambda_handlers.contract.agreement import Agreement
from serinus.modelpack.errors import ParityError
from serinus.modelpack.robustness.report import Robustness

_SHOWN = 5
_NEXT = (
    "Replace the step that causes it, add such rows to the sample to see them compared, or let it pass with "
    "--allow-fragile."
)


def refuse_hard(differences: Sequence[str], agreement: Agreement) -> ParityError:
    """The error for a graph that answers ``differences`` otherwise than the source."""
    more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    shown = "; ".join(differences[:_SHOWN])
    return ParityError(
        f"the ONNX graph agrees on the sample but answers hard values otherwise than the source: {shown}{more}. "
        f"{_NEXT}",
        agreement,
    )


def refuse_fragile(robustness: Robustness, agreement: Agreement) -> ParityError:
    """The error for a bundle whose endpoint would answer hard values otherwise than the source."""
    lines = [line for line in robustness.lines if line.differs + line.unguarded]
    shown = "; ".join(f"{line.probe} ({line.told()}) in {line.where() or 'all'}" for line in lines)
    return ParityError(
        f"the endpoint would answer hard values otherwise than the source: {shown}. {_NEXT}", agreement
    )
