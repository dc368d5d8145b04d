"""Whether the API supports the settings of web ACL, domain, TLS and tracing.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
"""

from collections.abc import Iterator

from serinus.infra.lint.finding import Problem
from serinus.infra.settings import Endpoint, Settings


def check_waf(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A web ACL where AWS does not support one, or one without a rule."""
    config = endpoint.settings
    keys = sorted(config.waf.model_fields_set)
    if config.waf.enabled and config.front == "http":
        yield Problem(
            "error",
            ("waf", next(key for key in keys if key != "count_only")),
            "AWS WAF can be in front of REST APIs only",
            'Set front = "rest", or remove the rules',
        )
    elif keys and not config.waf.enabled:
        yield Problem(
            "warning",
            ("waf", keys[0]),
            "there is no rule, so there is no web ACL",
            "Set ip_rate_limit or managed_rules, or remove it",
        )


def check_domain(settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A name without its certificate, the reverse, or a certificate of another region, which AWS rejects
    (docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html)."""
    domain = endpoint.settings.domain
    for key in sorted(domain.model_fields_set - {"keep_default_host"}):
        for other in ("name", "certificate_arn"):
            if getattr(domain, key) is not None and getattr(domain, other) is None:
                yield Problem(
                    "error",
                    ("domain", other),
                    f"is not set, and domain.{key} is",
                    "Set both name and certificate_arn",
                )
    if domain.certificate_arn and settings.region:
        region = domain.certificate_arn.split(":")[3]
        if region != settings.region:
            yield Problem(
                "error",
                ("domain", "certificate_arn"),
                f"the certificate is in {region}, and the endpoint is in {settings.region}",
                f"Request one in {settings.region}",
            )


def check_key(settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A key of another region, which the services of this one cannot use
    (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html)."""
    key = endpoint.settings.encryption_key
    if key and settings.region and (region := key.split(":")[3]) != settings.region:
        yield Problem(
            "error",
            ("encryption_key",),
            f"the key is in {region}, and the endpoint is in {settings.region}",
            f"Set a key of {settings.region}",
        )


def check_tls(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A minimum that an HTTP API cannot enforce: it accepts TLS 1.2 and later
    (docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html)."""
    if endpoint.settings.front == "http" and endpoint.settings.minimum_tls == "1.3":
        yield Problem(
            "error",
            ("minimum_tls",),
            "HTTP APIs always accept TLS 1.2 too",
            'Set minimum_tls = "1.2", or front = "rest"',
        )


def check_tracing(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Traces that begin only behind the API."""
    if endpoint.settings.front == "http" and endpoint.settings.tracing:
        yield Problem(
            "warning",
            ("tracing",),
            "HTTP APIs are not traced: traces begin with the function, without the API's own time",
            'Set front = "rest" to trace the API too',
        )
