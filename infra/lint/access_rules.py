"""Whether the API supports the settings of access, and whether they have an effect.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
"""

from collections.abc import Iterator

from serinus.infra.lint.finding import Problem, Severity
from serinus.infra.names import LOCAL_ENVIRONMENT, UNBOUND_ENVIRONMENTS
from serinus.infra.settings import Endpoint, Settings
from serinus.infra.settings.access_values import is_plain_issuer


def check_front(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A kind of authentication that the API does not support."""
    config = endpoint.settings
    if config.front == "http" and config.auth == "api_key":
        yield Problem(
            "error",
            ("auth",) if "auth" in config.model_fields_set else ("front",),
            'HTTP APIs have no API keys, and auth is "api_key"',
            'Set auth = "iam", "jwt" or "public", or front = "rest"',
        )
    if config.front == "rest" and config.auth == "jwt":
        yield Problem(
            "error",
            ("auth",),
            "REST APIs accept tokens of Cognito or a Lambda authorizer only, not of any issuer",
            'Set front = "http"',
        )


def check_tokens(settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """An incomplete table of tokens, or one that has no effect."""
    config, jwt = endpoint.settings, endpoint.settings.jwt
    if config.auth == "jwt":
        for key, value in (("issuer", jwt.issuer), ("audience", jwt.audience)):
            if not value:
                yield Problem(
                    "error",
                    ("jwt", key),
                    'is not set, and auth is "jwt"',
                    f"Set it: [endpoint.NAME.jwt] {key} = ...",
                )
        if jwt.issuer and is_plain_issuer(jwt.issuer) and settings.environment != LOCAL_ENVIRONMENT:
            yield Problem(
                "error",
                ("jwt", "issuer"),
                f"{jwt.issuer} uses plain HTTP on this machine, which only the offline cloud can reach",
                f"Set an https issuer, or set it for environment {LOCAL_ENVIRONMENT} only",
            )
        return
    # With an explicit auth this is deliberate; without one, auth was most likely forgotten.
    severity: Severity = "warning" if "auth" in config.model_fields_set else "error"
    for key in sorted(jwt.model_fields_set):
        yield Problem(
            severity,
            ("jwt", key),
            f'auth is "{config.auth}", so no token is required',
            'Set auth = "jwt", or remove it',
        )


def check_quota(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A quota where no key tells callers apart."""
    config = endpoint.settings
    if config.auth == "api_key":
        return
    if config.quota_requests:
        yield Problem(
            "error",
            ("quota_requests",),
            f'quotas are counted by API key, and auth is "{config.auth}"',
            'Set quota_requests = 0, or auth = "api_key"',
        )
    if "quota_period" in config.model_fields_set:
        yield Problem("warning", ("quota_period",), f'auth is "{config.auth}", so there is no quota', "Remove it")


def check_public(settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """An endpoint that anyone may call, where nothing keeps it from taking the account's concurrency."""
    config = endpoint.settings
    if settings.environment in UNBOUND_ENVIRONMENTS or config.auth != "public":
        return
    if config.reserved_concurrency is None:
        yield Problem(
            "warning",
            ("auth",),
            f"anyone may call, up to {config.rate_limit_per_s} requests per second in total, and slow ones could "
            "use up the account's concurrency",
            "Set reserved_concurrency",
        )
