"""How a request shows who sends it: by a key, by an AWS signature, by a token, or not at all."""

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from serinus.cli.errors import CliError
from serinus.cli.target import Target

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


class Caller(Protocol):
    """Whoever sends requests to one endpoint."""

    def headers(self, url: str, body: bytes) -> dict[str, str]:
        """All headers that a POST of ``body``, JSON, to ``url`` needs."""
        ...


@dataclass(frozen=True, slots=True)
class Anyone:
    """Nobody asks."""

    def headers(self, url: str, body: bytes) -> dict[str, str]:
        del url, body
        return {"content-type": CONTENT_TYPE}


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whoever has an API key."""

    key: str = field(repr=False)

    def headers(self, url: str, body: bytes) -> dict[str, str]:
        del url, body
        return {"content-type": CONTENT_TYPE, "x-api-key": self.key}


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """Whoever has a token of the issuer."""

    token: str = field(repr=False)

    def headers(self, url: str, body: bytes) -> dict[str, str]:
        del url, body
        return {"content-type": CONTENT_TYPE, "authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Signer:
    """Whoever has AWS credentials: botocore's, which renew themselves where they can."""

    credentials: Any = field(repr=False)
    region: str

    def headers(self, url: str, body: bytes) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("POST", url, headers={"content-type": CONTENT_TYPE}, data=body)
        SigV4Auth(self.credentials.get_frozen_credentials(), SERVICE, self.region).add_auth(request)
        return dict(request.headers.items())


def caller_of(endpoint: "Endpoint", target: Target, token: str | None = None) -> Caller:
    """Whoever may call ``endpoint``, with the key, credentials or ``token`` at hand; `CliError` where there is
    none, or where the token cannot be one."""
    match endpoint.auth:
        case "api_key":
            if endpoint.key is None:
                raise CliError(f"stack {endpoint.stack} names no API key; deploy {endpoint.name} again.")
            return KeyHolder(endpoint.key)
        case "iam":
            return _signer(target)
        case "jwt":
            return TokenBearer(_checked(endpoint.name, token))
        case "public":
            return Anyone()
    raise CliError(
        f"stack {endpoint.stack} lets callers in by {endpoint.auth!r}, which this version of serinus does not "
        "know; update serinus."
    )


def curl_words(endpoint: "Endpoint", target: Target) -> list[str]:
    """What a curl line needs so that `caller_of`'s headers come with it; secrets of a person's own as variables of
    the shell."""
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


def wants(auth: str) -> str:
    """What an endpoint asks of its callers, in words."""
    words = {
        "api_key": "a key, as x-api-key",
        "iam": "a signature by AWS credentials (Signature Version 4)",
        "jwt": "a token of its issuer, as authorization: Bearer",
        "public": "nothing: anyone may call",
    }
    return words.get(auth, auth or "something that its stack does not tell")


def _checked(name: str, token: str | None) -> str:
    """The bare token. No message repeats what was given: it may be the secret, misspelt."""
    if token is None or not token.strip():
        raise CliError(
            f'{name} has auth = "jwt": callers show a token of its issuer, and none was given. Put one into the '
            f"variable {VARIABLE_TOKEN} or give it with --token; `serinus local token {name}` makes one for the "
            "offline cloud."
        )
    bare = _BEARER.sub("", token.strip())
    if not _TOKEN.fullmatch(bare):
        raise CliError(
            f"what --token or {VARIABLE_TOKEN} holds is no token ({len(bare)} characters): it may have letters, "
            "digits and . _ ~ + / - only, and = at its end."
        )
    return bare


def _signer(target: Target) -> Signer:
    import boto3

    if target.cloud is not None:
        return Signer(target.cloud.key.credentials(), target.cloud.region)
    session = boto3.Session(region_name=target.region)
    credentials = session.get_credentials()
    if credentials is None or session.region_name is None:
        lacking = "region" if credentials else "credentials"
        raise CliError(f"requests are signed, and no AWS {lacking} can be found. `serinus doctor` looks at them.")
    return Signer(credentials, session.region_name)
