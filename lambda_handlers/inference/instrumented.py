"""An endpoint that writes lines about its responses to standard output, where the log becomes metrics."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from serinus.lambda_handlers.contract.bundle import BASELINE
from serinus.lambda_handlers.contract.files import read_file
from serinus.lambda_handlers.contract.prediction_bins import KEY
from serinus.lambda_handlers.contract.signals import (
    ENV_LIVE_ALIAS,
    ENV_PROFILE,
    HEADER_COLD_START,
    HEADER_NON_FINITE_ROWS,
)
from serinus.lambda_handlers.inference.endpoint import Endpoint, open_endpoint
from serinus.lambda_handlers.inference.events import Event, read_time_ms
from serinus.lambda_handlers.inference.gathering import Times
from serinus.lambda_handlers.inference.prediction_bins import compile_bins
from serinus.lambda_handlers.inference.telemetry import (
    Telemetry,
    caller_waits_for_init,
    is_probe,
    measure_init_ms,
    other_qualifier,
    read_keep_one_in,
)

_NULL = b"null"


class Baseline(msgspec.Struct, frozen=True):
    """What the function reads of baseline.json; ``monitoring`` as it is written, for whoever counts by it."""

    prediction_bins: dict[str, Any] | None = None
    monitoring: msgspec.Raw = msgspec.Raw(_NULL)


class InstrumentedEndpoint:
    """Callable as a Lambda handler is; responds as its endpoint does, and logs. Lambda counts the errors that the
    endpoint raises."""

    def __init__(
        self,
        endpoint: Endpoint,
        telemetry: Telemetry,
        write: Callable[[bytes], object],
        alias: str | None,
        *,
        waited_for_init: bool,
    ) -> None:
        """``waited_for_init``: the environment's first request waits for its init."""
        self.endpoint = endpoint
        self.telemetry = telemetry
        self._alias = alias
        self._write = write
        self._waited_for_init = waited_for_init

    def __call__(self, event: Event, context: object) -> Event:
        """The endpoint's response to a proxy event."""
        started = time.perf_counter()
        self.telemetry.forget()
        response = self.endpoint(event, context)
        probe = is_probe(event)
        if probe and self._waited_for_init and self.telemetry.is_new:
            response["headers"][HEADER_COLD_START] = "1"
        duration_ms = (time.perf_counter() - started) * 1000
        ended_ms = time.time() * 1000
        started_ms = ended_ms - duration_ms
        lines = self.telemetry.lines(
            event["requestContext"].get("requestId", ""),
            response["statusCode"],
            duration_ms,
            invocation_id=getattr(context, "aws_request_id", ""),
            non_finite=HEADER_NON_FINITE_ROWS in response["headers"],
            probe=probe,
            qualifier=other_qualifier(context, self._alias),
            times=Times(read_time_ms(event, started_ms), started_ms, int(ended_ms)),
        )
        if lines:
            self._write(lines)
        return response


def write_lines(lines: bytes) -> None:
    """Write to the current standard output: Lambda's runtime client may have replaced it."""
    sys.stdout.buffer.write(lines)
    sys.stdout.flush()


def open_instrumented(
    environ: Mapping[str, str], write: Callable[[bytes], object] = write_lines
) -> InstrumentedEndpoint:
    """The endpoint that the environment describes, instrumented; raises as `open_endpoint`. To be opened last in
    init, since it measures init's duration."""
    endpoint = open_endpoint(environ)
    scorer, manifest = endpoint.scorer, endpoint.scorer.model.manifest
    baseline = msgspec.json.decode(read_file(scorer.model.folder, BASELINE), type=Baseline)
    identity = (
        environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        scorer.function_version,
        manifest.name,
        manifest.short_version,
    )
    profile = None
    if environ.get(ENV_PROFILE) == "1" and bytes(baseline.monitoring) != _NULL:
        from serinus.lambda_handlers.inference.profile import Profile  # where there is something to count

        profile = Profile(identity, manifest.signature, baseline.monitoring)
    bins = baseline.prediction_bins
    telemetry = Telemetry(
        identity,
        init_ms=measure_init_ms(environ),
        bin_of=compile_bins(manifest.signature, {KEY: bins}),
        bins=bins["id"] if bins else None,
        keep_one_in=read_keep_one_in(environ),
        profile=profile,
    )
    scorer.observer = telemetry
    return InstrumentedEndpoint(
        endpoint,
        telemetry,
        write,
        environ.get(ENV_LIVE_ALIAS),
        waited_for_init=caller_waits_for_init(environ),
    )
