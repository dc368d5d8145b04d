"""AWS_IAM authorization: verifies a request's Signature Version 4 and asks IAM whether the caller may invoke.

Signatures are dated by the machine's clock, because that is what clients sign with, however fast cloud time runs.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from offline.authorization.conditions import Context
from offline.authorization.holders import Holder, holder_of
from offline.authorization.policy import Access, Effect, effect_of
from offline.clock import real_time
from offline.gateway.errors import GatewayError, access_denied, no_such_route
from offline.gateway.request import GatewayRequest

AUTHORIZATION = re.compile(
    r"^AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/"
    r"aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})$"
)
AMZ_DATE = "%Y%m%dT%H%M%SZ"
#: Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
SERVICE = "execute-api"
#: How far a signature's date may be off.
TOLERANCE_S = 300


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request."""

    account_id: str
    access_key: str
    caller_id: str
    arn: str


@dataclass(frozen=True, slots=True)
class Invoked:
    """What is called: the method's ``arn`` as execute-api names it, at ``cloud_time``."""

    account_id: str
    region: str
    arn: str
    cloud_time: float


def authenticate(request: GatewayRequest, invoked: Invoked) -> Caller:
    """The caller who signed the request; raises `GatewayError` (403) as AWS would."""
    given = request.header("authorization")
    if given is None:
        raise no_such_route()
    match = AUTHORIZATION.match(given)
    signed_at = request.header("x-amz-date")
    if match is None or signed_at is None or "host" not in match["headers"].split(";"):
        raise incomplete_signature(given)
    holder = find_holder(request, invoked, match["key"])
    check_scope(match, invoked.region, signed_at)
    expected = expected_signature(request, match, Credentials(holder.key_id, holder.secret))
    if not hmac.compare_digest(expected, match["signature"]) or lies_about_body(request):
        raise mismatched_signature()
    check_permitted(request, invoked, holder)
    return Caller(invoked.account_id, match["key"], holder.user_id, holder.arn)


def find_holder(request: GatewayRequest, invoked: Invoked, key_id: str) -> Holder:
    holder, token = holder_of(invoked.account_id, key_id), request.header("x-amz-security-token")
    if holder is None:
        raise unknown_token()
    if holder.policies is not None and token != holder.token:
        raise unknown_token()
    if holder.expires is not None and holder.expires <= invoked.cloud_time:
        raise expired_token()
    return holder


def check_scope(match: re.Match[str], region: str, signed_at: str) -> None:
    """Raise unless the signature is for this service and region, and of these minutes."""
    if match["service"] != SERVICE:
        raise invalid_signature(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if match["region"] != region:
        raise invalid_signature(f"Credential should be scoped to a valid region, not '{match['region']}'.")
    try:
        at = datetime.strptime(signed_at, AMZ_DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise incomplete_signature(f"X-Amz-Date={signed_at}") from None
    if signed_at[:8] != match["date"]:
        raise invalid_signature(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {signed_at}"
        )
    now = real_time()
    oldest, newest = now - TOLERANCE_S, now + TOLERANCE_S
    if at < oldest:
        raise invalid_signature(
            f"Signature expired: {signed_at} is now earlier than {amz(oldest)} ({amz(now)} - 5 min.)"
        )
    if at > newest:
        raise invalid_signature(
            f"Signature not yet current: {signed_at} is still later than {amz(newest)} ({amz(now)} + 5 min.)"
        )


def amz(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime(AMZ_DATE)


def lies_about_body(request: GatewayRequest) -> bool:
    """Whether the body is another than the hash that the request gives, and signs, for it."""
    given = request.header("x-amz-content-sha256")
    return given is not None and given != hashlib.sha256(request.body).hexdigest()


def expected_signature(request: GatewayRequest, match: re.Match[str], credentials: Any) -> str:
    """The signature that these credentials give for the request as it arrived."""
    query = f"?{request.raw_query}" if request.raw_query else ""
    signed = AWSRequest(
        method=request.method,
        url=f"{request.scheme}://{request.header('host')}{request.sent_path}{query}",
        data=request.body,
        headers={name: request.header(name) or "" for name in match["headers"].split(";")},
    )
    signed.context["timestamp"] = request.header("x-amz-date") or ""
    signer: Any = SigV4Auth(credentials, match["service"], match["region"])
    signature: str = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    return signature


def check_permitted(request: GatewayRequest, invoked: Invoked, holder: Holder) -> None:
    """Raise unless the caller's own policies allow execute-api:Invoke on the method."""
    if holder.policies is None:
        return
    access = Access("execute-api:Invoke", invoked.arn)
    context = condition_keys(request, invoked, holder)
    effects = [effect_of(holder.policies, access, context)]
    effects += [effect_of([bound], access, context) for bound in holder.bounds]
    if Effect.DENY in effects:
        raise not_authorized(holder.arn, invoked.arn, " with an explicit deny")
    if Effect.NOTHING in effects:
        raise not_authorized(holder.arn, invoked.arn, "")


def condition_keys(request: GatewayRequest, invoked: Invoked, holder: Holder) -> Context:
    now = datetime.fromtimestamp(invoked.cloud_time, UTC)
    keys = {
        "aws:currenttime": now.isoformat(),
        "aws:epochtime": str(int(invoked.cloud_time)),
        "aws:principalaccount": invoked.account_id,
        "aws:principalarn": holder.principal,
        "aws:principaltype": holder.kind,
        "aws:requestedregion": invoked.region,
        "aws:resourceaccount": invoked.account_id,
        # As on AWS: here it is this cloud's own address that has no TLS.
        "aws:securetransport": "true",
        "aws:sourceip": request.source_ip,
        "aws:userid": holder.user_id,
        "aws:viaawsservice": "false",
    }
    agent = request.header("user-agent")
    return {name: (value,) for name, value in keys.items()} | ({"aws:useragent": (agent,)} if agent else {})


def incomplete_signature(given: str) -> GatewayError:
    return GatewayError(
        "INVALID_SIGNATURE",
        f"Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'. Authorization={given}",
        "IncompleteSignatureException",
    )


def unknown_token() -> GatewayError:
    return GatewayError(
        "ACCESS_DENIED", "The security token included in the request is invalid.", "UnrecognizedClientException"
    )


def expired_token() -> GatewayError:
    return GatewayError(
        "EXPIRED_TOKEN", "The security token included in the request is expired", "ExpiredTokenException"
    )


def invalid_signature(message: str) -> GatewayError:
    return GatewayError("INVALID_SIGNATURE", message, "InvalidSignatureException")


def mismatched_signature() -> GatewayError:
    return invalid_signature(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        "Access Key and signing method. Consult the service documentation for details."
    )


def not_authorized(caller_arn: str, resource_arn: str, why: str) -> GatewayError:
    return access_denied(
        f"User: {caller_arn} is not authorized to perform: execute-api:Invoke on resource: {resource_arn}{why}"
    )
