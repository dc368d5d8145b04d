"""Identifies callers: the user, role session or root whose key signed."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Scope

from serinus.offline.authentication.credentials import Credential, CredentialStore
from serinus.offline.authentication.sigv2 import QuerySignature
from serinus.offline.authentication.sigv4 import (
    MalformedSignature,
    SentRequest,
    Signature,
    has_other_body,
    is_by,
    read_signature,
    time_error,
    unsigned_header,
)
from serinus.offline.core.auth_errors import AuthenticationError
from serinus.offline.core.clock import real_time

#: The allowed skew of a signature's date; S3 allows more than the other services.
#: Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
TOLERANCE_S = 300
S3_TOLERANCE_S = 900
#: Larger bodies are hashed in a thread, so that other requests continue meanwhile.
LARGE_BODY_BYTES = 1024 * 1024

Body = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Signer:
    """The signer of a call, with the service (as signatures name it) and region."""

    key_id: str
    service: str
    region: str
    presigned: bool = False


class Authenticator:
    """Verifies signatures against the access keys that this cloud knows."""

    def __init__(
        self, credentials: CredentialStore, is_session: Callable[[str], bool], cloud_time: Callable[[], float]
    ) -> None:
        self._credentials = credentials
        #: Whether a key is a running function's, which is valid as long as the function's environment: AWS ends an
        #: environment before its credentials expire, and hours of cloud time may be seconds here.
        self._is_session = is_session
        self._cloud_time = cloud_time

    async def signer_of(self, request: SentRequest, body: Body) -> Signer:
        """The signer of ``request``, whose ``body`` is read only for a known key; raises `AuthenticationError`."""
        if request.headers.get("authorization", "").startswith("AWS "):
            raise AuthenticationError("old version", "s3")
        try:
            signature = read_signature(request)
        except MalformedSignature as error:
            service = "s3" if "authorization" not in request.headers else None
            raise AuthenticationError("malformed", service, str(error)) from error
        if signature is not None:
            await self._check(signature, request, body)
            return Signer(
                signature.key_id, signature.service, signature.region, presigned=signature.lifetime_s is not None
            )
        former = QuerySignature.read(request)
        if former is None:
            raise AuthenticationError("unsigned", None)
        credential = self._credential(former.key_id, former.token, "s3")
        if former.is_expired(real_time()):
            raise AuthenticationError("expired link", "s3")
        if not former.is_by(credential.secret, request):
            raise AuthenticationError("wrong signature", "s3")
        return Signer(former.key_id, "s3", "us-east-1", presigned=True)

    async def _check(self, signature: Signature, request: SentRequest, body: Body) -> None:
        service = signature.service
        credential = self._credential(signature.key_id, signature.token, service)
        tolerance_s = S3_TOLERANCE_S if service == "s3" else TOLERANCE_S
        if (message := time_error(signature, real_time(), tolerance_s)) is not None:
            raise AuthenticationError(
                "wrong time" if signature.lifetime_s is None else "expired link", service, message
            )
        if (name := unsigned_header(signature, request)) is not None:
            message = f"'{name}' must be a 'SignedHeader' in the AWS Authorization."
            raise AuthenticationError("unsigned header", service, message)
        whole = dataclasses.replace(request, body=await body())
        if len(whole.body) > LARGE_BODY_BYTES:
            problem = await asyncio.to_thread(_problem, credential, signature, whole)
        else:
            problem = _problem(credential, signature, whole)
        if problem is not None:
            raise problem

    def _credential(self, key_id: str, token: str | None, service: str) -> Credential:
        credential = self._credentials.find(key_id, token)
        if credential is None:
            raise AuthenticationError("unknown key", service)
        if (
            credential.expires is not None
            and credential.expires <= self._cloud_time()
            and not self._is_session(key_id)
        ):
            raise AuthenticationError("expired token", service)
        return credential


def _problem(credential: Credential, signature: Signature, request: SentRequest) -> AuthenticationError | None:
    if not is_by(credential.secret, signature, request):
        return AuthenticationError("wrong signature", signature.service)
    if has_other_body(signature, request):
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        return AuthenticationError("wrong body", signature.service, message)
    return None


def sent_request(scope: Scope) -> SentRequest:
    """The request as it arrived, without its body."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return SentRequest(
        method=scope["method"],
        path=path.decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=headers,
        scheme=scope["scheme"],
    )
