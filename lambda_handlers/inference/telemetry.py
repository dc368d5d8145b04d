"""Makes the log lines of requests, from which CloudWatch extracts the endpoint's metrics.

A request keeps a line of its own if somebody may look for it: an error, a refusal, a response that is not finite,
an environment's first, one in many, and any that finds the environment quiet. Other live requests are gathered.
Golden requests leave a plain line: the judge has seen their responses, and they must not count as live traffic.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.contract.files import read_file
from serinus.lambda_handlers.inference.embedded_metrics import Metadata, directives
from serinus.lambda_handlers.inference.errors import BadSetting
from serinus.lambda_handlers.inference.gathering import Answered, Gathering, Identity, Times
from serinus.lambda_handlers.inference.problems import Problem
from serinus.lambda_handlers.inference.tensors import Array, Feeds

if TYPE_CHECKING:
    from serinus.lambda_handlers.inference.profile import Profile

#: Statuses of responses that reject the caller's input.
REJECTIONS = frozenset({400, 413, 415, 422})

#: Of an ARN that ends with an alias or a version.
_QUALIFIED_PARTS = 8


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request as a log line; metrics carry their names in CloudWatch.

    ``outcome`` is "answered" or the end of the problem's type; ``route`` is one of the endpoint's, or "other": no
    value here is chosen by a caller. ``qualifier`` is that of a request that was not for the endpoint's alias.
    ``rows`` and ``model_ms`` are the graph's. ``request_id`` is API Gateway's, ``invocation_id`` Lambda's, under
    which its own lines and Python's are logged.
    """

    function: str = msgspec.field(name=signals.DIMENSION_FUNCTION)
    version: str = msgspec.field(name=signals.DIMENSION_VERSION)
    model: str = msgspec.field(name="Model")
    model_version: str = msgspec.field(name="ModelVersion")
    request_id: str = msgspec.field(name="RequestId")
    invocation_id: str = msgspec.field(name="InvocationId")
    route: str = msgspec.field(name="Route")
    outcome: str = msgspec.field(name=signals.DIMENSION_OUTCOME)
    rows: int = msgspec.field(name=signals.METRIC_ROWS)
    model_ms: float = msgspec.field(name=signals.METRIC_MODEL_TIME)
    status: int = msgspec.field(name="Status")
    latency_ms: float = msgspec.field(name=signals.METRIC_LATENCY)
    errors: int = msgspec.field(name=signals.METRIC_ERRORS)
    rejected: int = msgspec.field(name=signals.METRIC_REJECTED)
    non_finite: int = msgspec.field(name=signals.METRIC_NON_FINITE)
    init_ms: float | None = msgspec.field(name=signals.METRIC_INIT, default=None)
    first: int | None = msgspec.field(name=signals.METRIC_FIRST, default=None)
    prediction: int | None = msgspec.field(name=signals.METRIC_PREDICTION, default=None)
    bins: str | None = msgspec.field(name=signals.DIMENSION_BINS, default=None)
    qualifier: str | None = msgspec.field(name="Qualifier", default=None)
    probe: bool = msgspec.field(name="Probe", default=False)
    metadata: Metadata | None = msgspec.field(name="_aws", default=None)


class Telemetry:
    """Makes the lines of requests. Between calls it holds the environment's init time and that it is new, until
    the first request has logged them, the gathered requests, and the current request's events (as
    `scoring.Observer`)."""

    def __init__(
        self,
        identity: Identity,
        *,
        init_ms: float | None,
        bin_of: Callable[[Sequence[Array]], int | None],
        bins: str | None,
        keep_one_in: int = 1,
        profile: "Profile | None" = None,
    ) -> None:
        """One live request in ``keep_one_in`` has a line of its own however busy the environment is; with 1 all
        have. ``profile`` counts what live requests hold."""
        self._identity = identity
        self._init_ms = init_ms
        self._new = True
        self._bin_of = bin_of
        self._bins = bins
        self._keep_one_in = keep_one_in
        self._profile = profile
        self._live = 0
        self.forget()
        self._encode = msgspec.json.Encoder().encode
        self._gathering = Gathering(identity, bins, self._encode)

    @property
    def is_new(self) -> bool:
        """Whether no request of the environment has been logged yet."""
        return self._new

    def prepare(self) -> None:
        """Load what a later request would have to wait for."""
        if self._profile is not None:
            self._profile.prepare()

    def restored(self) -> None:
        """Begin as a copy of the environment: what it has gathered and counted is not this copy's."""
        self._gathering.clear()
        if self._profile is not None:
            self._profile.begin_anew()
        self.forget()

    def forget(self) -> None:
        """Reset the request's events, as before a request."""
        self._route = "other"
        self._outcome = "answered"
        self._prediction: int | None = None
        self._rows = 0
        self._model_ms = 0.0
        self._feeds: Feeds | None = None
        self._outputs: Sequence[Array] = ()

    def routed(self, name: str) -> None:
        """The request is for the route of ``name``."""
        self._route = name

    def scored(self, feeds: Feeds, outputs: Sequence[Array], model_ms: float) -> None:
        """The graph returned ``outputs``, in signature order, for ``feeds`` after ``model_ms`` milliseconds."""
        self._feeds, self._outputs = feeds, outputs
        self._prediction = self._bin_of(outputs)
        self._rows = len(outputs[0])
        self._model_ms = round(model_ms, 3)

    def refused(self, problem: Problem) -> None:
        """The response is ``problem``."""
        self._outcome = problem.type.rpartition(":")[2]

    def lines(
        self,
        request_id: str,
        status: int,
        duration_ms: float,
        *,
        invocation_id: str,
        non_finite: bool,
        probe: bool,
        qualifier: str | None,
        times: Times,
    ) -> bytes:
        """The lines that the end of a request lets write, newlines included, oldest first; empty while the request
        is gathered. ``duration_ms`` excludes init."""
        live = not probe and qualifier is None
        rejected = status in REJECTIONS
        profile_lines = b""
        prediction = self._prediction if status == 200 else None
        if live:
            if self._profile is not None:
                feeds = self._feeds if status == 200 else None
                profile_lines = self._profile.answered(times.received, rejected, feeds, self._outputs)
            busy = self._gathering.arrive(times)
            self._live += 1
            kept = self._new or non_finite or self._outcome != "answered" or status >= 400
            if busy and not kept and self._live % self._keep_one_in:
                answered = Answered(self._route, round(duration_ms, 3), self._rows, self._model_ms, prediction)
                return profile_lines + self._gathering.add(answered, times)
        init_ms, self._init_ms = self._init_ms, None
        first, self._new = (1 if self._new and init_ms is None else None), False
        metadata = None
        if live:
            metrics = directives(
                init_ms is not None, first is not None, self._rows > 0, prediction is not None, rejected
            )
            metadata = Metadata(times.ended, metrics)
        line = Line(
            *self._identity,
            request_id,
            invocation_id,
            self._route,
            self._outcome,
            self._rows,
            self._model_ms,
            status,
            round(duration_ms + (init_ms or 0.0), 3),
            int(status >= 500),
            int(rejected),
            int(non_finite),
            init_ms,
            first,
            prediction,
            None if prediction is None else self._bins,
            qualifier,
            probe,
            metadata,
        )
        return profile_lines + self._gathering.take() + self._encode(line) + b"\n"


def read_keep_one_in(environ: Mapping[str, str]) -> int:
    """Of how many live requests one keeps a line of its own, 1 for "all"; raises `BadSetting`."""
    text = environ.get(signals.ENV_REQUEST_LOG) or str(signals.DEFAULT_REQUEST_LOG)
    if text == signals.REQUEST_LOG_ALL:
        return 1
    if not text.isdecimal() or int(text) == 0:
        raise BadSetting(
            f'{signals.ENV_REQUEST_LOG} is {text!r}; it must be "{signals.REQUEST_LOG_ALL}" or a positive '
            f"integer, or unset for {signals.DEFAULT_REQUEST_LOG}."
        )
    return int(text)


def is_probe(event: Mapping[str, Any]) -> bool:
    """Whether a proxy event is a golden request of a hook."""
    return bool(event["requestContext"].get("stage") == signals.PROBE_STAGE)


def other_qualifier(context: object, alias: str | None) -> str | None:
    """The alias or version that a caller invoked instead of ``alias``; None if it was that alias, or is not known.
    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""
    arn = getattr(context, "invoked_function_arn", "")
    if alias is None or arn.endswith(f":{alias}"):
        return None
    parts = arn.split(":")
    return parts[7] if len(parts) == _QUALIFIED_PARTS else None


def caller_waits_for_init(environ: Mapping[str, str]) -> bool:
    """Whether the environment started for a request: not for SnapStart or provisioned concurrency."""
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") == "on-demand"


def measure_init_ms(environ: Mapping[str, str]) -> float | None:
    """Milliseconds since the process began, to be called at the end of init; None if no caller waited for it, and
    on other systems than Linux."""
    if not caller_waits_for_init(environ) or sys.platform != "linux":
        return None
    start_ticks = int(read_file("/proc/self", "stat").rpartition(b")")[2].split()[19])
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return round((now_s - start_ticks / os.sysconf("SC_CLK_TCK")) * 1000, 3)
