"""S3 is moto's, with conditions in bucket policies, and without undeliverable notifications.

Moto applies a conditional statement whether or not its condition holds, so the usual "deny requests without
TLS" rejects every upload, the CDK's included. Here every request counts as made over TLS, as on AWS, and a
statement with any other condition is ignored, because the rest of the request's context is unknown here.
`authorization` has already checked that a function's role allows its call.

Moto delivers notifications to topics and queues. It sends those to functions and to EventBridge to its own Lambda
and EventBridge, which are not this cloud's, and silently drops those whose target does not exist.
"""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket

#: The only known request context.
SECURE_TRANSPORT = {"aws:securetransport": "true"}


#: Targets that moto's notifications do not reach, by the configuration element that names them.
UNREACHED = {"CloudFunctionConfiguration": "functions", "EventBridgeConfiguration": "EventBridge"}

_set_notifications = FakeBucket.set_notification_configuration


def apply() -> None:
    """Have moto's buckets authorize by `get_permission`, and reject notifications that would be dropped."""
    FakeBucket.get_permission = get_permission
    FakeBucket.set_notification_configuration = set_notifications


def set_notifications(bucket: FakeBucket, configuration: dict[str, Any] | None) -> None:
    """Set a bucket's notifications; raises for those to functions and to EventBridge."""
    for element, where in UNREACHED.items():
        if element in (configuration or {}):
            what = f"s3: notifications of a bucket to {where}"
            raise S3ClientError("NotImplemented", f"The offline cloud does not model {what}.")
    _set_notifications(bucket, configuration)


def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """The bucket policy's effect on ``action`` on ``resource`` (an ARN)."""
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
        for key, expected in keys.items():
            values = expected if isinstance(expected, list) else [expected]
            known = SECURE_TRANSPORT.get(key.lower())
            if operator != "Bool" or known not in [str(value).lower() for value in values]:
                return False
    return True
