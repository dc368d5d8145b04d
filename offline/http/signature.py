"""AWS_IAM authorization: verifies a request's Signature Version 4 and checks IAM's permission to invoke.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from serinus.offline.authentication.authenticator import TOLERANCE_S
from serinus.offline.authentication.credentials import Credential, CredentialStore
from serinus.offline.authentication.sigv4 import (
    MalformedSignature,
    SentRequest,
    Signature,
    has_other_body,
    is_by,
    read_signature,
    time_error,
)
from serinus.offline.authorization.conditions import Context
from serinus.offline.authorization.policy import Access, Effect, effect_of
from serinus.offline.core.clock import real_time
from serinus.offline.http.errors import GatewayError, access_denied, no_such_route
from serinus.offline.http.request import GatewayRequest

#: API Gateway's name in a signature for calls of deployed APIs.
SERVICE = "execute-api"


@dataclass(frozen=True, slots=True)
class Caller:
    """The signer of a request."""

    account_id: str
    access_key: str
    caller_id: str
    arn: str


@dataclass(frozen=True, slots=True)
class InvocationTarget:
    """The invoked method: its ``arn`` as execute-api names it, at ``cloud_time``."""

    account_id: str
    region: str
    arn: str
    cloud_time: float


def authenticate(request: GatewayRequest, target: InvocationTarget, credentials: CredentialStore) -> Caller:
    """The caller who signed the request; raises `GatewayError` (403) as AWS would."""
    authorization = request.header("authorization")
    if authorization is None:
        raise no_such_route()
    sent = SentRequest(
        request.method, request.sent_path, request.raw_query, request.values, request.body, request.scheme
    )
    try:
        signature = read_signature(sent)
    except MalformedSignature:
        signature = None
    if signature is None:
        raise incomplete_signature(authorization)
    credential = find_credential(signature, target, credentials)
    check_scope(signature, target.region)
    if not is_by(credential.secret, signature, sent) or has_other_body(signature, sent):
        raise mismatched_signature()
    check_permitted(request, target, credential)
    return Caller(target.account_id, signature.key_id, credential.user_id, credential.arn)


def find_credential(signature: Signature, target: InvocationTarget, credentials: CredentialStore) -> Credential:
    credential = credentials.find(signature.key_id, signature.token)
    if credential is None:
        raise unknown_token()
    if credential.expires is not None and credential.expires <= target.cloud_time:
        raise expired_token()
    return credential


def check_scope(signature: Signature, region: str) -> None:
    """Raise unless the signature is for this service and region, and recent."""
    if signature.service != SERVICE:
        raise invalid_signature(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if signature.region != region:
        raise invalid_signature(f"Credential should be scoped to a valid region, not '{signature.region}'.")
    if (message := time_error(signature, real_time(), TOLERANCE_S)) is not None:
        raise invalid_signature(message)


def check_permitted(request: GatewayRequest, target: InvocationTarget, credential: Credential) -> None:
    """Raise unless the caller's own policies allow execute-api:Invoke on the method."""
    if credential.policies is None:
        return
    access = Access("execute-api:Invoke", target.arn)
    context = condition_keys(request, target, credential)
    effects = [effect_of(credential.policies, access, context)]
    effects += [effect_of([bound], access, context) for bound in credential.bounds]
    if Effect.DENY in effects:
        raise not_authorized(credential.arn, target.arn, " with an explicit deny")
    if Effect.NOTHING in effects:
        raise not_authorized(credential.arn, target.arn, "")


def condition_keys(request: GatewayRequest, target: InvocationTarget, credential: Credential) -> Context:
    now = datetime.fromtimestamp(target.cloud_time, UTC)
    keys = {
        "aws:currenttime": now.isoformat(),
        "aws:epochtime": str(int(target.cloud_time)),
        "aws:principalaccount": target.account_id,
        "aws:principalarn": credential.principal,
        "aws:principaltype": credential.kind,
        "aws:requestedregion": target.region,
        "aws:resourceaccount": target.account_id,
        # As on AWS: here it is this cloud's own address that has no TLS.
        "aws:securetransport": "true",
        "aws:sourceip": request.source_ip,
        "aws:userid": credential.user_id,
        "aws:viaawsservice": "false",
    }
    agent = request.header("user-agent")
    return {name: (value,) for name, value in keys.items()} | ({"aws:useragent": (agent,)} if agent else {})


def incomplete_signature(authorization: str) -> GatewayError:
    return GatewayError(
        "INVALID_SIGNATURE",
        "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'. "
        f"Authorization={authorization}",
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
