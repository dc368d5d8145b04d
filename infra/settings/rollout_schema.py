"""What serinus.toml may say of releases: how traffic shifts, what the judge demands, what the alarms stop.

Each table is read by itself here; what one setting means beside another is for `serinus.infra.lint`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from serinus.infra.settings.rules import check_email
from serinus.infra.settings.table import TABLE, allowed
from serinus.lambda_handlers.contract.release import MINIMUM_REQUESTS

#: CodeDeploy's limit for a whole shift (docs.aws.amazon.com/codedeploy/latest/userguide/limits.html).
LONGEST_SHIFT_MINUTES = 2880

Percent = Annotated[int, Field(ge=1, le=99)]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_SHIFT_MINUTES)]
Email = Annotated[str, AfterValidator(check_email)]


class RolloutSettings(BaseModel):
    """How a new version takes over."""

    model_config = TABLE

    strategy: Literal["canary", "linear", "blue_green", "all_at_once"] = "canary"
    """How traffic shifts: a share that bakes, equal steps, a switch that is judged and switched back, or a switch.
    In environment `local` all_at_once unless set."""

    share_percent: Percent = 10
    """canary: share of requests that meets the new version during the bake."""

    bake_minutes: Minutes = 15
    """canary, blue_green: minutes for which the new version is judged; a canary's alarm needs the last five."""

    step_percent: Percent = 10
    """linear: share of requests that each step adds."""

    interval_minutes: Minutes = 2
    """linear: minutes between steps."""

    minimum_requests: Annotated[int, Field(ge=1, le=1_000_000)] = MINIMUM_REQUESTS
    """Live requests on the new version before the judge compares it."""

    on_not_enough_evidence: Literal["promote", "roll_back"] = "promote"
    """What follows when the bake ends undecided; promote also needs the judge's own requests to have passed."""

    allow_breaking: bool = False
    """Release a version that refuses what the live one accepts, or answers in another form."""

    cold_limit_ms: Annotated[int, Field(ge=1, le=29_000)] = 8000
    """Milliseconds that a golden request may take with a cold start, before traffic shifts."""

    warm_limit_ms: Annotated[int, Field(ge=1, le=29_000)] = 2000
    """Milliseconds that a golden request may take otherwise."""

    keep_versions: Annotated[int, Field(ge=2, le=100)] = 5
    """Versions kept for going back, the live one among them; older ones are deleted after a release."""

    notify_emails: Annotated[
        tuple[Email, ...],
        Field(strict=False, json_schema_extra=allowed('a list of addresses such as "ml@example.com"')),
    ] = ()
    """Who is mailed what the judge decides, alarms and the ends of releases; each address confirms once."""

    topic: bool = False
    """An encrypted SNS topic of the same messages, for chat; notify_emails makes it too. Its key costs monthly."""

    dashboard: bool = True
    """A CloudWatch dashboard of the endpoint; AWS charges for those beyond an account's third."""


class AlarmSettings(BaseModel):
    """Alarms on the new version alone, over five minutes: what stops a release when the judge is too slow."""

    model_config = TABLE

    error_rate_percent: Annotated[float, Field(ge=0.1, le=99)] = 25.0
    """Share of requests that may fail, crashes included."""

    p99_ms: Annotated[int | None, Field(ge=1, le=29_000)] = None
    """99th percentile of the time to answer, init included; unset, half of timeout_s."""

    throttle_rate_percent: Annotated[float, Field(ge=0.1, le=99)] = 10.0
    """Share of requests that Lambda may refuse for want of concurrency."""

    minimum_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """Requests in five minutes below which these alarms say nothing."""
