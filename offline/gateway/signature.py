"""AWS_IAM authorization: verifies a request's Signature Version 4 and asks IAM whether the caller may invoke.

Keys are those that moto's IAM and STS gave out; any other access key is unknown here as it is on AWS.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
"""

import hmac
import re
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from moto.iam.access_control import (
    CreateAccessKeyFailure,
    IAMPolicy,
    PermissionResult,
    create_access_key,
)

from offline.gateway.errors import GatewayError, access_denied, no_such_route
from offline.gateway.request import GatewayRequest

AUTHORIZATION = re.compile(
    r"^AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/"
    r"aws4_request,\s*SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})$"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request."""

    account_id: str
    access_key: str
    caller_id: str
    arn: str


def authenticate(request: GatewayRequest, account_id: str, resource_arn: str) -> Caller:
    """The caller who signed the request to a method; raises `GatewayError` (403) as AWS would."""
    given = request.header("authorization")
    if given is None:
        raise no_such_route()
    match = AUTHORIZATION.match(given)
    if match is None:
        raise incomplete_signature(given)
    access_key = find_key(request, account_id, match["key"])
    expected = expected_signature(request, match, access_key.create_credentials())
    if not hmac.compare_digest(expected, match["signature"]):
        raise mismatched_signature()
    check_permitted(resource_arn, access_key)
    return Caller(account_id, match["key"], match["key"], access_key.arn)


def find_key(request: GatewayRequest, account_id: str, key_id: str) -> Any:
    token = request.header("x-amz-security-token")
    headers = {"X-Amz-Security-Token": token} if token is not None else {}
    try:
        return create_access_key(account_id, "aws", key_id, headers)
    except CreateAccessKeyFailure as error:
        raise unknown_token() from error


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


def check_permitted(arn: str, access_key: Any) -> None:
    """Raise unless the caller's own policies allow execute-api:Invoke on the method."""
    results = [
        IAMPolicy(policy).is_action_permitted("execute-api:Invoke", arn)
        for policy in access_key.collect_policies()
    ]
    if PermissionResult.DENIED in results:
        raise not_authorized(access_key.arn, arn, " with an explicit deny")
    if PermissionResult.PERMITTED not in results:
        raise not_authorized(access_key.arn, arn, "")


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


def mismatched_signature() -> GatewayError:
    return GatewayError(
        "INVALID_SIGNATURE",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        "Access Key and signing method. Consult the service documentation for details.",
        "InvalidSignatureException",
    )


def not_authorized(caller_arn: str, resource_arn: str, why: str) -> GatewayError:
    return access_denied(
        f"User: {caller_arn} is not authorized to perform: execute-api:Invoke on resource: {resource_arn}{why}"
    )
