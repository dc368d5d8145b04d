"""The schema of serinus.toml: every setting with its default, its range and its meaning.

These models are the only definition of a setting: errors and docs/settings.md are generated from them.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from serinus.infra.settings.acceptance_schema import AcceptanceSettings
from serinus.infra.settings.access_schema import Auth, DomainSettings, Front, JwtSettings, Tls, WafSettings
from serinus.infra.settings.cold_start_schema import ProvisionedSettings
from serinus.infra.settings.explanation_schema import ExplanationSettings
from serinus.infra.settings.monitor_schema import MonitorSettings
from serinus.infra.settings.operations_schema import OperationsSettings
from serinus.infra.settings.rollout_schema import AlarmSettings, RolloutSettings
from serinus.infra.settings.rules import (
    RETENTION_DAYS,
    check_origin,
    check_origins,
    check_request_log,
    check_retention_days,
    check_tags,
    check_variables,
)
from serinus.infra.settings.table import KEY_ARN, TABLE, allowed
from serinus.lambda_handlers.contract.lock import NAME
from serinus.lambda_handlers.contract.signals import DEFAULT_REQUEST_LOG

NAME_ALLOWED = "lower-case letters, digits and hyphens, a letter first, at most 40 characters"
NAME_PATTERN = f"^(?:{NAME.pattern})$"

STORE_ALLOWED = "s3://BUCKET/PREFIX"
STORE_PATTERN = r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()-]+)*/?)?$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Origin = Annotated[str, AfterValidator(check_origin)]


class EndpointSettings(BaseModel):
    """Settings of one endpoint: in `[defaults]` for all, in `[endpoint.NAME]` for one."""

    model_config = TABLE

    model: Annotated[Name | None, Field(json_schema_extra=allowed(NAME_ALLOWED))] = None
    """Packaged model that the endpoint serves; if unset, the one with the endpoint's name."""

    memory_mb: Annotated[int, Field(ge=128, le=10240)] = 1024
    """Memory of the function in MB; CPU grows with it, one full vCPU at 1769."""

    timeout_s: Annotated[int, Field(ge=1, le=29)] = 10
    """Seconds after which a request times out. Lambda allows 900, but API Gateway waits at most 29."""

    runtime: Literal["python3.12", "python3.13", "python3.14"] = "python3.13"
    """Lambda's Python version."""

    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """Processor of the function; arm64 costs a fifth less per second."""

    reserved_concurrency: Annotated[int | None, Field(ge=0)] = None
    """Concurrent requests, both limit and guarantee; 0 stops the endpoint; if unset, the account's shared pool."""

    log_retention_days: Annotated[
        int, AfterValidator(check_retention_days), Field(json_schema_extra={"enum": list(RETENTION_DAYS)})
    ] = 30
    """Days that log lines are kept; destroying the endpoint deletes its logs at once unless retain_logs is set."""

    retain_logs: bool = False
    """Keep logs when the endpoint is destroyed or its first deploy fails. Changing it is a release."""

    request_log: Annotated[
        int | str,
        BeforeValidator(check_request_log),
        Field(json_schema_extra=allowed('"all" or a whole number, 1 or more')),
    ] = DEFAULT_REQUEST_LOG
    """Which answered requests of a busy function keep a log line of their own: "all", or one in this many; the
    others share lines. Errors and rejections always have their own. See [Logs](operations.md#logs)."""

    access_logs: bool = False
    """Log each call to the API, also rejected ones, without bodies and keys; with front = "rest" your account
    needs a role for it. See [Access](access.md)."""

    variables: Annotated[
        dict[str, str],
        AfterValidator(check_variables),
        Field(json_schema_extra=allowed("a table of names with text values, 4096 bytes in all; AWS_*, "
                                         "LAMBDA_* and SERINUS_* are reserved")),
    ] = {}  # fmt: skip
    """Further environment variables of the function. Not for secrets: the template shows them."""

    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Maximum number of rows in one request."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=4_500_000)] = 4_000_000
    """Maximum size of a request's body in bytes. Lambda accepts 6 MB, and bodies reach it in base64, a third
    larger: all of a REST API, and binary ones of an HTTP API."""

    hot_route: bool = True
    """Serve predictions without importing FastAPI; false sends all requests through it. Responses are the same."""

    docs: bool = False
    """Serve /docs and /openapi.json, without an API key. Default in environment `local`: true."""

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
    """Kind of API: REST (keys, quotas, web ACL) or HTTP (tokens of any issuer; under a third of the price)."""

    auth: Auth = "api_key"
    """How callers authenticate: an API key (rest), which identifies more than it protects, an AWS signature, a
    token (http), or not at all. See [Access](access.md)."""

    jwt: JwtSettings = JwtSettings()
    """Accepted tokens."""

    domain: DomainSettings = DomainSettings()
    """A custom domain."""

    waf: WafSettings = WafSettings()
    """A web ACL in front of the API."""

    minimum_tls: Tls = "1.2"
    """Minimum TLS version for callers, at the API and at its domain; with front = "http" always "1.2"."""

    encryption_key: Annotated[
        str | None,
        Field(
            pattern=KEY_ARN,
            json_schema_extra=allowed("the ARN of a KMS key in the endpoint's region"),
        ),
    ] = None
    """Your key for logs, variables and snapshots; if unset, AWS's. See [Security](security.md)."""

    tracing: bool = False
    """X-Ray traces of the function and, with front = "rest", of the API; they are billed."""

    rate_limit_per_s: Annotated[int, Field(ge=1)] = 100
    """Average requests per second, by key or, without keys, of all callers; AWS rejects more with 429, best
    effort."""

    burst_limit: Annotated[int, Field(ge=1)] = 200
    """Requests at once beyond the average, by key or, without keys, of all callers; best effort."""

    quota_requests: Annotated[int, Field(ge=0)] = 0
    """Requests that an API key may make in each period, best effort: no cap on costs; 0 for no quota. Only with
    auth = "api_key"."""

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
    """Tags on the stack, which CloudFormation applies to all its resources."""

    cold_start: Literal["none", "snapstart", "provisioned"] = "none"
    """How cold starts are avoided: not at all; by restoring a snapshot of init; by keeping environments ready."""

    provisioned: ProvisionedSettings = ProvisionedSettings()
    """Number of environments kept ready."""

    rollout: RolloutSettings = RolloutSettings()
    """How traffic moves to a new version."""

    alarms: AlarmSettings = AlarmSettings()
    """Alarms that stop a release at once, and alarms on what serves."""

    monitor: MonitorSettings = MonitorSettings()
    """What is compared with the sample that the model was packaged with."""

    explanations: ExplanationSettings | None = None
    """Explanations of predictions; if unset, there are none."""


class EndpointTable(EndpointSettings):
    """`[endpoint.NAME]`: an endpoint's settings, and where it exists."""

    environments: Annotated[
        tuple[Name, ...] | None,
        Field(
            strict=False, min_length=1, json_schema_extra=allowed('a list of environments such as ["dev", "prod"]')
        ),
    ] = None
    """Environments in which the endpoint exists, and in which a missing pin is an error; if unset, those in which
    `serinus.lock` pins its model. The offline cloud's `local` is included with `dev`."""

    acceptance: AcceptanceSettings = AcceptanceSettings()
    """Rules that every bundle of the endpoint's model must keep."""


class EnvironmentSettings(BaseModel):
    """One environment: its account and region, and its overrides."""

    model_config = TABLE

    account: Annotated[
        str | None,
        Field(pattern=r"^\d{12}$", json_schema_extra=allowed("12 digits in quotes")),
    ] = None
    """AWS account; required, except in `dev`, which uses your current credentials, and `local`, which has none."""

    region: Annotated[
        str | None,
        Field(pattern=r"^[a-z]{2}(?:-[a-z]+)+-\d$", json_schema_extra=allowed('a region such as "eu-central-1"')),
    ] = None
    """AWS region; required together with the account."""

    defaults: EndpointSettings = EndpointSettings()
    """Settings of all endpoints in this environment."""

    endpoint: dict[Name, EndpointSettings] = {}
    """Settings of one endpoint in this environment."""

    operations: OperationsSettings = OperationsSettings()
    """Who is notified in this environment, and its dashboard."""


class ProjectSettings(BaseModel):
    """The project."""

    model_config = TABLE

    name: Annotated[str, Field(pattern=NAME_PATTERN, json_schema_extra=allowed(NAME_ALLOWED))]
    """First part of every stack's name: `<project>-<environment>-<endpoint>`."""

    bundle_store: Annotated[str, Field(pattern=STORE_PATTERN, json_schema_extra=allowed(STORE_ALLOWED))] = ""
    """Where `serinus bundles push` keeps bundles, instead of git; `s3://BUCKET/PREFIX`."""


class SettingsFile(BaseModel):
    """serinus.toml as a whole."""

    model_config = TABLE

    project: ProjectSettings
    operations: OperationsSettings = OperationsSettings()
    defaults: EndpointSettings = EndpointSettings()
    endpoint: dict[Name, EndpointTable] = {}
    env: dict[Name, EnvironmentSettings] = {}
