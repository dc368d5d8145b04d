"""AWS's error messages for a denied call.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from typing import Literal

from serinus.offline.core.errors import AwsError

Reason = Literal["implicit", "explicit", "boundary", "boundary_explicit"]

#: SNS has its own code; SQS and CloudWatch keep that of Query, their first protocol.
_CODES = {"monitoring": "AccessDenied", "sns": "AuthorizationError", "sqs": "AccessDenied"}
_WORDS: dict[Reason, str] = {
    "implicit": "because no identity-based policy allows the {action} action",
    "explicit": "with an explicit deny in an identity-based policy",
    "boundary": "because no permissions boundary allows the {action} action",
    "boundary_explicit": "with an explicit deny in a permissions boundary",
}


def denied(
    signed_as: str, protocol: str, caller: str, action: str, resource: str | None, reason: Reason
) -> AwsError:
    """The error of a service with ``protocol``, for ``caller`` (an ARN)."""
    by_protocol = "AccessDenied" if protocol in ("query", "rest-xml", "ec2") else "AccessDeniedException"
    why = _WORDS[reason].format(action=action)
    return AwsError(
        _CODES.get(signed_as, by_protocol),
        f"User: {caller} is not authorized to perform: {action} on resource: {resource or '*'} {why}",
        status=400 if protocol == "json" else 403,
    )
