"""AWS's errors for a call that fails authentication: code and status by service and protocol.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#CommonErrors (Query),
https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html (JSON),
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (S3)
"""

from typing import Literal

from serinus.offline.core.errors import AwsError

Problem = Literal[
    "unsigned", "malformed", "old version", "unknown key", "expired token",
    "wrong signature", "wrong time", "expired link", "wrong body", "unsigned header",
]  # fmt: skip

#: By problem: the code of Query and XML, that of JSON, that of S3 with its status.
_CODES: dict[Problem, tuple[str, str, str, int]] = {
    "unsigned": ("MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied", 403),
    "malformed": ("IncompleteSignature", "IncompleteSignatureException", "AuthorizationHeaderMalformed", 400),
    "old version": ("IncompleteSignature", "IncompleteSignatureException", "InvalidRequest", 400),
    "unknown key": ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", 403),
    "expired token": ("ExpiredToken", "ExpiredTokenException", "ExpiredToken", 400),
    "wrong signature": ("SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch", 403),
    "wrong time": ("SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed", 403),
    "expired link": ("SignatureDoesNotMatch", "InvalidSignatureException", "AccessDenied", 403),
    "unsigned header": ("SignatureDoesNotMatch", "InvalidSignatureException", "AccessDenied", 403),
    "wrong body": ("SignatureDoesNotMatch", "InvalidSignatureException", "XAmzContentSHA256Mismatch", 400),
}
#: Every code that a rejection may have.
CODES = frozenset(code for query, json, s3, _ in _CODES.values() for code in (query, json, s3))
_MESSAGES: dict[Problem, str] = {
    "unsigned": "Request is missing Authentication Token",
    "unknown key": "The security token included in the request is invalid.",
    "expired token": "The security token included in the request is expired",
    "wrong signature": (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        "Access Key and signing method. Consult the service documentation for details."
    ),
}
_S3_MESSAGES: dict[Problem, str] = {
    "old version": (
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    ),
    "unsigned": "Access Denied",
    "unknown key": "The AWS Access Key Id you provided does not exist in our records.",
    "expired token": "The provided token has expired.",
    "wrong signature": (
        "The request signature we calculated does not match the signature you provided. Check your key and "
        "signing method."
    ),
    "wrong time": "The difference between the request time and the current time is too large.",
    "expired link": "Request has expired",
    "unsigned header": "There were headers present in the request which were not signed",
}


class AuthenticationError(Exception):
    """A call without a valid signature; ``signed_as`` is the service that its signature names, if any."""

    def __init__(self, problem: Problem, signed_as: str | None, message: str = "") -> None:
        super().__init__(message or problem)
        self.problem: Problem = problem
        self.signed_as = signed_as
        self.message = message

    def error(self, protocol: str) -> AwsError:
        """The error in the shape that the service's clients parse, in ``protocol``."""
        query, json, s3, s3_status = _CODES[self.problem]
        if self.signed_as == "s3":
            message = _S3_MESSAGES.get(self.problem) or self.message
            return AwsError(s3, message, status=s3_status)
        code = query if protocol in ("query", "rest-xml", "ec2") else json
        return AwsError(code, self.message or _MESSAGES.get(self.problem, self.problem), status=403)
