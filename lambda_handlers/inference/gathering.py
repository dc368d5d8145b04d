"""Gathers the answered requests of a busy environment, so that up to a hundred leave one log line.

Log lines are billed by their bytes, and nearly all of a request's are names that are the same for every request.
The embedded metric format accepts a list of up to 100 values for a metric, from which CloudWatch counts each value
as if it had come alone. A function runs only while it handles a request, so what is gathered is written with a
later request: an environment that has been quiet gathers nothing.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Callable
from functools import cache

import msgspec

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.inference.embedded_metrics import Metadata, directives

#: Values of one metric in one line, by the specification.
MOST_REQUESTS = 100
#: Milliseconds after the request before it from which on a request finds a quiet environment.
QUIET_MS = 1_000
#: Milliseconds after which gathered requests are written with the next one.
LONGEST_WAIT_MS = 2_000
_MINUTE_MS = 60_000


#: The function, its version, the model's name and version: on every line.
Identity = tuple[str, str, str, str]


class Times(msgspec.Struct, frozen=True, gc=False):
    """Milliseconds since 1970: a request's arrival at the API by the API's clock, its arrival in the function and
    its end by the function's. An offline cloud may run the API's clock faster than the function's."""

    received: float
    started: float
    ended: int


class Answered(msgspec.Struct, frozen=True, gc=False):
    """An answered request: what is counted of it. ``rows`` is 0 without a run of the graph."""

    route: str
    latency_ms: float
    rows: int
    model_ms: float
    prediction: int | None


class GatheredLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Several answered requests as a log line: a metric's value is the list of theirs. ``route`` is None if they
    had several."""

    function: str = msgspec.field(name=signals.DIMENSION_FUNCTION)
    version: str = msgspec.field(name=signals.DIMENSION_VERSION)
    model: str = msgspec.field(name="Model")
    model_version: str = msgspec.field(name="ModelVersion")
    requests: int = msgspec.field(name=signals.FIELD_REQUESTS)
    latency_ms: list[float] = msgspec.field(name=signals.METRIC_LATENCY)
    errors: msgspec.Raw = msgspec.field(name=signals.METRIC_ERRORS)
    rejected: msgspec.Raw = msgspec.field(name=signals.METRIC_REJECTED)
    non_finite: msgspec.Raw = msgspec.field(name=signals.METRIC_NON_FINITE)
    metadata: Metadata = msgspec.field(name="_aws")
    route: str | None = msgspec.field(name="Route", default=None)
    rows: list[int] | None = msgspec.field(name=signals.METRIC_ROWS, default=None)
    model_ms: list[float] | None = msgspec.field(name=signals.METRIC_MODEL_TIME, default=None)
    prediction: list[int] | None = msgspec.field(name=signals.METRIC_PREDICTION, default=None)
    bins: str | None = msgspec.field(name=signals.DIMENSION_BINS, default=None)


class Gathering:
    """The environment's gathered requests, all of one minute by either clock."""

    def __init__(self, identity: Identity, bins: str | None, encode: Callable[[object], bytes]) -> None:
        """``bins`` is the id of the predictions' bins; ``encode`` writes JSON."""
        self._identity = identity
        self._bins = bins
        self._encode = encode
        self.clear()

    def clear(self) -> None:
        """Forget all requests, as in a copy of an environment that has written them."""
        self._answered: list[Answered] = []
        self._oldest = self._newest = Times(0.0, 0.0, 0)

    def arrive(self, times: Times) -> bool:
        """Whether a request with these ``times`` finds a busy environment: the one before it arrived less than a
        second earlier, by either clock. To be called once a live request, in order."""
        before, self._newest = self._newest, times
        # Requests may reach the function in another order than the API.
        return abs(times.received - before.received) < QUIET_MS and abs(times.started - before.started) < QUIET_MS

    def add(self, request: Answered, times: Times) -> bytes:
        """Gather ``request``; returns the lines to be written now, empty for none."""
        oldest, lines = self._oldest, b""
        if not self._answered:
            self._oldest = times
        elif (
            times.ended // _MINUTE_MS != oldest.ended // _MINUTE_MS
            or times.received // _MINUTE_MS != oldest.received // _MINUTE_MS
        ):
            lines, self._oldest = self.take(), times
        self._answered.append(request)
        if (
            len(self._answered) == MOST_REQUESTS
            or times.started - self._oldest.started >= LONGEST_WAIT_MS
            or times.received - self._oldest.received >= LONGEST_WAIT_MS
        ):
            lines += self.take()
        return lines

    def take(self) -> bytes:
        """The line of what is gathered, newline included, empty if nothing is; then nothing is gathered."""
        answered = self._answered
        if not answered:
            return b""
        self._answered = []
        count, route = len(answered), answered[0].route
        scored = [request for request in answered if request.rows]
        predictions = [request.prediction for request in answered if request.prediction is not None]
        zeros = _zeros(count)
        line = GatheredLine(
            *self._identity,
            count,
            [request.latency_ms for request in answered],
            zeros,
            zeros,
            zeros,
            Metadata(
                self._oldest.ended, directives(False, False, bool(scored), bool(predictions), rejected=False)
            ),
            route if all(request.route == route for request in answered) else None,
            [request.rows for request in scored] if scored else None,
            [request.model_ms for request in scored] if scored else None,
            predictions or None,
            self._bins if predictions else None,
        )
        return self._encode(line) + b"\n"


@cache
def _zeros(count: int) -> msgspec.Raw:
    """A list of ``count`` zeros: what answered requests have of errors."""
    return msgspec.Raw(b"[" + b",".join([b"0"] * count) + b"]")
