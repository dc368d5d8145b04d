"""Presigned S3 URLs of the former signature version, which boto3 still creates for regions that accept it.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
"""

import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from serinus.offline.authentication.sigv4 import SentRequest, is_same


@dataclass(frozen=True, slots=True)
class QuerySignature:
    """The signature in such a URL; ``expires`` in epoch seconds."""

    key_id: str
    value: str
    expires: str
    token: str | None

    @classmethod
    def read(cls, request: SentRequest) -> Self | None:
        """The signature in the request's query; None if there is none."""
        query = dict(parse_qsl(request.raw_query, keep_blank_values=True))
        if not {"AWSAccessKeyId", "Signature", "Expires"} <= query.keys():
            return None
        return cls(
            query["AWSAccessKeyId"], query["Signature"], query["Expires"], query.get("x-amz-security-token")
        )

    def is_expired(self, now: float) -> bool:
        """Whether the URL has expired at ``now``, in epoch seconds."""
        return not re.fullmatch(r"[0-9]{1,12}", self.expires) or now > int(self.expires)

    def is_by(self, secret: str, request: SentRequest) -> bool:
        """Whether this request was signed with ``secret``."""
        in_query = {name.lower(): value for name, value in parse_qsl(request.raw_query, keep_blank_values=True)}
        headers = HTTPHeaders()
        for name, value in (in_query | dict(request.headers)).items():
            if name.startswith("x-amz-") or name in ("content-md5", "content-type"):
                headers[name] = value
        signer: Any = _SigV2Verifier(Credentials(self.key_id, secret), expires=self.expires)
        text = signer.canonical_string(
            request.method, urlsplit(f"http://host{request.path}?{request.raw_query}"), headers
        )
        return is_same(signer.sign_string(text), self.value)


class _SigV2Verifier(HmacV1QueryAuth):  # type: ignore[misc]
    """Signs for the URL's own expiry, not one counted from now."""

    def _get_date(self) -> str:
        return str(self._expires)
