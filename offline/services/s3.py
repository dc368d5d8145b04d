"""S3 is moto's, with the conditions of bucket policies taken into account.

Moto denies whatever a conditional statement names, whether or not its condition holds, so the usual "deny
what is not TLS" refuses every upload, the CDK's included. Here every request counts as made over TLS, as it
would be on AWS, and a statement under any other condition is left out, because nothing here knows the rest
of the request's context (IAM is not enforced in this cloud either).
"""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

#: The only request context that is known.
SECURE_TRANSPORT = {"aws:securetransport": "true"}


def apply() -> None:
    """Have moto's buckets judge requests by `get_permission`."""
    FakeBucket.get_permission = get_permission


def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """What the bucket's policy says of ``action`` on ``resource`` (an ARN)."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    document = json.loads(bucket.policy.decode())
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    document["Statement"] = [
        {key: value for key, value in statement.items() if key != "Condition"}
        for statement in statements
        if _holds(statement.get("Condition") or {})
    ]
    return IAMPolicy(json.dumps(document)).is_action_permitted(action, resource)


def _holds(conditions: dict[str, dict[str, Any]]) -> bool:
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            known = SECURE_TRANSPORT.get(key.lower())
            if operator != "Bool" or known not in [str(value).lower() for value in values]:
                return False
    return True
