"""Settings of releases: how traffic shifts, the judge's requirements, the alarms' thresholds.

Each table is validated on its own here; `serinus.infra.lint` checks settings against each other.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from serinus.infra.settings.table import TABLE
from serinus.lambda_handlers.contract.release import MINIMUM_REQUESTS

#: Minutes of the longest shift: 33 hours. CodeDeploy allows 48, but a shift is a part of one CloudFormation
#: operation, which ends after 36; AWS allows 33 for a shift within one.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ecs-service-canaryconfiguration.html
LONGEST_SHIFT_MINUTES = 1980

Percent = Annotated[int, Field(ge=1, le=99)]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_SHIFT_MINUTES)]


class RolloutSettings(BaseModel):
    """How traffic moves to a new version."""

    model_config = TABLE

    strategy: Literal["canary", "linear", "blue_green", "all_at_once"] = "canary"
    """How traffic shifts: canary, a share first, then all; linear, in equal steps; blue_green, all at once and
    back if the judge objects; all_at_once, unjudged. Default in environment `local`: all_at_once."""

    share_percent: Percent = 10
    """canary: percentage of requests that the new version gets during the bake."""

    bake_minutes: Minutes = 15
    """canary, blue_green: minutes for which the new version is judged; a canary's alarm needs the last five. The
    credentials that deploy must last longer."""

    step_percent: Percent = 10
    """linear: percentage of requests that each step adds."""

    interval_minutes: Minutes = 2
    """linear: minutes between steps."""

    minimum_requests: Annotated[int, Field(ge=1, le=1_000_000)] = MINIMUM_REQUESTS
    """Live requests on the new version before the judge compares it."""

    requests_per_minute: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    """Requests that the endpoint usually receives in a minute. If set, `serinus lint` says what the judge can
    detect in them."""

    on_not_enough_evidence: Literal["promote", "roll_back"] = "promote"
    """Decision if the bake ends without enough evidence; promote also requires passed golden requests."""

    allow_breaking: bool = False
    """Release a version that rejects requests which the live one accepts, or changes the form of responses."""

    cold_limit_ms: Annotated[int, Field(ge=1, le=29_000)] = 8000
    """Milliseconds that a golden request with a cold start may take, before traffic shifts. If the first takes
    longer, a second start decides."""

    warm_limit_ms: Annotated[int, Field(ge=1, le=29_000)] = 2000
    """Milliseconds that any other golden request may take."""

    keep_versions: Annotated[int, Field(ge=2, le=100)] = 5
    """Versions kept for rollbacks, including the live one; older ones are deleted after a release."""


class AlarmSettings(BaseModel):
    """Alarms on the new version alone, over five minutes: they stop a release if the judge is too slow. Between
    releases, alarms on what serves, over an hour: they stop nothing and notify."""

    model_config = TABLE

    coverage: Literal["full", "basic"] = "full"
    """full: all alarms; basic: only those that stop a release on the judge's verdict or on error responses. Each
    metric of an alarm is billed monthly. Default in environment `dev`: basic."""

    error_rate_percent: Annotated[float, Field(ge=0.1, le=99)] = 25.0
    """Percentage of responses that may be errors and, with canary and linear, of requests that may crash."""

    p99_ms: Annotated[int | None, Field(ge=1, le=29_000)] = None
    """99th percentile of latency, init included; if unset, half of timeout_s."""

    throttle_rate_percent: Annotated[float | None, Field(ge=0.1, le=99)] = None
    """Percentage of requests that Lambda may throttle while traffic is split; if unset, throttles stop no release
    and count as failures of what serves. canary and linear only."""

    minimum_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """Requests in five minutes below which these alarms do not fire."""

    live_error_percent: Annotated[float, Field(ge=0.01, le=99)] = 5.0
    """Percentage of an hour's requests that may fail in what serves, in any way, before its alarm fires."""
