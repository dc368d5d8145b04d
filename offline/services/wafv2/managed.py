"""AWS's managed rule groups: their rules, of which those that AWS documents well enough are evaluated.

The others match patterns that AWS does not publish; here a web ACL may contain them, and they match nothing.
Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
"""

from collections.abc import Callable
from dataclasses import dataclass

from serinus.offline.http.request import GatewayRequest

RequestMatcher = Callable[[GatewayRequest], bool]

#: Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
LONGEST_QUERY_BYTES, LONGEST_COOKIE_BYTES, LONGEST_BODY_BYTES, LONGEST_PATH_BYTES = 2048, 10_240, 8192, 1024


@dataclass(frozen=True, slots=True)
class ManagedGroup:
    """``rules`` in order, each with its matcher; None for rules that are not evaluated."""

    capacity: int
    rules: dict[str, RequestMatcher | None]


def _unpublished(names: str) -> dict[str, RequestMatcher | None]:
    return dict.fromkeys(names.split())


COMMON: dict[str, RequestMatcher | None] = {
    "NoUserAgent_HEADER": lambda request: request.header("user-agent") is None,
    **_unpublished("UserAgent_BadBots_HEADER"),
    "SizeRestrictions_QUERYSTRING": lambda request: len(request.raw_query) > LONGEST_QUERY_BYTES,
    "SizeRestrictions_Cookie_HEADER": lambda request: len(request.header("cookie") or "") > LONGEST_COOKIE_BYTES,
    "SizeRestrictions_BODY": lambda request: len(request.body) > LONGEST_BODY_BYTES,
    "SizeRestrictions_URIPATH": lambda request: len(request.sent_path) > LONGEST_PATH_BYTES,
    **_unpublished(
        "EC2MetaDataSSRF_BODY EC2MetaDataSSRF_COOKIE EC2MetaDataSSRF_URIPATH EC2MetaDataSSRF_QUERYARGUMENTS "
        "GenericLFI_QUERYARGUMENTS GenericLFI_URIPATH GenericLFI_BODY RestrictedExtensions_URIPATH "
        "RestrictedExtensions_QUERYARGUMENTS GenericRFI_QUERYARGUMENTS GenericRFI_BODY GenericRFI_URIPATH "
        "CrossSiteScripting_COOKIE CrossSiteScripting_QUERYARGUMENTS CrossSiteScripting_BODY "
        "CrossSiteScripting_URIPATH"
    ),
}
KNOWN_BAD_INPUTS: dict[str, RequestMatcher | None] = {
    **_unpublished(
        "JavaDeserializationRCE_BODY JavaDeserializationRCE_URIPATH JavaDeserializationRCE_QUERYSTRING "
        "JavaDeserializationRCE_HEADER Host_localhost_HEADER"
    ),
    "PROPFIND_METHOD": lambda request: request.method == "PROPFIND",
    **_unpublished(
        "ExploitablePaths_URIPATH Log4JRCE_QUERYSTRING Log4JRCE_BODY Log4JRCE_URIPATH Log4JRCE_HEADER "
        "ReactJSRCE_BODY"
    ),
}

GROUPS: dict[str, ManagedGroup] = {
    "AWSManagedRulesCommonRuleSet": ManagedGroup(700, COMMON),
    "AWSManagedRulesKnownBadInputsRuleSet": ManagedGroup(200, KNOWN_BAD_INPUTS),
    "AWSManagedRulesAdminProtectionRuleSet": ManagedGroup(100, _unpublished("AdminProtection_URIPATH")),
    "AWSManagedRulesAmazonIpReputationList": ManagedGroup(
        25, _unpublished("AWSManagedIPReputationList AWSManagedReconnaissanceList AWSManagedIPDDoSList")
    ),
    "AWSManagedRulesAnonymousIpList": ManagedGroup(50, _unpublished("AnonymousIPList HostingProviderIPList")),
    "AWSManagedRulesSQLiRuleSet": ManagedGroup(
        200,
        _unpublished(
            "SQLi_QUERYARGUMENTS SQLiExtendedPatterns_QUERYARGUMENTS SQLi_BODY SQLiExtendedPatterns_BODY "
            "SQLi_COOKIE SQLi_URIPATH"
        ),
    ),
    "AWSManagedRulesLinuxRuleSet": ManagedGroup(200, _unpublished("LFI_URIPATH LFI_QUERYSTRING LFI_HEADER")),
}
#: Groups that are charged per request and respond with challenges.
REFUSED = frozenset(
    {
        "AWSManagedRulesACFPRuleSet",
        "AWSManagedRulesATPRuleSet",
        "AWSManagedRulesAntiDDoSRuleSet",
        "AWSManagedRulesBotControlRuleSet",
    }
)
