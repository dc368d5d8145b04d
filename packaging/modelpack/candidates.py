"""Builds a model's graph in each precision, and measures each against the source."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.acceptance import find_violations
from serinus.lambda_handlers.contract.agreement import Agreement, Outputs, compare
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.acceptance import AcceptanceTest
from serinus.modelpack.convert.half_storage import LEAST_NUMBERS, store_as
from serinus.modelpack.convert.packed_attributes import pack_lists
from serinus.modelpack.convert.quantization.four_bits import store_in_int4
from serinus.modelpack.convert.quantization.products import Calibration, quantize_dynamic, quantize_static
from serinus.modelpack.convert.quantization.sensitivity import distance, rank_by_cost
from serinus.modelpack.convert.quantization.stored_weights import LEAST_WEIGHTS, store_in_int8
from serinus.modelpack.convert.tree_format import tree_form
from serinus.modelpack.errors import ConversionError, first_line
from serinus.modelpack.labelled import Labelled, edge_tolerance
from serinus.modelpack.measurements import Measurement
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources.source import Graph

if TYPE_CHECKING:
    from serinus.modelpack.robustness.gate import Gate

_SINGLE_ROWS = 64
#: Rows of numbers that activations are calibrated on, and rows where activations are large: of tensors, and in
#: graphs of so many bytes.
_CALIBRATION_ROWS, _CALIBRATION_ROWS_IF_LARGE, _LARGE_BYTES = 1000, 64, 5_000_000
#: Rows on which the cost of single tensors is measured.
_SENSITIVITY_ROWS = 128
#: Numbers of tensors that are kept wide, in turn.
_KEPT_WIDE = (1, 2, 3, 4, 6, 8)
#: Histograms of larger graphs' activations take longer than they save.
_LARGEST_CALIBRATED_BYTES = 50_000_000
#: Timing of a slow graph ends after so many calls and seconds.
_FEWEST_CALLS, _MOST_TIMING_S = 5, 0.5
#: Calls of two graphs in turn, by whose median ratio they are compared again.
_TURNS = 9
_STORED = ("float32", "float16")
#: Activations are quantized by the range of all rows of a call.
_DEPENDS_ON_OTHER_ROWS = ("int8-dynamic",)

Store = Callable[[bytes, tuple[str, ...]], bytes | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A graph and its measurement; no graph where it cannot be built or changes nothing."""

    line: Measurement
    model: bytes | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """All precisions of ``plain``, which agrees with its source already. ``gate`` compares edge cases, where there
    is one, and ``labelled`` rows judge graphs that do not agree in every row."""

    plain: Graph
    sample: Sample
    expected: Expected
    tolerance: Tolerance
    gate: "Gate | None" = None
    labelled: Labelled | None = None
    accepted: AcceptanceTest | None = None
    #: Called with the name of each precision before it is built.
    begin: Callable[[str], object] = str
    #: Of the tolerance, what a smaller graph may use on the sample: other rows may differ more.
    margin: float = 1.0

    def measure_all(self, largest_share: float) -> Iterator[Candidate]:
        """The plain graph, then every other precision. Of graphs that labels refuse, the costliest weights are
        kept wide as long as the graph is at most ``largest_share`` of the plain one."""
        model = pack_lists(self.plain.model)
        plain = self._measure(self.plain.precision, model)
        yield Candidate(plain, model)
        for name, make in self._precisions():
            if name == self.plain.precision:
                continue
            self.begin(name)
            candidate = self._build(name, make)
            store: Store | None = {"int8": store_in_int8, "int4": store_in_int4}.get(name)
            if store is not None and candidate.model is not None and self._may_be_mixed(candidate.line):
                self.begin(f"{name} with some weights wider")
                candidate = self._keep_wide(candidate, store, int(largest_share * len(model))) or candidate
            yield self._time_again(candidate, plain)

    def _time_again(self, candidate: Candidate, plain: Measurement) -> Candidate:
        """The candidate with times by the plain graph's, both measured in turn, where it would be dropped as
        slower: other load on the machine, which comes and goes, must not decide."""
        line, model = candidate.line, candidate.model
        if model is None or not line.is_equal or not line.is_slower_than(plain):
            return candidate
        runners = [Runner(item, self.sample, threads=1) for item in (pack_lists(self.plain.model), model)]
        times = []
        for rows, own, its in (
            (1, line.one_row_us, plain.one_row_us),
            (100, line.hundred_rows_us, plain.hundred_rows_us),
        ):
            feeds = runners[0].feeds(self._first_rows(rows))
            pairs = [[_time_us(runner, feeds) for runner in runners] for _ in range(_TURNS)]
            ratio = float(np.median([after / before for before, after in pairs]))
            times.append(round(min(own or 0.0, ratio * (its or 0.0)), 1))
        return replace(candidate, line=replace(line, one_row_us=times[0], hundred_rows_us=times[1]))

    def _first_rows(self, count: int) -> pd.DataFrame:
        return self.expected.frame.iloc[np.arange(count) % self.expected.sample_rows]

    def _precisions(self) -> Iterator[tuple[str, Callable[[], bytes | None]]]:
        model = self.plain.model
        yield "float32", lambda: store_as(model, np.float32)
        yield "float16", lambda: store_as(model, np.float16)
        yield "int8", lambda: store_in_int8(model)
        yield "int8-dynamic", lambda: quantize_dynamic(model)
        yield "int8-static", self._calibrated
        yield "int4", lambda: store_in_int4(model)

    def _build(self, name: str, make: Callable[[], bytes | None]) -> Candidate:
        try:
            model = make()
        except Exception as error:  # noqa: BLE001 - a quantizer that fails is a line of the table
            return Candidate(Measurement(name, note=f"cannot be built: {first_line(error)}"), None)
        if model is None:
            return Candidate(Measurement(name, note=_unchanged_note(name, tree_form(self.plain.model))), None)
        packed = pack_lists(model)
        return Candidate(
            self._require_acceptance(self._judge(self._measure(name, packed), packed), packed), packed
        )

    def _require_acceptance(self, line: Measurement, model: bytes) -> Measurement:
        """The line, out of tolerance where the graph fails the acceptance test, which its source passed."""
        if self.accepted is None or line.agreement is None or not line.is_equal:
            return line
        outputs = Runner(model, self.sample, threads=1)(self.accepted.frame)
        violations = find_violations(self.accepted.requirements, outputs)
        if not violations:
            return line
        agreement = replace(line.agreement, agrees=False)
        return replace(line, agreement=agreement, verdict=None, note=f"fails the acceptance test: {violations[0]}")

    def _calibrated(self) -> bytes | None:
        """By the calibration whose outputs are closest; without labels by the plainest: it is refused anyway."""
        is_large = bool(self.sample.shapes) or len(self.plain.model) > _LARGE_BYTES
        most = _CALIBRATION_ROWS_IF_LARGE if is_large else _CALIBRATION_ROWS
        rows = self.expected.frame.iloc[: min(most, self.expected.sample_rows)]
        runner = Runner(self.plain.model, self.sample)
        feeds = runner.feeds(rows)
        methods: tuple[Calibration, ...] = ("minmax",)
        if self.labelled is not None and len(self.plain.model) <= _LARGEST_CALIBRATED_BYTES:
            methods = ("minmax", "percentile", "entropy")
        models = [model for model in (quantize_static(self.plain.model, feeds, item) for item in methods) if model]
        if len(models) < 2:
            return models[0] if models else None
        exact = runner.run(feeds)
        return min(models, key=lambda model: distance(exact, Runner(model, self.sample).run(feeds)))

    def _may_be_mixed(self, line: Measurement) -> bool:
        return line.verdict is not None and line.verdict.has_enough_rows and not line.is_equal

    def _keep_wide(self, refused: Candidate, store: Store, most_bytes: int) -> Candidate | None:
        """The first equal graph with the costliest weights wide; None where there is none."""
        frame = self.expected.frame.head(min(_SENSITIVITY_ROWS, self.expected.sample_rows))

        def run(model: bytes) -> Outputs:
            return Runner(model, self.sample)(frame)

        ranked = rank_by_cost(self.plain.model, store, run)
        name, wider = refused.line.precision, "float16" if refused.line.precision == "int8" else "int8"
        for count in _KEPT_WIDE:
            if count >= len(ranked):
                return None
            model = store(self.plain.model, tuple(ranked[:count]))
            if model is None or len(model) > most_bytes:
                return None
            if not self._is_equal_by_labels(model):
                continue
            mixed = self._build(name, lambda model=model: model)  # type: ignore[misc]
            if mixed.line.is_equal:
                form = f"{count} of {len(ranked)} weights in {wider}"
                return Candidate(replace(mixed.line, form=form), mixed.model)
        return None

    def _is_equal_by_labels(self, model: bytes) -> bool:
        """Whether labels accept the graph: the cheapest of what decides, before it is measured in full."""
        if self.labelled is None:
            return False
        runner = Runner(model, self.sample, threads=1)
        few = slice(0, _SENSITIVITY_ROWS)
        expected = {name: values[few] for name, values in self.expected.outputs.items()}
        return self.labelled.judge(runner, self.tolerance, (expected, runner(self.expected.frame[few]))).is_equal

    def _measure(self, name: str, model: bytes) -> Measurement:
        begun = time.perf_counter()
        try:
            runner = Runner(model, self.sample, threads=1)
            session_ms = (time.perf_counter() - begun) * 1e3
            got = runner(self.expected.frame)
        except (ConversionError, RuntimeError) as error:
            return Measurement(name, len(model), note=f"cannot be run: {first_line(error)}")
        allowed = self.tolerance
        if name != self.plain.precision:
            allowed = allowed._replace(atol=self.margin * allowed.atol, rtol=self.margin * allowed.rtol)
        agreement = compare(self.expected.outputs, got, allowed)
        if name in _DEPENDS_ON_OTHER_ROWS:
            agreement = _merge_worst(agreement, _compare_single_rows(runner, self.expected, allowed))
        return Measurement(
            precision=name,
            size_bytes=len(model),
            session_ms=round(session_ms, 2),
            one_row_us=_fastest_us(runner, runner.feeds(self.expected.frame.head(1)), 40),
            hundred_rows_us=_fastest_us(runner, runner.feeds(self._first_rows(100)), 15),
            agreement=agreement,
            note="" if agreement.agrees else "out of tolerance",
        )

    def _judge(self, line: Measurement, model: bytes) -> Measurement:
        """The line after edge cases near the sample, and strings, and after labels where rows do not agree."""
        if line.agreement is None:
            return line
        runner = Runner(model, self.sample, threads=1)
        if line.agreement.agrees and self.gate is not None:
            differences = self.gate.differences(runner, self.tolerance)
            if differences:
                agreement = replace(line.agreement, agrees=False)
                line = replace(line, agreement=agreement, note=_describe_differences(differences))
        if line.agreement is None or line.agreement.agrees or self.labelled is None:
            return line
        return self._judge_by_labels(line, runner, self.labelled)

    def _judge_by_labels(self, line: Measurement, runner: Runner, labelled: Labelled) -> Measurement:
        alone = line.precision not in _DEPENDS_ON_OTHER_ROWS
        run = runner if alone else partial(_run_in_parts, runner)
        verdict = labelled.judge(run, self.tolerance, (self.expected.outputs, run(self.expected.frame)))
        if not verdict.is_equal:
            return replace(line, verdict=verdict, note=verdict.summary())
        differences = (
            () if self.gate is None else self.gate.differences(runner, *edge_tolerance(verdict.tolerance))
        )
        if differences:
            verdict = replace(verdict, differs_on_edges=True)
            return replace(line, verdict=verdict, note=_describe_differences(differences))
        return replace(line, verdict=verdict, note=f"equal by labels: {verdict.summary()}")


def _unchanged_note(name: str, form: str) -> str:
    if form:
        return f"changes nothing: trees hold no matrices to quantize; they are written as {form}"
    if name in _STORED:
        decisive = " and read by no tree, comparison or ranking" if name == "float16" else ""
        return f"changes nothing: no tensor of {LEAST_NUMBERS} or more numbers is stored wider{decisive}"
    return f"changes nothing: no product by {LEAST_WEIGHTS} or more weights is in single precision"


def _describe_differences(differences: tuple[str, ...]) -> str:
    more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
    return f"differs on edge cases: {differences[0]}{more}"


def _run_in_parts(runner: Runner, frame: pd.DataFrame) -> Outputs:
    """The outputs for few rows at a time, as requests hold them, where rows depend on those beside them."""
    starts = range(0, len(frame), _SINGLE_ROWS)
    parts = [runner(frame.iloc[start : start + _SINGLE_ROWS]) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _compare_single_rows(runner: Runner, expected: Expected, tolerance: Tolerance) -> Agreement:
    """Dynamically quantized activations depend on the other rows of a call, so single rows are compared too."""
    rows = np.unique(np.linspace(0, len(expected.frame) - 1, num=_SINGLE_ROWS).astype(int))
    single = [runner(expected.frame.iloc[[row]]) for row in rows]
    got = {name: np.concatenate([outputs[name] for outputs in single]) for name in expected.outputs}
    return compare({name: values[rows] for name, values in expected.outputs.items()}, got, tolerance)


def _merge_worst(whole: Agreement, single: Agreement) -> Agreement:
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
    durations_s: list[float] = []
    while len(durations_s) < times and (len(durations_s) < _FEWEST_CALLS or sum(durations_s) < _MOST_TIMING_S):
        durations_s.append(_time_us(runner, feeds) / 1e6)
    return round(min(durations_s) * 1e6, 1)


def _time_us(runner: Runner, feeds: dict[str, Any]) -> float:
    begun = time.perf_counter()
    runner.run(feeds)
    return (time.perf_counter() - begun) * 1e6
