"""Reports a deployment's changes to EventBridge and the SNS topics of the group's triggers.

https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html
"""

import asyncio
import json
import logging
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from serinus.offline.core.ports import CloudContext, EventSink
from serinus.offline.services.codedeploy.records import Group, LambdaDeployment
from serinus.offline.services.codedeploy.shapes import overview

log = logging.getLogger(__name__)

#: The names of a change to each status, for EventBridge and triggers.
EVENT_STATES = {"InProgress": "START", "Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP"}
TRIGGER_EVENTS = {
    "InProgress": "DeploymentStart",
    "Succeeded": "DeploymentSuccess",
    "Failed": "DeploymentFailure",
    "Stopped": "DeploymentStop",
}


async def announce(
    context: CloudContext, events: EventSink, region: str, group: Group | None, deployment: LambdaDeployment
) -> None:
    """Report the present status of ``deployment`` to EventBridge and the group's triggers."""
    account_id, now = context.config.account_id, context.clock.time()
    events.publish(region, eventbridge_event(account_id, region, group, deployment, now))
    happened = {TRIGGER_EVENTS[deployment.status]}
    if deployment.is_rollback and deployment.status == "InProgress":
        happened.add("DeploymentRollback")
    for trigger in group.settings.get("triggerConfigurations", []) if group else []:
        if happened & set(trigger.get("triggerEvents", [])):
            await asyncio.to_thread(_to_topic, context, region, trigger, deployment)


def eventbridge_event(
    account_id: str, region: str, group: Group | None, deployment: LambdaDeployment, now: float
) -> dict[str, Any]:
    """The event on the default bus."""
    arn = f"arn:aws:codedeploy:{region}:{account_id}"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "CodeDeploy Deployment State-change Notification",
        "source": "aws.codedeploy",
        "account": account_id,
        "time": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [
            f"{arn}:application:{deployment.application}",
            f"{arn}:deploymentgroup:{deployment.application}/{deployment.group}",
        ],
        "detail": {
            "region": region,
            "deploymentId": deployment.id,
            "instanceGroupId": group.id if group else "",
            "deploymentGroup": deployment.group,
            "state": EVENT_STATES[deployment.status],
            "application": deployment.application,
        },
    }


def _to_topic(context: CloudContext, region: str, trigger: dict[str, Any], deployment: LambdaDeployment) -> None:
    message = _trigger_message(context.config.account_id, region, trigger["triggerName"], deployment)
    client = context.client("sns", region)
    try:
        client.publish(
            TopicArn=trigger["triggerTargetArn"],
            Subject=f"{deployment.status}: AWS CodeDeploy {deployment.id} in {region} to {deployment.application}"[
                :100
            ],
            Message=json.dumps(message),
        )
    except (ClientError, BotoCoreError) as error:
        log.warning("trigger %s of %s failed: %s", trigger["triggerName"], deployment.id, error)


def _trigger_message(account_id: str, region: str, name: str, deployment: LambdaDeployment) -> dict[str, Any]:
    message: dict[str, Any] = {
        "region": region,
        "accountId": account_id,
        "eventTriggerName": name,
        "applicationName": deployment.application,
        "deploymentId": deployment.id,
        "deploymentGroupName": deployment.group,
        "createTime": f"{deployment.created_at:.3f}",
        "deploymentOverview": {state: str(count) for state, count in overview(deployment).items()},
        "status": deployment.status,
    }
    if deployment.completed_at is not None:
        message["completeTime"] = f"{deployment.completed_at:.3f}"
    if deployment.error is not None:
        message["errorInformation"] = {"ErrorCode": deployment.error[0], "ErrorMessage": deployment.error[1]}
    return message
