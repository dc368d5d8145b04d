"""Access keys and their principals: a user, a role session, or the account's root.

Keys are those that moto's IAM and STS issued, and the cloud's own, which is root's: it represents the
credentials of the person who started the cloud.
"""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from serinus.offline.authentication.role_policies import policies_of, texts_of
from serinus.offline.core.root_key import RootKey


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key and its principal. Requests with it carry ``token``; ``expires`` is cloud time; root's
    ``policies`` are None.

    ``principal`` is the ARN that policies name, ``arn`` that of the user or session. Each of ``bounds`` must
    allow an action as well as ``policies``.
    """

    key_id: str
    secret: str
    arn: str
    principal: str
    kind: str
    user_id: str
    token: str | None = None
    expires: float | None = None
    policies: tuple[str, ...] | None = ()
    bounds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialStore:
    """The access keys of one account."""

    account_id: str
    root: RootKey

    def find(self, key_id: str, token: str | None) -> Credential | None:
        """The credential of an active access key; None for an unknown key or a wrong ``token``."""
        credential = self._by_key(key_id)
        return credential if credential is not None and (token or None) == credential.token else None

    def _by_key(self, key_id: str) -> Credential | None:
        if key_id == self.root.access_key_id:
            arn = f"arn:aws:iam::{self.account_id}:root"
            secret = self.root.secret_access_key
            return Credential(key_id, secret, arn, arn, "Account", self.account_id, policies=None)
        return _user(self.account_id, key_id) or _session(self.account_id, key_id)


def _user(account_id: str, key_id: str) -> Credential | None:
    backend: Any = iam_backends[account_id]["aws"]
    for user in list(backend.users.values()):
        for key in user.access_keys:
            if (key.access_key_id, key.status) == (key_id, "Active"):
                groups = [group for group in backend.groups.values() if user in group.users]
                policies = tuple(text for owner in (user, *groups) for text in texts_of(owner))
                return Credential(
                    key_id, key.secret_access_key, user.arn, user.arn, "User", user.id, policies=policies
                )
    return None


def _session(account_id: str, key_id: str) -> Credential | None:
    backend: Any = sts_backends[account_id]["aws"]
    for session in list(backend.assumed_roles):
        if session.access_key_id == key_id:
            policies = policies_of(account_id, session.role_arn)
            bounds = [bound for bound in (policies.boundary, session.policy) if bound]
            return Credential(
                key_id,
                session.secret_access_key,
                session.arn,
                session.role_arn,
                "AssumedRole",
                session.user_id,
                token=session.session_token,
                expires=session.expiration.replace(tzinfo=UTC).timestamp(),
                policies=policies.identity,
                bounds=tuple(bounds),
            )
    return None
