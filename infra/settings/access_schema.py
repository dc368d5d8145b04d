"""What serinus.toml may say of who calls an endpoint, and through what."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field

from serinus.infra.settings.access_values import MOST_AUDIENCES, MOST_SCOPES, check_issuer
from serinus.infra.settings.table import TABLE, allowed

#: The API in front: API Gateway's REST API or its HTTP API.
Front = Literal["rest", "http"]
#: What a caller must show.
Auth = Literal["api_key", "iam", "jwt", "public"]
#: The least version of TLS that the API speaks.
Tls = Literal["1.2", "1.3"]

_Word = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^\S+$")]


class JwtSettings(BaseModel):
    """Whose tokens are taken. Only with auth = "jwt", which needs issuer and audience."""

    model_config = TABLE

    issuer: Annotated[
        str | None,
        AfterValidator(lambda issuer: check_issuer(issuer) if issuer is not None else None),
        Field(json_schema_extra=allowed('an address such as "https://login.example.com/tenant"')),
    ] = None
    """Who signs the tokens: what their `iss` says, to the letter, and where their keys are found."""

    audience: Annotated[
        tuple[_Word, ...],
        Field(
            strict=False,
            max_length=MOST_AUDIENCES,
            json_schema_extra=allowed(f"a list of up to {MOST_AUDIENCES} texts without spaces"),
        ),
    ] = ()
    """Whom the tokens are for: one of these must be a token's `aud`, or its `client_id` where it has no `aud`."""

    scopes: Annotated[
        tuple[_Word, ...],
        Field(
            strict=False,
            max_length=MOST_SCOPES,
            json_schema_extra=allowed(f"a list of up to {MOST_SCOPES} texts without spaces"),
        ),
    ] = ()
    """What the tokens must allow: one of these at least; empty, a good token is enough."""


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
    """A web ACL of AWS WAF, which is asked before keys, signatures and the function; it costs monthly, by rule and
    by request. Only with front = "rest"."""

    model_config = TABLE

    ip_rate_limit: Annotated[int | None, Field(ge=10, le=2_000_000_000)] = None
    """Requests of one address in five minutes; more are answered 403 until it asks less."""

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
    """AWS's own groups of rules, in this order; of the common rule set, bodies of any length pass."""

    count_only: bool = False
    """Count what the rules match and let it pass, to see what they would block."""

    @property
    def enabled(self) -> bool:
        """Whether there is a rule at all."""
        return self.ip_rate_limit is not None or bool(self.managed_rules)


class DomainSettings(BaseModel):
    """A name of one's own for the API, beside the one that AWS gives it."""

    model_config = TABLE

    name: Annotated[
        str | None,
        Field(pattern=r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=253,
              json_schema_extra=allowed('a host name such as "churn.example.com"')),
    ] = None  # fmt: skip
    """The host name; one endpoint has it, in one environment."""

    certificate_arn: Annotated[
        str | None,
        Field(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}$",
              json_schema_extra=allowed("the ARN of an ACM certificate in the endpoint's region")),
    ] = None  # fmt: skip
    """The certificate for that name, from AWS Certificate Manager."""

    hosted_zone_id: Annotated[
        str | None,
        Field(pattern=r"^Z[A-Z0-9]{1,31}$", json_schema_extra=allowed('a zone\'s id such as "Z0123456789ABC"')),
    ] = None
    """Route 53's zone in which the name is written; unset, you point the name at the API yourself."""
