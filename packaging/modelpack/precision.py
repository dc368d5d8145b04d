"""Chooses the precision that a model is shipped in: the best of its candidates that equals the source.

The rule is stable between runs, as file sizes are: the smallest file that equals the source wins if it saves at
least a fifth, and of files about as small one that takes half the time; a candidate is dropped only where its
latency exceeds both twice the plain graph's and that plus 50 us. Equal is what agrees in every row, or, with
labelled rows, what is no worse by any metric's paired interval.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from serinus.lambda_handlers.contract.agreement import LEAST_COSINE, Agreement
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.acceptance import AcceptanceTest
from serinus.modelpack.candidates import Candidates
from serinus.modelpack.convert.stored_once import store_once
from serinus.modelpack.convert.tree_format import tree_form
from serinus.modelpack.errors import PrecisionError
from serinus.modelpack.labelled import Labelled
from serinus.modelpack.measurements import NOTICED_US, SLOWER, Measurement
from serinus.modelpack.parity import Expected
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import Graph

if TYPE_CHECKING:
    from serinus.modelpack.robustness.gate import Gate

_SAVES = 0.8
#: The share of the tolerance within which a smaller graph must agree with the sample to be chosen unasked.
_MARGIN = 0.5


def choose_precision(
    plain: Graph,
    sample: Sample,
    expected: Expected,
    tolerance: Tolerance,
    requested: str,
    max_bytes: int,
    gate: "Gate | None" = None,
    labelled: Labelled | None = None,
    accepted: AcceptanceTest | None = None,
    begin: Callable[[str], object] = str,
) -> tuple[Graph, tuple[Measurement, ...]]:
    """The graph in the precision ``requested``, and the table of all. ``plain`` agrees already; where it exceeds
    ``max_bytes``, slower ones are eligible too; ``gate`` compares edge cases as well, and ``labelled`` rows judge
    those that do not agree; all must pass the test ``accepted``. ``begin`` is called with each precision's name
    before it is built. Raises `PrecisionError` where a requested one does not apply or is out of tolerance."""
    form = tree_form(plain.model)
    plain = replace(plain, model=store_once(plain.model))
    margin = _MARGIN if requested == "auto" else 1.0
    candidates = Candidates(plain, sample, expected, tolerance, gate, labelled, accepted, begin, margin)
    graphs: dict[str, bytes] = {}
    table: list[Measurement] = []
    for candidate in candidates.measure_all(_SAVES):
        table.append(candidate.line)
        if candidate.model is not None:
            graphs[candidate.line.precision] = candidate.model
    selected = (
        _select_requested(table, requested, tolerance) if requested != "auto" else _select_best(table, max_bytes)
    )
    marked = tuple(
        replace(line, chosen=line.precision == selected, form=line.form or (form if line.agreement else ""))
        for line in table
    )
    return Graph(graphs[selected], selected), marked


def advise_smaller(table: tuple[Measurement, ...], selected: str, max_bytes: int) -> str:
    """Advice where the graph ``selected`` is larger than ``max_bytes``; empty where no other precision fits."""
    fitting = [line for line in table if line.precision != selected and 0 < (line.size_bytes or 0) < max_bytes]
    best = next((line for line in fitting if line.is_equal), None)
    if best is not None:
        return f"Package with --precision {best.precision}, which fits, or make the model smaller."
    measured = [line for line in fitting if line.agreement is not None]
    if not measured:
        return ""
    named = ", ".join(line.precision for line in measured)
    return (
        "Make the model smaller (fewer or shallower trees, narrower layers), or allow more with --labels, --atol "
        f"and --rtol: {named} would fit and {'is' if len(measured) == 1 else 'are'} out of tolerance."
    )


def advise_labels(table: tuple[Measurement, ...]) -> str:
    """What labelled rows would allow: the candidates that differ and save enough; empty without any."""
    size = next(line.size_bytes or 0 for line in table if line.chosen)
    saving = [
        f"{line.precision} {(line.size_bytes or 0) / size:.2f}x the size"
        for line in table
        if line.agreement is not None and not line.is_equal and 0 < (line.size_bytes or 0) <= _SAVES * size
    ]
    if not saving:
        return ""
    return (
        f"Labelled rows (--holdout FILE --target COLUMN) would show whether a smaller graph is as good: "
        f"{', '.join(saving)}."
    )


def _select_best(table: list[Measurement], max_bytes: int) -> str:
    plain = table[0]
    fits = (plain.size_bytes or 0) <= max_bytes
    best = plain
    for line in table[1:]:
        if not line.is_equal or (fits and line.is_slower_than(plain)):
            continue
        size, least = line.size_bytes or 0, best.size_bytes or 0
        about_as_small = least <= max_bytes and _SAVES * size <= least and _is_much_faster(line, best)
        if size <= _SAVES * least or (size < least and least > max_bytes) or about_as_small:
            best = line
    return best.precision


def _is_much_faster(line: Measurement, best: Measurement) -> bool:
    """Whether it takes half the time of the best so far, one row and a hundred, and the difference is noticed."""
    pairs = ((line.one_row_us, best.one_row_us), (line.hundred_rows_us, best.hundred_rows_us))
    return all((mine or 0.0) <= (its or 0.0) / SLOWER for mine, its in pairs) and any(
        (mine or 0.0) + NOTICED_US <= (its or 0.0) for mine, its in pairs
    )


def _select_requested(table: list[Measurement], requested: str, tolerance: Tolerance) -> str:
    line = next((line for line in table if line.precision == requested), None)
    if line is None or line.agreement is None:
        why = line.note if line is not None else "it does not apply"
        raise PrecisionError(f"precision {requested} is not available: {why}. Use --precision auto.", requested)
    agreement = line.agreement
    if not line.is_equal:
        why = f"{line.note}. Labels are" if line.note not in ("", "out of tolerance") else "labels"
        raise PrecisionError(
            f"precision {requested} is out of tolerance: {why} equal in {agreement.labels_equal:.4%} (required: "
            f"{tolerance.labels:.4%}), largest difference {agreement.max_abs_difference:.3g} (atol "
            f"{tolerance.atol:g}, rtol {tolerance.rtol:g}){_cosine_note(agreement, tolerance)}. Allow "
            "more with --labels, --atol, --rtol and, for embeddings, --cosine, or use --precision auto.",
            requested,
        )
    return requested


def _cosine_note(agreement: Agreement, tolerance: Tolerance) -> str:
    if agreement.cosine is None:
        return ""
    least = LEAST_COSINE if tolerance.cosine is None else tolerance.cosine
    return f", least cosine {agreement.cosine:.6f} (at least {least:g})"
