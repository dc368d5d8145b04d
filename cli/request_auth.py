"""How requests to an endpoint are authenticated: by API key, AWS signature, token, or not at all."""

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from serinus.cli.errors import CliError
from serinus.cli.target import CloudTarget, local_hint

if TYPE_CHECKING:
    from serinus.cli.endpoints import Endpoint

#: Where a token is looked for, so that it need not stand on a command line, which others on the machine can read.
VARIABLE_TOKEN = "SERINUS_TOKEN"
CONTENT_TYPE = "application/json"
#: API Gateway's name in a signature, for calls of deployed APIs.
SERVICE = "execute-api"
#: What may stand behind "Bearer" (https://www.rfc-editor.org/rfc/rfc6750#section-2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_BEARER = re.compile(r"^bearer\s+", re.IGNORECASE)


class RequestAuth(Protocol):
    """Authenticates requests to one endpoint."""

    def headers(self, url: str, body: bytes, method: str = "POST") -> dict[str, str]:
        """All headers that a request of ``method`` with ``body``, JSON, to ``url`` needs."""
        ...


@dataclass(frozen=True, slots=True)
class NoAuth:
    """No authentication."""

    def headers(self, url: str, body: bytes, method: str = "POST") -> dict[str, str]:
        del url, body, method
        return {"content-type": CONTENT_TYPE}


@dataclass(frozen=True, slots=True)
class ApiKeyAuth:
    """An API key."""

    key: str = field(repr=False)

    def headers(self, url: str, body: bytes, method: str = "POST") -> dict[str, str]:
        del url, body, method
        return {"content-type": CONTENT_TYPE, "x-api-key": self.key}


@dataclass(frozen=True, slots=True)
class BearerTokenAuth:
    """A token of the endpoint's issuer."""

    token: str = field(repr=False)

    def headers(self, url: str, body: bytes, method: str = "POST") -> dict[str, str]:
        del url, body, method
        return {"content-type": CONTENT_TYPE, "authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class SignatureAuth:
    """A signature by AWS credentials: botocore's, which renew themselves if they can."""

    credentials: Any = field(repr=False)
    region: str

    def headers(self, url: str, body: bytes, method: str = "POST") -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, url, headers={"content-type": CONTENT_TYPE}, data=body)
        SigV4Auth(self.credentials.get_frozen_credentials(), SERVICE, self.region).add_auth(request)
        return dict(request.headers.items())


def auth_for(endpoint: "Endpoint", target: CloudTarget, token: str | None = None) -> RequestAuth:
    """The authentication that ``endpoint`` requires, from its key, the user's credentials or ``token``; raises
    `CliError` if these are missing or malformed."""
    match endpoint.auth:
        case "api_key":
            if endpoint.key is None:
                raise CliError(
                    f"stack {endpoint.stack} has no output with an API key. Deploy {endpoint.name} again."
                )
            return ApiKeyAuth(endpoint.key)
        case "iam":
            return _signer(target)
        case "jwt":
            return BearerTokenAuth(_checked(endpoint.name, token))
        case "public":
            return NoAuth()
    raise CliError(
        f"stack {endpoint.stack} uses auth {endpoint.auth!r}, which this version of serinus does not support. "
        "Update serinus."
    )


def curl_auth_args(endpoint: "Endpoint", target: CloudTarget) -> list[str]:
    """The curl arguments that add `auth_for`'s headers; the user's own secrets stay variables of the shell."""
    match endpoint.auth:
        case "api_key":
            return ["-H", shlex.quote(f"x-api-key: {endpoint.key}")]
        case "iam":
            signed = ["--aws-sigv4", f"aws:amz:{target.region_name}:{SERVICE}", "--user"]
            user = '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
            return [*signed, user, "-H", '"x-amz-security-token: $AWS_SESSION_TOKEN"']
        case "jwt":
            return ["-H", f'"authorization: Bearer ${VARIABLE_TOKEN}"']
    return []


def describe_auth(auth: str) -> str:
    """What an endpoint requires of its callers, in words."""
    words = {
        "api_key": "an API key in the header x-api-key",
        "iam": "an AWS signature (Signature Version 4) by credentials that may call it",
        "jwt": "a token of its issuer in the header authorization: Bearer",
        "public": "no authentication: anyone may call it",
    }
    return words.get(auth, auth or "an authentication that its stack does not name")


def _checked(name: str, token: str | None) -> str:
    """The bare token. No message repeats it: it may be the secret, misspelt."""
    if token is None or not token.strip():
        raise CliError(
            f'{name} has auth = "jwt", which requires a token of its issuer. Set the variable {VARIABLE_TOKEN} or '
            f"pass --token. For the offline cloud, `serinus local token {name}` creates one."
        )
    bare = _BEARER.sub("", token.strip())
    if not _TOKEN.fullmatch(bare):
        raise CliError(
            f"the value of --token or {VARIABLE_TOKEN} is not a token ({len(bare)} characters): a token consists "
            "of "
            "letters, digits and . _ ~ + / -, with = only at its end. Copy it again from its issuer."
        )
    return bare


def _signer(target: CloudTarget) -> SignatureAuth:
    import boto3

    if target.cloud is not None:
        return SignatureAuth(target.cloud.key.credentials(), target.cloud.region)
    session = boto3.Session(region_name=target.region)
    credentials = session.get_credentials()
    if credentials is None or session.region_name is None:
        lacking = "region settings" if credentials else "credentials"
        raise CliError(
            f"this endpoint requires signed requests, but no AWS {lacking} were found. `serinus doctor` checks "
            "them."
            f"{local_hint()}"
        )
    return SignatureAuth(credentials, session.region_name)
