"""Who holds an access key: a user, a session of a role, or the account's root.

Keys are those that moto's IAM and STS gave out, and the cloud's own, which is root's: it stands for the
credentials of the person who started it.
"""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from serinus.offline.authentication.root_key import RootKey
from serinus.offline.authorization.role_policies import policies_of, texts_of


@dataclass(frozen=True, slots=True)
class Holder:
    """``token`` None means that requests bear none; ``expires`` is cloud time; root's ``policies`` are None.

    ``principal`` is the ARN that policies name the holder by, ``arn`` that of this very session. What ``policies``
    allow, each of ``bounds`` must allow too.
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
class Holders:
    """Everybody who holds a key of one account."""

    account_id: str
    root: RootKey

    def of(self, key_id: str, token: str | None) -> Holder | None:
        """The holder of an active access key who shows its session's ``token``, or none where it has none; else
        None."""
        holder = self._of(key_id)
        return holder if holder is not None and (token or None) == holder.token else None

    def _of(self, key_id: str) -> Holder | None:
        if key_id == self.root.access_key_id:
            arn = f"arn:aws:iam::{self.account_id}:root"
            secret = self.root.secret_access_key
            return Holder(key_id, secret, arn, arn, "Account", self.account_id, policies=None)
        return _user(self.account_id, key_id) or _session(self.account_id, key_id)


def _user(account_id: str, key_id: str) -> Holder | None:
    backend: Any = iam_backends[account_id]["aws"]
    for user in list(backend.users.values()):
        for key in user.access_keys:
            if (key.access_key_id, key.status) == (key_id, "Active"):
                groups = [group for group in backend.groups.values() if user in group.users]
                policies = tuple(text for owner in (user, *groups) for text in texts_of(owner))
                return Holder(
                    key_id, key.secret_access_key, user.arn, user.arn, "User", user.id, policies=policies
                )
    return None


def _session(account_id: str, key_id: str) -> Holder | None:
    backend: Any = sts_backends[account_id]["aws"]
    for session in list(backend.assumed_roles):
        if session.access_key_id == key_id:
            policies = policies_of(account_id, session.role_arn)
            bounds = [bound for bound in (policies.boundary, session.policy) if bound]
            return Holder(
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
