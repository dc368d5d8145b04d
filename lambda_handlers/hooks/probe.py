"""Sends golden requests to one version: does it return, in time and as the right model, the source's outputs?

A wrong response decides at once: models do not err at random. So does a slow cold start, since a retry meets the
environment that has started; `preflight` makes a second one start. No response, or a slow warm one, is retried:
one lost worker is not a bad release.
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
from serinus.lambda_handlers.hooks.errors import NoResponse, NotReady, Throttled
from serinus.lambda_handlers.hooks.version import Version, VersionResponse

ATTEMPTS = 3
#: Seconds between attempts to reach a version that Lambda throttles or is still preparing.
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of golden requests; "unknown" if Lambda throttled them. ``late_start``: only a cold start took
    too long. ``not_ready``: Lambda could not run the version yet."""

    outcome: Literal["passed", "failed", "unknown"]
    detail: str
    late_start: bool = False
    not_ready: bool = False

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def failed(self) -> bool:
        return self.outcome == "failed"


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Milliseconds that a response may take: without init, and with it. Cold starts are limited before traffic;
    later on, they are compared with the stable version's."""

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
        """The same with ``count`` golden rows from ``start`` on, wrapping around: other rows at every look."""
        total = len(self.golden.rows)
        numbers = [(start + step) % total for step in range(min(count, total))]
        outputs = {name: [values[row] for row in numbers] for name, values in self.golden.outputs.items()}
        return Expectation(self.manifest, Golden(tuple(self.golden.rows[row] for row in numbers), outputs))


def probe(version: Version, expected: Expectation, limits: TimeLimits, *, published: str | None = None) -> Probe:
    """Send ``version`` the golden requests. ``published`` is the version number that must respond, by default the
    version's own qualifier."""
    failures, not_ready = [], False
    for _ in range(ATTEMPTS):
        not_ready = False
        try:
            response = version.post("/predict", {"rows": list(expected.golden.rows)})
            failure = _late(response, limits)
            if response.status < 500:
                if mismatch := find_mismatch(response, expected, published or version.qualifier):
                    return Probe("failed", mismatch)
                if failure and response.cold:
                    return Probe("failed", failure, late_start=True)
            else:
                failure = f"it responded {response.status}: {response.body[:300].decode(errors='replace')}"
        except Throttled as error:
            return Probe("unknown", str(error))
        except NoResponse as error:
            failure, not_ready = str(error), isinstance(error, NotReady)
        if failure is None:
            return Probe("passed", f"{len(expected.golden.rows)} golden rows agree")
        failures.append(failure)
    last = f"{ATTEMPTS} attempts in a row failed; the last: {failures[-1]}"
    return Probe("failed", last, not_ready=not_ready)


def probe_until(
    version: Version,
    expected: Expectation,
    limits: TimeLimits,
    deadline: float,
    *,
    published: str | None = None,
) -> Probe:
    """As `probe`, repeated while Lambda throttles it or is not ready, until ``deadline`` (monotonic clock)."""
    while True:
        result = probe(version, expected, limits, published=published)
        if not (result.outcome == "unknown" or result.not_ready) or time.monotonic() + PAUSE_S > deadline:
            return result
        time.sleep(PAUSE_S)


def find_mismatch(response: VersionResponse, expected: Expectation, published: str) -> str | None:
    """The error in a response below 500 to the golden requests; None if it is right."""
    if response.status != 200:
        return (
            f"golden requests are rejected with {response.status}: {response.body[:300].decode(errors='replace')}"
        )
    expected_headers = {HEADER_MODEL_VERSION: expected.manifest.short_version, HEADER_FUNCTION_VERSION: published}
    for header, value in expected_headers.items():
        if response.headers.get(header) != value:
            return f"the response has {header} {response.headers.get(header)}; {value} was released"
    signature = expected.manifest.signature
    try:
        actual = read_response(response.data(), signature.outputs)
        agreement = compare(golden_outputs(expected), actual, expected.manifest.tolerance)
    except (NoResponse, ValueError, TypeError) as error:
        return f"the response cannot be compared with the golden outputs: {error}"
    if agreement.agrees:
        return None
    return (
        f"{agreement.rows_out_of_tolerance} of {agreement.rows} golden rows disagree with the source model "
        f"(worst row {agreement.worst_rows[0]}; largest difference {agreement.max_abs_difference:.3g}, "
        f"equal labels {agreement.labels_equal:.1%})"
    )


def read_response(data: Mapping[str, Any], outputs: Sequence[Output]) -> Outputs:
    """The arrays of a response's columns by output name; raises ValueError if one is missing or ragged."""

    def column(output: Output) -> Any:
        field = field_of(output, outputs)
        holder, name = (data, field) if field else (data.get(OTHERS, {}), output.name)
        if name not in holder:
            raise ValueError(f"the response lacks {name!r}")
        return holder[name]

    return _arrays(outputs, column)


def golden_outputs(expected: Expectation) -> Outputs:
    """The source model's outputs for the golden rows, as `read_response` returns an endpoint's."""
    return _arrays(expected.manifest.signature.outputs, lambda output: expected.golden.outputs[output.name])


def _arrays(outputs: Sequence[Output], column: Callable[[Output], Any]) -> Outputs:
    return {output.name: _array(column(output), output) for output in outputs}


def _array(values: Any, output: Output) -> npt.NDArray[Any]:
    """[rows, ...]; numbers with null as NaN, labels as they are; [rows, 1] as [rows], as in responses."""
    array = np.asarray(values, dtype=np.float64 if output.dtype.startswith("float") else object)
    return array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array


def limit_of(response: VersionResponse, limits: TimeLimits) -> float:
    """Milliseconds that this response might have taken."""
    return limits.cold_ms if response.cold else limits.warm_ms


def _late(response: VersionResponse, limits: TimeLimits) -> str | None:
    limit = limit_of(response, limits)
    if response.duration_ms <= limit:
        return None
    kind = "a cold start" if response.cold else "a warm request"
    return f"{kind} took {response.duration_ms:,.0f} ms; the limit is {limit:,.0f} ms"
