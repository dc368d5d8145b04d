"""Settings of who may call an endpoint, and through which API."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field

from serinus.infra.settings.access_values import MOST_AUDIENCES, MOST_SCOPES, check_issuer
from serinus.infra.settings.table import TABLE, allowed

#: The API in front: API Gateway's REST API or its HTTP API.
Front = Literal["rest", "http"]
#: How callers authenticate. AWS advises against keys as the only authentication:
#: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
Auth = Literal["api_key", "iam", "jwt", "public"]
#: The minimum TLS version of the API.
Tls = Literal["1.2", "1.3"]

_Word = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^\S+$")]


class JwtSettings(BaseModel):
    """Accepted tokens. Only with auth = "jwt", which requires issuer and audience."""

    model_config = TABLE

    issuer: Annotated[
        str | None,
        AfterValidator(lambda issuer: check_issuer(issuer) if issuer is not None else None),
        Field(json_schema_extra=allowed('an address such as "https://login.example.com/tenant"')),
    ] = None
    """Issuer of the tokens: exactly their `iss`, and the address under which their keys are published."""

    audience: Annotated[
        tuple[_Word, ...],
        Field(
            strict=False,
            max_length=MOST_AUDIENCES,
            json_schema_extra=allowed(f"a list of up to {MOST_AUDIENCES} texts without spaces"),
        ),
    ] = ()
    """Accepted audiences: a token's `aud` must be one of these, or its `client_id` if it has no `aud`."""

    scopes: Annotated[
        tuple[_Word, ...],
        Field(
            strict=False,
            max_length=MOST_SCOPES,
            json_schema_extra=allowed(f"a list of up to {MOST_SCOPES} texts without spaces"),
        ),
    ] = ()
    """Required scopes: a token must have at least one of these; if empty, any valid token is accepted."""


#: AWS's managed rule groups that concern an API without pages, logins or a database of its own.
#: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
ManagedRules = Literal[
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAdminProtectionRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesAnonymousIpList",
    "AWSManagedRulesSQLiRuleSet",
    "AWSManagedRulesLinuxRuleSet",
]


class WafSettings(BaseModel):
    """A web ACL of AWS WAF, checked before keys, signatures and the function; it is billed monthly, by rule and by
    request. Only with front = "rest"."""

    model_config = TABLE

    ip_rate_limit: Annotated[int | None, Field(ge=10, le=2_000_000_000)] = None
    """Requests of one address in five minutes; more are rejected with 403 until its rate falls."""

    managed_rules: Annotated[
        tuple[ManagedRules, ...],
        Field(
            strict=False,
            json_schema_extra=allowed(
                "a list of " + ", ".join(name.removeprefix("AWSManagedRules") for name in get_args(ManagedRules))
                + ", each after AWSManagedRules"
            ),
        ),
    ] = ()  # fmt: skip
    """AWS's managed rule groups, in this order; the common rule set's limit on body size is not applied."""

    count_only: bool = False
    """Count matching requests instead of blocking them, to see what the rules would block."""

    @property
    def enabled(self) -> bool:
        """Whether there is any rule."""
        return self.ip_rate_limit is not None or bool(self.managed_rules)


class DomainSettings(BaseModel):
    """A custom domain of the API, in place of AWS's own address."""

    model_config = TABLE

    name: Annotated[
        str | None,
        Field(pattern=r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=253,
              json_schema_extra=allowed('a host name such as "churn.example.com"')),
    ] = None  # fmt: skip
    """Host name; it can belong to one endpoint in one environment only."""

    certificate_arn: Annotated[
        str | None,
        Field(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}$",
              json_schema_extra=allowed("the ARN of an ACM certificate in the endpoint's region")),
    ] = None  # fmt: skip
    """Certificate for that name, from AWS Certificate Manager."""

    hosted_zone_id: Annotated[
        str | None,
        Field(pattern=r"^Z[A-Z0-9]{1,31}$", json_schema_extra=allowed('a zone\'s id such as "Z0123456789ABC"')),
    ] = None
    """Route 53 zone in which the record is created; if unset, you create the record yourself."""

    keep_default_host: bool = False
    """Keep AWS's own address open too, for example while callers move to the domain. Default in environment
    `local`: true."""

    @property
    def closes_default_host(self) -> bool:
        """Whether requests to AWS's own address are rejected."""
        return self.name is not None and not self.keep_default_host
