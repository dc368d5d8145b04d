"""An alarm's actions on a state change: publish to an SNS topic, or invoke a Lambda function."""

import asyncio
import json
import logging

from botocore.exceptions import BotoCoreError, ClientError

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import CloudContext, FunctionInvoker
from serinus.offline.delivery.functions import invoke_for
from serinus.offline.services.cloudwatch.alarms import HistoryItem, compact_json
from serinus.offline.services.cloudwatch.base import malformed
from serinus.offline.services.cloudwatch.notifications import Change, lambda_event, sns_message, subject

log = logging.getLogger(__name__)

MAX_ACTIONS = 5

#: The principal that a function must allow to invoke it as an alarm's action.
PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"


def check_actions(actions: list[str]) -> None:
    """Raise for actions that AWS rejects or this cloud does not model."""
    if len(actions) > MAX_ACTIONS:
        raise malformed(f"{len(actions)} actions for one state; an alarm can have at most {MAX_ACTIONS}.")
    for action in actions:
        parts = action.split(":")
        if len(parts) < 6 or parts[0] != "arn":
            raise malformed(f"Invalid arn syntax: {action}")
        if parts[2] not in ("sns", "lambda"):
            raise NotModelled(f"the alarm action {action}", "Use an SNS topic or a Lambda function.")


async def perform(context: CloudContext, functions: FunctionInvoker, action: str, change: Change) -> HistoryItem:
    """Run one action; returns its entry in the alarm's history. A failed action does not raise."""
    try:
        if action.split(":")[2] == "sns":
            await asyncio.to_thread(_publish, context, action, change)
        else:
            event = json.dumps(lambda_event(change)).encode()
            await invoke_for(functions, action, event, principal=PRINCIPAL, source_arn=change.alarm.arn)
    except (AwsError, ClientError, BotoCoreError) as error:
        log.warning("alarm %s could not act on %s: %s", change.alarm.name, action, error)
        return _item(change, action, str(error))
    return _item(change, action, None)


def _publish(context: CloudContext, topic: str, change: Change) -> None:
    client = context.client("sns", topic.split(":")[3])
    client.publish(TopicArn=topic, Subject=subject(change), Message=json.dumps(sns_message(change)))


def _item(change: Change, action: str, error: str | None) -> HistoryItem:
    summary = f"Successfully executed action {action}"
    data = {
        "actionState": "Succeeded",
        "stateUpdateTimestamp": round(change.alarm.state.since * 1000),
        "notificationResource": action,
    }
    if error is not None:
        summary = f"Failed to execute action {action}. Received error: {error}"
        data |= {"actionState": "Failed", "error": error}
    at = change.alarm.state.since
    return HistoryItem(change.alarm.name, change.alarm.kind, at, "Action", summary, compact_json(data))
