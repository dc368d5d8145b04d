"""The current policies of a role: inline, attached, and its permissions boundary."""

from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """JSON documents; ``boundary`` is None if the role has none."""

    identity: tuple[str, ...]
    boundary: str | None


def policies_of(account_id: str, role_arn: str) -> RolePolicies:
    """The role's policies; empty if the role was deleted."""
    backend: Any = iam_backends[account_id]["aws"]
    role = next((role_record for role_record in list(backend.roles.values()) if role_record.arn == role_arn), None)
    if role is None:
        return RolePolicies((), None)
    boundary = role.permissions_boundary_arn
    return RolePolicies(
        texts_of(role),
        _document(backend.managed_policies[boundary]) if boundary else None,
    )


def role_arns(account_id: str) -> list[str]:
    """The ARNs of all roles."""
    backend: Any = iam_backends[account_id]["aws"]
    return [role.arn for role in list(backend.roles.values())]


def texts_of(owner: Any) -> tuple[str, ...]:
    """The inline and attached policies of a role, user or group."""
    attached = (_document(policy) for policy in owner.managed_policies.values())
    return (*(_text(document) for document in owner.policies.values()), *attached)


def _document(policy: Any) -> str:
    return _text(next(version.document for version in policy.versions if version.is_default))


def _text(document: Any) -> str:
    return document if isinstance(document, str) else document.decode()
