"""Chooses the precision that a model is shipped in: builds candidates, measures them, takes the best in tolerance.

The rule is stable between runs, as file sizes are: the smallest file that equals the source wins if it saves at
least a fifth; a candidate is dropped only where its latency exceeds both twice the plain graph's and that plus
50 us. Equal is what agrees in every row, or, with labelled rows, what is no worse by any metric's paired interval.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.agreement import LEAST_COSINE, Agreement, Outputs, compare
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.convert.half_storage import LEAST_NUMBERS, store_as
from serinus.modelpack.convert.packed_attributes import pack_lists
from serinus.modelpack.convert.quantize import LEAST_WEIGHTS, quantize_dynamic, quantize_int4, quantize_static
from serinus.modelpack.convert.tree_format import tree_form
from serinus.modelpack.errors import ConversionError, PrecisionError, first_line
from serinus.modelpack.labelled import Labelled, edge_tolerance
from serinus.modelpack.measurements import Measurement
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import Graph

if TYPE_CHECKING:
    from serinus.modelpack.robustness.gate import Gate

_SAVES = 0.8
_SLOWER, _SLOWER_US = 2.0, 50.0
_SINGLE_ROWS = 64
_CALIBRATION_ROWS = 1000
#: Their activations are quantized by the range of all rows of a call.
_DEPENDS_ON_OTHER_ROWS = ("int8",)
_STORED = ("float32", "float16")


def choose_precision(
    plain: Graph,
    sample: Sample,
    expected: Expected,
    tolerance: Tolerance,
    requested: str,
    max_bytes: int,
    gate: "Gate | None" = None,
    labelled: Labelled | None = None,
) -> tuple[Graph, tuple[Measurement, ...]]:
    """The graph in the precision ``requested``, and the table of all. ``plain`` agrees already; where it exceeds
    ``max_bytes``, slower ones are eligible too; ``gate`` compares edge cases as well, and ``labelled`` rows judge
    those that do not agree. Raises `PrecisionError` where a requested precision does not apply or is out of
    tolerance."""
    form = tree_form(plain.model)
    graphs = {plain.precision: pack_lists(plain.model)}
    table = [_measure(plain.precision, graphs[plain.precision], sample, expected, tolerance)]
    for name, make in _candidates(plain, sample, expected):
        if name == plain.precision:
            continue
        try:
            model = make()
        except Exception as error:  # noqa: BLE001 - a quantizer that fails is a line of the table
            table.append(Measurement(name, note=f"cannot be built: {first_line(error)}"))
            continue
        if model is None:
            table.append(Measurement(name, note=_unchanged_note(name, form)))
            continue
        graphs[name] = pack_lists(model)
        measured = _apply_gate(
            _measure(name, graphs[name], sample, expected, tolerance), graphs[name], sample, tolerance, gate
        )
        table.append(_judge_by_labels(measured, graphs[name], sample, expected, tolerance, gate, labelled))
    selected = (
        _select_requested(table, requested, tolerance) if requested != "auto" else _select_best(table, max_bytes)
    )
    marked = tuple(
        replace(line, chosen=line.precision == selected, form=form if line.agreement else "") for line in table
    )
    return Graph(graphs[selected], selected), marked


def _unchanged_note(name: str, form: str) -> str:
    if form:
        return f"changes nothing: trees hold no matrices to quantize; they are written as {form}"
    if name in _STORED:
        return f"changes nothing: no tensor of {LEAST_NUMBERS} or more numbers is stored wider"
    return f"changes nothing: no product by {LEAST_WEIGHTS} or more weights is in single precision"


def _candidates(
    plain: Graph, sample: Sample, expected: Expected
) -> Iterator[tuple[str, Callable[[], bytes | None]]]:
    yield "float32", lambda: store_as(plain.model, np.float32)
    yield "float16", lambda: store_as(plain.model, np.float16)
    yield "int8", lambda: quantize_dynamic(plain.model)
    rows = expected.frame.iloc[: min(_CALIBRATION_ROWS, expected.sample_rows)]
    yield "int8-static", lambda: quantize_static(plain.model, [Runner(plain.model, sample).feeds(rows)])
    yield "int4", lambda: quantize_int4(plain.model)


def _measure(name: str, model: bytes, sample: Sample, expected: Expected, tolerance: Tolerance) -> Measurement:
    begun = time.perf_counter()
    try:
        runner = Runner(model, sample, threads=1)
        session_ms = (time.perf_counter() - begun) * 1e3
        got = runner(expected.frame)
    except (ConversionError, RuntimeError) as error:
        return Measurement(name, len(model), note=f"cannot be run: {first_line(error)}")
    agreement = _merge_worst(
        compare(expected.outputs, got, tolerance),
        _compare_single_rows(runner, expected, tolerance, name in _DEPENDS_ON_OTHER_ROWS),
    )
    hundred = expected.frame.iloc[np.arange(100) % expected.sample_rows]
    return Measurement(
        precision=name,
        size_bytes=len(model),
        session_ms=round(session_ms, 2),
        one_row_us=_fastest_us(runner, runner.feeds(expected.frame.head(1)), 40),
        hundred_rows_us=_fastest_us(runner, runner.feeds(hundred), 15),
        agreement=agreement,
        note="" if agreement.agrees else "out of tolerance",
    )


def _apply_gate(
    line: Measurement, model: bytes, sample: Sample, tolerance: Tolerance, gate: "Gate | None"
) -> Measurement:
    """The line, out of tolerance where edge cases near the sample, or strings, differ from the source."""
    if gate is None or line.agreement is None or not line.agreement.agrees:
        return line
    differences = gate.differences(Runner(model, sample, threads=1), tolerance)
    if not differences:
        return line
    agreement = replace(line.agreement, agrees=False)
    return replace(line, agreement=agreement, note=_describe_differences(differences))


def _judge_by_labels(
    line: Measurement,
    model: bytes,
    sample: Sample,
    expected: Expected,
    tolerance: Tolerance,
    gate: "Gate | None",
    labelled: Labelled | None,
) -> Measurement:
    """The line with its verdict by labels, where it does not agree in every row."""
    if labelled is None or line.agreement is None or line.agreement.agrees:
        return line
    runner = Runner(model, sample, threads=1)
    together = line.precision not in _DEPENDS_ON_OTHER_ROWS
    run = runner if together else partial(_run_in_parts, runner)
    verdict = labelled.judge(run, tolerance, (expected.outputs, run(expected.frame)))
    if not verdict.is_equal:
        return replace(line, verdict=verdict, note=verdict.summary())
    differences = () if gate is None else gate.differences(runner, edge_tolerance(verdict.tolerance))
    if differences:
        verdict = replace(verdict, differs_on_edges=True)
        return replace(line, verdict=verdict, note=_describe_differences(differences))
    return replace(line, verdict=verdict, note=f"equal by labels: {verdict.summary()}")


def _run_in_parts(runner: Runner, frame: pd.DataFrame) -> Outputs:
    """The outputs for few rows at a time, as requests hold them, where rows depend on those beside them."""
    starts = range(0, len(frame), _SINGLE_ROWS)
    parts = [runner(frame.iloc[start : start + _SINGLE_ROWS]) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _describe_differences(differences: tuple[str, ...]) -> str:
    more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
    return f"differs on edge cases: {differences[0]}{more}"


def _compare_single_rows(
    runner: Runner, expected: Expected, tolerance: Tolerance, is_quantized: bool
) -> Agreement | None:
    """Dynamically quantized activations depend on the other rows of a call, so single rows are compared too."""
    if not is_quantized:
        return None
    rows = np.unique(np.linspace(0, len(expected.frame) - 1, num=_SINGLE_ROWS).astype(int))
    single = [runner(expected.frame.iloc[[row]]) for row in rows]
    got = {name: np.concatenate([outputs[name] for outputs in single]) for name in expected.outputs}
    return compare({name: values[rows] for name, values in expected.outputs.items()}, got, tolerance)


def _merge_worst(whole: Agreement, single: Agreement | None) -> Agreement:
    if single is None:
        return whole
    return replace(
        whole,
        agrees=whole.agrees and single.agrees,
        labels_equal=min(whole.labels_equal, single.labels_equal),
        max_abs_difference=max(whole.max_abs_difference, single.max_abs_difference),
        max_rel_difference=max(whole.max_rel_difference, single.max_rel_difference),
        cosine=None if whole.cosine is None or single.cosine is None else min(whole.cosine, single.cosine),
    )


def _fastest_us(runner: Runner, feeds: dict[str, Any], times: int) -> float:
    """The fastest of several calls: other load on the machine only adds time."""
    durations_s = []
    for _ in range(times):
        begun = time.perf_counter()
        runner.run(feeds)
        durations_s.append(time.perf_counter() - begun)
    return round(min(durations_s) * 1e6, 1)


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
        if not line.is_equal or (fits and _is_slower(line, plain)):
            continue
        size, least = line.size_bytes or 0, best.size_bytes or 0
        if size <= _SAVES * least or (size < least and least > max_bytes):
            best = line
    return best.precision


def _is_slower(line: Measurement, plain: Measurement) -> bool:
    pairs = ((line.one_row_us, plain.one_row_us), (line.hundred_rows_us, plain.hundred_rows_us))
    return any((mine or 0.0) > max(_SLOWER * (its or 0.0), (its or 0.0) + _SLOWER_US) for mine, its in pairs)


def _select_requested(table: list[Measurement], requested: str, tolerance: Tolerance) -> str:
    line = next((line for line in table if line.precision == requested), None)
    if line is None or line.agreement is None:
        why = line.note if line is not None else "it does not apply"
        raise PrecisionError(f"precision {requested} is not available: {why}. Use --precision auto.", requested)
    agreement = line.agreement
    if not line.is_equal:
        by_labels = "" if line.verdict is None else f", and on labelled rows {line.note}"
        raise PrecisionError(
            f"precision {requested} is out of tolerance: labels equal in {agreement.labels_equal:.4%} (required: "
            f"{tolerance.labels:.4%}), largest difference {agreement.max_abs_difference:.3g} (atol "
            f"{tolerance.atol:g}, rtol {tolerance.rtol:g}){_cosine_note(agreement, tolerance)}{by_labels}. Allow "
            "more with --labels, --atol, --rtol and, for embeddings, --cosine, or use --precision auto.",
            requested,
        )
    return requested


def _cosine_note(agreement: Agreement, tolerance: Tolerance) -> str:
    if agreement.cosine is None:
        return ""
    least = LEAST_COSINE if tolerance.cosine is None else tolerance.cosine
    return f", least cosine {agreement.cosine:.6f} (at least {least:g})"
