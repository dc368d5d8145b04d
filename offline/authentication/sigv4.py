"""Verifies Signature Version 4, in headers or a query, by signing again with botocore's own signer.

Signatures are dated by the machine's clock, because clients sign with it, however fast cloud time runs.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

AUTHORIZATION = re.compile(
    r"^AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/"
    r"aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})$"
)
CREDENTIAL = re.compile(
    r"^(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request$"
)
AMZ_DATE = "%Y%m%dT%H%M%SZ"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
#: The maximum lifetime of a presigned URL: seven days.
LONGEST_LIFETIME_S = 604_800
_SIGNATURE_PARAMETER = re.compile(r"(?:^|&)X-Amz-Signature=[^&]*")


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it arrived: ``path`` and ``raw_query`` percent-encoded, header names in lower case."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes = b""
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class Signature:
    """A request's signature; ``lifetime_s`` is None in headers, set in a presigned URL."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str
    signed_at: str
    token: str | None
    lifetime_s: int | None = None


class MalformedSignature(ValueError):
    """A signature that lacks a part; the message names the required parts."""


def read_signature(request: SentRequest) -> Signature | None:
    """The signature of ``request``, None if it has none; raises `MalformedSignature`."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return _from_headers(authorization, request.headers)
    if "X-Amz-Signature=" in request.raw_query or "X-Amz-Algorithm=" in request.raw_query:
        return _from_query(dict(parse_qsl(request.raw_query, keep_blank_values=True)))
    return None


def _from_headers(authorization: str, headers: Mapping[str, str]) -> Signature:
    match = AUTHORIZATION.match(authorization)
    signed_at = headers.get("x-amz-date")
    if match is None or signed_at is None or "host" not in match["headers"].split(";"):
        raise MalformedSignature(
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature', and an X-Amz-Date "
            f"header beside it. Authorization={authorization}"
        )
    return Signature(
        key_id=match["key"],
        date=match["date"],
        region=match["region"],
        service=match["service"],
        signed_headers=tuple(match["headers"].split(";")),
        value=match["signature"],
        signed_at=signed_at,
        token=headers.get("x-amz-security-token"),
    )


def _from_query(query: Mapping[str, str]) -> Signature:
    match = CREDENTIAL.match(query.get("X-Amz-Credential", ""))
    lifetime = query.get("X-Amz-Expires", "")
    signed_headers = tuple(query.get("X-Amz-SignedHeaders", "").split(";"))
    complete = query.get("X-Amz-Algorithm") == "AWS4-HMAC-SHA256" and "host" in signed_headers
    if match is None or not complete or not re.fullmatch(r"[0-9]{1,9}", lifetime):
        raise MalformedSignature(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
    if int(lifetime) > LONGEST_LIFETIME_S:
        raise MalformedSignature("X-Amz-Expires must be less than a week (in seconds) that is 604800")
    return Signature(
        key_id=match["key"],
        date=match["date"],
        region=match["region"],
        service=match["service"],
        signed_headers=signed_headers,
        value=query.get("X-Amz-Signature", ""),
        signed_at=query.get("X-Amz-Date", ""),
        token=query.get("X-Amz-Security-Token"),
        lifetime_s=int(lifetime),
    )


class _SignedHeadersOnly:
    """Signs only the headers that were signed, and the declared hash of the body."""

    payload_hash = ""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers

    def payload(self, request: Any) -> str:
        del request
        return self.payload_hash


class _SigV4Verifier(_SignedHeadersOnly, SigV4Auth):  # type: ignore[misc]
    """For all services but S3; their paths are encoded once more."""


class _S3Verifier(_SignedHeadersOnly, S3SigV4Auth):  # type: ignore[misc]
    """For S3, whose paths are signed as sent."""


def is_by(secret: str, signature: Signature, request: SentRequest) -> bool:
    """Whether this request, or its declared body hash in place of the body, was signed with ``secret``."""
    verifier: Any = _S3Verifier if signature.service == "s3" else _SigV4Verifier
    signer = verifier(Credentials(signature.key_id, secret), signature.service, signature.region)
    query = request.raw_query
    if signature.lifetime_s is not None:
        query = _SIGNATURE_PARAMETER.sub("", query).removeprefix("&")
    aws_request = AWSRequest(
        method=request.method,
        url=f"{request.scheme}://{request.headers.get('host', '')}{request.path}{'?' if query else ''}{query}",
        data=request.body,
        headers={name: request.headers.get(name, "") for name in signature.signed_headers},
    )
    aws_request.context["timestamp"] = signature.signed_at
    signer.payload_hash = payload_hash(signature, request)
    text = signer.string_to_sign(aws_request, signer.canonical_request(aws_request))
    return is_same(signer.signature(text, aws_request), signature.value)


def is_same(expected: str, sent: str) -> bool:
    """Whether the signatures are equal; ``sent`` may contain any characters."""
    return hmac.compare_digest(expected.encode(), sent.encode("utf-8", "surrogateescape"))


def unsigned_header(signature: Signature, request: SentRequest) -> str | None:
    """An unsigned header of the request that changes its meaning; None if all are signed.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    (CanonicalHeaders)
    """
    # A presigned URL's body is never signed, whatever the client declares.
    free = {"x-amz-content-sha256"} if signature.lifetime_s is not None else set()
    meaningful = (name for name in request.headers if name.startswith("x-amz-") and name not in free)
    return next((name for name in meaningful if name not in signature.signed_headers), None)


def payload_hash(signature: Signature, request: SentRequest) -> str:
    """The body's hash in the signature: the declared one, else the body's own."""
    if signature.lifetime_s is not None and signature.service == "s3":
        return request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
    return request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()


def has_other_body(signature: Signature, request: SentRequest) -> bool:
    """Whether the body differs from the hash that the request declares and signs.

    S3 alone accepts words in its place, for bodies that are unsigned or in chunks.
    """
    stated = request.headers.get("x-amz-content-sha256")
    if stated is None or (signature.service == "s3" and not re.fullmatch(r"[0-9a-f]{64}", stated)):
        return False
    return stated != hashlib.sha256(request.body).hexdigest()


def time_error(signature: Signature, now: float, tolerance_s: float) -> str | None:
    """AWS's message for a signature not dated about ``now`` (epoch seconds); None if it is."""
    try:
        at = datetime.strptime(signature.signed_at, AMZ_DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return f"Date must be in ISO-8601 'basic format'. Got '{signature.signed_at}'."
    signed_at = signature.signed_at
    if signed_at[:8] != signature.date:
        return f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {signed_at}"
    lifetime_s = tolerance_s if signature.lifetime_s is None else signature.lifetime_s
    minutes = f"{tolerance_s / 60:.0f} min."
    if now > at + lifetime_s:
        oldest = amz(now - lifetime_s)
        return f"Signature expired: {signed_at} is now earlier than {oldest} ({amz(now)} - {minutes})"
    if at > now + tolerance_s:
        newest = amz(now + tolerance_s)
        return f"Signature not yet current: {signed_at} is still later than {newest} ({amz(now)} + {minutes})"
    return None


def amz(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime(AMZ_DATE)
