"""Golden requests to one version: does it answer, in time, as the model it should be, what the source model gave?

A wrong answer decides at once: models do not err at random. So does a late start, since whoever asks again meets
what has started. No answer, or a late one without a start, is asked for again: one lost worker is no bad release.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.agreement import Outputs, compare
from serinus.lambda_handlers.contract.bundle import Golden, Manifest, read_golden, read_manifest
from serinus.lambda_handlers.contract.columns import OTHERS, field_of
from serinus.lambda_handlers.contract.files import Folder
from serinus.lambda_handlers.contract.signals import HEADER_FUNCTION_VERSION, HEADER_MODEL_VERSION
from serinus.lambda_handlers.contract.signature import Output
from serinus.lambda_handlers.hooks.errors import NoAnswer, Throttled
from serinus.lambda_handlers.hooks.version import Reply, Version

ATTEMPTS = 3
#: Seconds between attempts to reach a version that Lambda throttles.
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Probe:
    """What golden requests came to; "unknown" where Lambda did not let them through."""

    outcome: Literal["passed", "failed", "unknown"]
    detail: str

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def failed(self) -> bool:
        return self.outcome == "failed"


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Milliseconds that an answer may take: without init, and with it. How environments start is limited before
    traffic; later on, starts are compared with the stable version's."""

    warm_ms: float
    cold_ms: float = math.inf


@dataclass(frozen=True, slots=True)
class Expectation:
    """The bundle that a version should serve, as far as probes need it."""

    manifest: Manifest
    golden: Golden

    @classmethod
    def read(cls, folder: Folder) -> "Expectation":
        """From a model layer's folder; raises `ContractError`."""
        return cls(read_manifest(folder), read_golden(folder))

    def slice(self, start: int, count: int) -> "Expectation":
        """The same with ``count`` golden rows from ``start`` on, going round: other rows at every look."""
        total = len(self.golden.rows)
        chosen = [(start + step) % total for step in range(min(count, total))]
        outputs = {name: [values[row] for row in chosen] for name, values in self.golden.outputs.items()}
        return Expectation(self.manifest, Golden(tuple(self.golden.rows[row] for row in chosen), outputs))


def probe(version: Version, expected: Expectation, limits: TimeLimits, *, published: str | None = None) -> Probe:
    """Ask ``version`` the golden requests. ``published`` is the version number that must answer, by default the
    version's own qualifier."""
    troubles = []
    for _ in range(ATTEMPTS):
        try:
            reply = version.post("/predict", {"rows": list(expected.golden.rows)})
            trouble = _late(reply, limits)
            if reply.status < 500:
                if wrong := find_wrong(reply, expected, published or version.qualifier):
                    return Probe("failed", wrong)
                if trouble and reply.cold:
                    return Probe("failed", trouble)
            else:
                trouble = f"it answered {reply.status}: {reply.body[:300].decode(errors='replace')}"
        except Throttled as error:
            return Probe("unknown", str(error))
        except NoAnswer as error:
            trouble = str(error)
        if trouble is None:
            return Probe("passed", f"{len(expected.golden.rows)} golden rows agree")
        troubles.append(trouble)
    return Probe("failed", f"{ATTEMPTS} attempts in a row failed, the last so: {troubles[-1]}")


def probe_until(
    version: Version,
    expected: Expectation,
    limits: TimeLimits,
    deadline: float,
    *,
    published: str | None = None,
) -> Probe:
    """As `probe`, again while Lambda does not let it through, until ``deadline`` on the monotonic clock."""
    while True:
        found = probe(version, expected, limits, published=published)
        if found.outcome != "unknown" or time.monotonic() + PAUSE_S > deadline:
            return found
        time.sleep(PAUSE_S)


def find_wrong(reply: Reply, expected: Expectation, published: str) -> str | None:
    """What is wrong with an answer below 500 to the golden requests; None when it is right."""
    if reply.status != 200:
        return f"golden requests are refused with {reply.status}: {reply.body[:300].decode(errors='replace')}"
    wanted = {HEADER_MODEL_VERSION: expected.manifest.short_version, HEADER_FUNCTION_VERSION: published}
    for header, value in wanted.items():
        if reply.headers.get(header) != value:
            return f"the answer names {header} {reply.headers.get(header)}; {value} was released"
    signature = expected.manifest.signature
    try:
        actual = read_answer(reply.data(), signature.outputs)
        agreement = compare(_golden_outputs(expected), actual, expected.manifest.tolerance)
    except (NoAnswer, ValueError, TypeError) as error:
        return f"the answer cannot be compared with the golden outputs: {error}"
    if agreement.agrees:
        return None
    return (
        f"{agreement.rows_out_of_tolerance} of {agreement.rows} golden rows disagree with the source model "
        f"(worst row {agreement.worst_rows[0]}; largest difference {agreement.max_abs_difference:.3g}, "
        f"equal labels {agreement.labels_equal:.1%})"
    )


def read_answer(data: Mapping[str, Any], outputs: Sequence[Output]) -> Outputs:
    """The arrays of an answer's columns by output name; raises ValueError where one is missing or ragged."""

    def column(output: Output) -> Any:
        field = field_of(output, outputs)
        holder, name = (data, field) if field else (data.get(OTHERS, {}), output.name)
        if name not in holder:
            raise ValueError(f"the answer lacks {name!r}")
        return holder[name]

    return _arrays(outputs, column)


def _golden_outputs(expected: Expectation) -> Outputs:
    return _arrays(expected.manifest.signature.outputs, lambda output: expected.golden.outputs[output.name])


def _arrays(outputs: Sequence[Output], column: Callable[[Output], Any]) -> Outputs:
    return {output.name: _array(column(output), output) for output in outputs}


def _array(values: Any, output: Output) -> npt.NDArray[Any]:
    """[rows, ...]; numbers with null as NaN, labels as they are; [rows, 1] as [rows], the way answers give it."""
    array = np.asarray(values, dtype=np.float64 if output.dtype.startswith("float") else object)
    return array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array


def _late(reply: Reply, limits: TimeLimits) -> str | None:
    limit = limits.cold_ms if reply.cold else limits.warm_ms
    if reply.duration_ms <= limit:
        return None
    kind = "a cold start" if reply.cold else "a warm request"
    return f"{kind} took {reply.duration_ms:,.0f} ms; the limit is {limit:,.0f} ms"
