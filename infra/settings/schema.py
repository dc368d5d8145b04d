"""What serinus.toml may hold: every setting with its default, its range and its meaning.

These models are the one place where a setting is defined: errors and docs/settings.md are made from them.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from serinus.infra.settings.access_schema import Auth, DomainSettings, Front, JwtSettings, Tls, WafSettings
from serinus.infra.settings.cold_start_schema import ProvisionedSettings
from serinus.infra.settings.rollout_schema import AlarmSettings, RolloutSettings
from serinus.infra.settings.rules import (
    RETENTION_DAYS,
    check_origin,
    check_origins,
    check_retention_days,
    check_tags,
    check_variables,
)
from serinus.infra.settings.table import TABLE, allowed
from serinus.lambda_handlers.contract.lock import NAME

NAME_ALLOWED = "lower-case letters, digits and hyphens, a letter first, at most 40 characters"
NAME_PATTERN = f"^(?:{NAME.pattern})$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Origin = Annotated[str, AfterValidator(check_origin)]


class EndpointSettings(BaseModel):
    """Settings of one endpoint: in `[defaults]` for all, in `[endpoint.NAME]` for one."""

    model_config = TABLE

    model: Annotated[Name | None, Field(json_schema_extra=allowed(NAME_ALLOWED))] = None
    """The packaged model that the endpoint serves; unset, the endpoint's own name."""

    memory_mb: Annotated[int, Field(ge=128, le=10240)] = 1024
    """Memory of the function in MB; CPU grows with it, one full vCPU at 1769."""

    timeout_s: Annotated[int, Field(ge=1, le=29)] = 10
    """Seconds after which a request is given up. Lambda allows 900, but API Gateway waits 29 for an answer."""

    runtime: Literal["python3.12", "python3.13", "python3.14"] = "python3.13"
    """Lambda's Python."""

    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """Processor of the function; arm64 costs a fifth less a second."""

    reserved_concurrency: Annotated[int | None, Field(ge=0)] = None
    """Requests served at once, at most and guaranteed; 0 stops the endpoint; unset, the account's shared pool."""

    log_retention_days: Annotated[
        int, AfterValidator(check_retention_days), Field(json_schema_extra={"enum": list(RETENTION_DAYS)})
    ] = 30
    """Days that log lines are kept while the endpoint exists; destroying the endpoint deletes its logs."""

    variables: Annotated[
        dict[str, str],
        AfterValidator(check_variables),
        Field(json_schema_extra=allowed("a table of names with text values, 4096 bytes in all; AWS_*, "
                                         "LAMBDA_* and SERINUS_* are reserved")),
    ] = {}  # fmt: skip
    """Further environment variables of the function. Not for secrets: whoever reads the template reads them."""

    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Rows in one request."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=6_000_000)] = 4_000_000
    """Bytes of one request's body; Lambda takes 6 MB, the event around the body included."""

    hot_route: bool = True
    """Answer predictions without importing FastAPI; false sends every request through it. Answers are equal."""

    docs: bool = False
    """Serve /docs and /openapi.json, without an API key. In environment `local` true unless set."""

    cors_origins: Annotated[
        tuple[Origin, ...],
        AfterValidator(check_origins),
        Field(
            strict=False,
            json_schema_extra=allowed('a list of origins such as "https://app.example.com", or ["*"]'),
        ),
    ] = ()
    """Origins whose pages may call the endpoint from a browser."""

    front: Front = "rest"
    """The API in front: REST (keys, quotas, web ACL) or HTTP (tokens of any issuer; costs less than a third)."""

    auth: Auth = "api_key"
    """What a caller must show: a key (rest), an AWS signature, a token (http), or nothing."""

    jwt: JwtSettings = JwtSettings()
    """Whose tokens are taken."""

    domain: DomainSettings = DomainSettings()
    """A name of one's own."""

    waf: WafSettings = WafSettings()
    """A web ACL in front of the API."""

    minimum_tls: Tls | None = None
    """The least version of TLS for callers; unset, AWS's choice: 1.0 (rest) or 1.2 (http, and domains)."""

    encryption_key: Annotated[
        str | None,
        Field(
            pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$",
            json_schema_extra=allowed("the ARN of a KMS key in the endpoint's region"),
        ),
    ] = None
    """Your key for logs, variables, snapshots and topic; unset, AWS's. [Security](security.md) has its policy."""

    tracing: bool = False
    """X-Ray traces, which cost: of the function and, with front = "rest", of the API."""

    rate_limit_per_s: Annotated[int, Field(ge=1)] = 100
    """Requests a second on average, by key or, where there are none, of all callers; more are answered 429."""

    burst_limit: Annotated[int, Field(ge=1)] = 200
    """Requests at once beyond the average, by key or, where there are none, of all callers."""

    quota_requests: Annotated[int, Field(ge=0)] = 0
    """Requests that an API key may make in each period; 0 for no quota. Only with auth = "api_key"."""

    quota_period: Literal["day", "week", "month"] = "month"
    """Period of quota_requests."""

    tags: Annotated[
        dict[str, str],
        AfterValidator(check_tags),
        Field(
            json_schema_extra=allowed(
                "a table of at most 45 tags with text values; keys must not begin with aws: or serinus:"
            )
        ),
    ] = {}
    """Tags on the stack, which CloudFormation puts on all that it creates."""

    cold_start: Literal["none", "snapstart", "provisioned"] = "none"
    """What is done about cold starts: nothing; restore from a snapshot of init; keep environments ready."""

    provisioned: ProvisionedSettings = ProvisionedSettings()
    """How many environments are kept ready."""

    rollout: RolloutSettings = RolloutSettings()
    """How a new version takes over."""

    alarms: AlarmSettings = AlarmSettings()
    """What stops a release at once."""


class EnvironmentSettings(BaseModel):
    """One environment: where it lives, and what differs there."""

    model_config = TABLE

    account: Annotated[
        str | None,
        Field(pattern=r"^\d{12}$", json_schema_extra=allowed("12 digits in quotes")),
    ] = None
    """AWS account; needed but for `dev`, which deploys where the credentials lead, and `local`, which has none."""

    region: Annotated[
        str | None,
        Field(pattern=r"^[a-z]{2}(?:-[a-z]+)+-\d$", json_schema_extra=allowed('a region such as "eu-central-1"')),
    ] = None
    """AWS region; needed together with the account."""

    defaults: EndpointSettings = EndpointSettings()
    """Settings of all endpoints in this environment."""

    endpoint: dict[Name, EndpointSettings] = {}
    """Settings of one endpoint in this environment."""


class ProjectSettings(BaseModel):
    """The project."""

    model_config = TABLE

    name: Annotated[str, Field(pattern=NAME_PATTERN, json_schema_extra=allowed(NAME_ALLOWED))]
    """First part of every stack's name: `<project>-<environment>-<endpoint>`."""


class SettingsFile(BaseModel):
    """serinus.toml as a whole."""

    model_config = TABLE

    project: ProjectSettings
    defaults: EndpointSettings = EndpointSettings()
    endpoint: dict[Name, EndpointSettings] = {}
    env: dict[Name, EnvironmentSettings] = {}
