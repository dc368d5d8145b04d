"""Events in EventBridge's envelope.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from serinus.offline.core.errors import AwsError

Event = dict[str, Any]
LARGEST_ENTRY_BYTES = 262_144


def timestamp(cloud_time: float) -> str:
    return datetime.fromtimestamp(cloud_time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(account_id: str, region: str, cloud_time: float, event: Event) -> Event:
    """``event``, which has "source", "detail-type" and "detail", completed to a whole envelope."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event["detail-type"],
        "source": event["source"],
        "account": account_id,
        "time": timestamp(cloud_time),
        "region": region,
        "resources": [],
        "detail": event["detail"],
    } | event


def scheduled_event(account_id: str, region: str, rule_arn: str, due: float) -> Event:
    event = {"detail-type": "Scheduled Event", "source": "aws.events", "resources": [rule_arn], "detail": {}}
    return envelope(account_id, region, due, event)


def entry_event(entry: dict[str, Any], account_id: str, region: str, cloud_time: float) -> Event:
    """The event of a PutEvents entry; raises `AwsError` with the entry's error code if it is rejected."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            raise AwsError(
                "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument"
            )
    if entry["Source"].startswith("aws."):
        raise AwsError("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = json.loads(entry["Detail"])
    except ValueError as error:
        raise AwsError("MalformedDetail", "Detail is malformed.") from error
    if not isinstance(detail, dict):
        raise AwsError("MalformedDetail", "Detail is malformed.")
    entry_time = entry.get("Time")
    at = cloud_time if entry_time is None else entry_time.timestamp()
    event = {
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "resources": list(entry.get("Resources") or []),
        "detail": detail,
    }
    return envelope(account_id, region, at, event)


def entry_size_bytes(entry: dict[str, Any]) -> int:
    """An entry's size as EventBridge counts it.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or [])]
    return (14 if entry.get("Time") else 0) + sum(len(text.encode()) for text in texts if text)
