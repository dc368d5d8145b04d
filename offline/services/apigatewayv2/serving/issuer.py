"""Issuers' signing keys, from OpenID Connect discovery, cached for a while.

Unlike AWS, this cloud also accepts added keys, so that tokens can be signed without the issuer.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from serinus.offline.core.clock import Clock, monotonic
from serinus.offline.core.errors import OfflineError
from serinus.offline.services.apigatewayv2.authorizers import LOOPBACK
from serinus.offline.services.apigatewayv2.serving.token import InvalidToken

TIMEOUT_S = 1.5
LARGEST_ANSWER_BYTES = 150_000
#: Cloud seconds for which fetched keys are used.
KEPT_S = 7200
#: Real seconds before an unknown key is fetched again.
LOOK_AGAIN_S = 10.0


class IssuerUnreachable(OfflineError):
    """The issuer's discovery document or keys could not be fetched; the message names the URL and the reason."""


@dataclass(slots=True)
class _CachedKeys:
    keys: KeySet
    until: float
    fetched: float


@dataclass(slots=True)
class Issuers:
    """Every issuer's keys, for a whole gateway."""

    clock: Clock
    _known: dict[str, _CachedKeys] = field(default_factory=dict)
    _published: dict[str, dict[str, Key]] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def key(self, issuer: str, kid: str) -> Key:
        """The issuer's key ``kid``; raises `InvalidToken` if it does not exist, or `IssuerUnreachable`."""
        if (published := self._published.get(issuer, {}).get(kid)) is not None:
            return published
        async with self._locks.setdefault(issuer, asyncio.Lock()):
            known = self._known.get(issuer)
            if known is None or known.until <= self.clock.time():
                known = await self._fetch(issuer)
            match = _find(known.keys, kid)
            if match is None and monotonic() - known.fetched > LOOK_AGAIN_S:
                known = await self._fetch(issuer)
                match = _find(known.keys, kid)
        if match is None:
            raise InvalidToken("the token's kid is none of the issuer's keys")
        return match

    def add_key(self, issuer: str, key: Key) -> None:
        """Accept ``key``, a public key with a kid, as one of ``issuer``'s from now on."""
        self._published.setdefault(issuer, {})[str(key.kid)] = key

    def remove_keys(self, issuer: str | None) -> None:
        """Remove the keys added for ``issuer``, or for all."""
        self._published = {
            issuer_url: keys for issuer_url, keys in self._published.items() if issuer not in (None, issuer_url)
        }

    def published(self) -> dict[str, list[str]]:
        """The kid of each added key, by issuer."""
        return {issuer: list(keys) for issuer, keys in self._published.items()}

    async def _fetch(self, issuer: str) -> _CachedKeys:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            discovered = await _document(session, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            keys = await _document(session, str(discovered.get("jwks_uri")))
        try:
            match = KeySet.import_key_set(keys)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise IssuerUnreachable(f"{discovered.get('jwks_uri')} has no usable keys: {error}") from error
        self._known[issuer] = _CachedKeys(match, self.clock.time() + KEPT_S, monotonic())
        return self._known[issuer]


def _find(keys: KeySet, kid: str) -> Key | None:
    return next((key for key in keys if key.kid == kid and key.key_type == "RSA"), None)


async def _document(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    """A JSON object of at most 150,000 bytes from ``url``."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise IssuerUnreachable(f"{url} is not an https:// URL")
    try:
        async with session.get(url) as answer:
            answer.raise_for_status()
            text = await answer.content.read(LARGEST_ANSWER_BYTES + 1)
            while len(text) <= LARGEST_ANSWER_BYTES and not answer.content.at_eof():
                text += await answer.content.read(LARGEST_ANSWER_BYTES + 1)
            document = json.loads(text) if len(text) <= LARGEST_ANSWER_BYTES else None
    except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError) as error:
        raise IssuerUnreachable(f"{url}: {error or type(error).__name__}") from error
    if not isinstance(document, dict):
        raise IssuerUnreachable(f"{url} does not return a JSON object of at most {LARGEST_ANSWER_BYTES} bytes")
    return document
