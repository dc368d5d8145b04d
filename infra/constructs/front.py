"""The API in front of an endpoint's function, REST or HTTP: its address, and who may call it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aws_cdk import aws_apigateway as apigateway

from serinus.infra.constructs.endpoint_metrics import ApiMetrics
from serinus.infra.settings import Auth, JwtSettings, Tls

#: Paths of the documentation, open to browsers, which cannot send a key, signature or token for a page.
DOCS_PATHS = ("docs", "openapi.json")

#: Headers that pages of other origins may send: those that describe the body, and
_CORS_HEADERS = ("accept", "content-encoding", "content-type", "inference-header-content-length")
#: those by which each `auth` authenticates callers.
_AUTH_HEADERS: Mapping[Auth, tuple[str, ...]] = {
    "api_key": ("x-api-key",),
    "iam": ("authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"),
    "jwt": ("authorization",),
    "public": (),
}
#: TLS policies of a Regional REST API and its domain by minimum version; these need an access mode too.
#: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
TLS_POLICIES: Mapping[Tls, str] = {
    "1.2": "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
    "1.3": "SecurityPolicy_TLS13_1_3_2025_09",
}
CORS_METHODS = ("GET", "POST", "OPTIONS")
CORS_HOURS = 1


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call, how often, and from which pages. Rates are by key with ``auth`` "api_key", else of all callers
    together; a quota is by key only. ``docs`` opens `DOCS_PATHS` to everyone."""

    auth: Auth
    docs: bool
    cors_origins: Sequence[str]
    rate_limit_per_s: int
    burst_limit: int
    quota_requests: int
    quota_period: str
    jwt: JwtSettings

    @property
    def open_paths(self) -> tuple[str, ...]:
        """Paths that are open when the others are not."""
        return DOCS_PATHS if self.docs and self.auth != "public" else ()

    @property
    def cors_headers(self) -> list[str]:
        """Headers that a page may send, sorted."""
        return sorted(_CORS_HEADERS + _AUTH_HEADERS[self.auth])


class Front(Protocol):
    """An API that sends every path to the function."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        ...

    @property
    def key(self) -> apigateway.ApiKey | None:
        """The first key, if callers need one."""
        ...

    @property
    def metrics(self) -> ApiMetrics:
        """The metrics of its calls."""
        ...
