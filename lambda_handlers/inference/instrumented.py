"""An endpoint that writes a line for each response to standard output, where the log becomes metrics."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from serinus.lambda_handlers.contract.bundle import BASELINE
from serinus.lambda_handlers.contract.files import read_file
from serinus.lambda_handlers.contract.prediction_bins import KEY
from serinus.lambda_handlers.contract.signals import ENV_LIVE_ALIAS, HEADER_NON_FINITE_ROWS
from serinus.lambda_handlers.inference.endpoint import Endpoint, open_endpoint
from serinus.lambda_handlers.inference.events import Event
from serinus.lambda_handlers.inference.prediction_bins import compile_bins
from serinus.lambda_handlers.inference.telemetry import Telemetry, is_probe, measure_init_ms, other_qualifier


class InstrumentedEndpoint:
    """Callable as a Lambda handler is; responds as its endpoint does, and logs. Lambda counts the errors that the
    endpoint raises."""

    def __init__(
        self, endpoint: Endpoint, telemetry: Telemetry, write: Callable[[bytes], object], alias: str | None
    ) -> None:
        self.endpoint = endpoint
        self._alias = alias
        self._telemetry = telemetry
        self._write = write

    def __call__(self, event: Event, context: object) -> Event:
        """The endpoint's response to a proxy event."""
        started = time.perf_counter()
        self._telemetry.forget()
        response = self.endpoint(event, context)
        line = self._telemetry.line(
            event["requestContext"].get("requestId", ""),
            response["statusCode"],
            (time.perf_counter() - started) * 1000,
            invocation_id=getattr(context, "aws_request_id", ""),
            non_finite=HEADER_NON_FINITE_ROWS in response["headers"],
            probe=is_probe(event),
            qualifier=other_qualifier(context, self._alias),
            now_ms=int(time.time() * 1000),
        )
        self._write(line)
        return response


def write_line(line: bytes) -> None:
    """Write to the current standard output: Lambda's runtime client may have replaced it."""
    sys.stdout.buffer.write(line)
    sys.stdout.flush()


def open_instrumented(
    environ: Mapping[str, str], write: Callable[[bytes], object] = write_line
) -> InstrumentedEndpoint:
    """The endpoint that the environment describes, instrumented; raises as `open_endpoint`. To be opened last in
    init, since it measures init's duration."""
    endpoint = open_endpoint(environ)
    scorer, manifest = endpoint.scorer, endpoint.scorer.model.manifest
    baseline: dict[str, Any] = msgspec.json.decode(read_file(scorer.model.folder, BASELINE))
    telemetry = Telemetry(
        environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        scorer.function_version,
        manifest.name,
        manifest.short_version,
        init_ms=measure_init_ms(environ),
        bin_of=compile_bins(manifest.signature, baseline),
        bins=(baseline.get(KEY) or {}).get("id"),
    )
    scorer.observer = telemetry
    return InstrumentedEndpoint(endpoint, telemetry, write, environ.get(ENV_LIVE_ALIAS))
