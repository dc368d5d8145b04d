"""AWS's rules for the settings of an API's callers. Each check raises an error that names the fault."""

import re

#: docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MOST_AUDIENCES = 50
MOST_SCOPES = 10

_ISSUER = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[^\s?#]*)?")
_LOOPBACK = re.compile(r"http://(?:localhost|127\.0\.0\.1)(?:[:/].*)?")


def check_issuer(issuer: str) -> str:
    """An issuer whose keys can be looked up."""
    if not _ISSUER.fullmatch(issuer) or (issuer.startswith("http:") and not is_plain_issuer(issuer)):
        raise ValueError(
            'is not an issuer; allowed: an https address such as "https://login.example.com/tenant", without a '
            "query; for the offline cloud also http on localhost or 127.0.0.1"
        )
    return issuer


def is_plain_issuer(issuer: str) -> bool:
    """Whether ``issuer`` uses plain HTTP on this machine, which only the offline cloud can reach."""
    return _LOOPBACK.fullmatch(issuer) is not None
