"""Sends a version the requests of the user's acceptance test, and judges its answers by what they must be."""

import time

import numpy as np

from serinus.lambda_handlers.contract.acceptance import Acceptance, find_violations
from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.hooks.errors import NoResponse, NotReady, Throttled
from serinus.lambda_handlers.hooks.probe import ATTEMPTS, PAUSE_S, Expectation, Probe, read_response
from serinus.lambda_handlers.hooks.version import Version, VersionResponse


def probe_acceptance(
    version: Version, expected: Expectation, acceptance: Acceptance, rows_per_request: int, deadline: float
) -> Probe:
    """The result of all its requests, ``rows_per_request`` at a time, until ``deadline`` (monotonic clock)."""
    parts: list[Outputs] = []
    for start in range(0, len(acceptance.rows), rows_per_request):
        rows = list(acceptance.rows[start : start + rows_per_request])
        try:
            response = _post(version, rows, deadline)
            if response.status != 200:
                body = response.body[:300].decode(errors="replace")
                return Probe(
                    "failed", f"a request of the acceptance test is answered with {response.status}: {body}"
                )
            parts.append(read_response(response.data(), expected.manifest.signature.outputs))
        except (NoResponse, Throttled, ValueError, TypeError) as error:
            return Probe("failed", f"the acceptance test cannot be made: {error}")
    outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    violations = find_violations(acceptance.requirements, outputs)
    if violations:
        more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
        return Probe("failed", f"the acceptance test fails. {violations[0]}{more}")
    return Probe("passed", f"all {len(acceptance.requirements)} requirements of the acceptance test hold")


def _post(version: Version, rows: list[dict[str, object]], deadline: float) -> VersionResponse:
    """The response, after some attempts where there is none, and until ``deadline`` where Lambda throttles or is
    not ready; a response of 500 or above is one."""
    failures = 0
    while True:
        try:
            return version.post("/predict", {"rows": rows})
        except (Throttled, NotReady):
            if time.monotonic() + PAUSE_S > deadline:
                raise
            time.sleep(PAUSE_S)
        except NoResponse:
            failures += 1
            if failures >= ATTEMPTS:
                raise
