"""The service itself: scalable targets of Lambda's aliases, and scheduled actions that act on them in cloud time.

Scaling policies are rejected by name: target tracking needs alarms of AWS's own.
"""

import asyncio
import logging
import re
import uuid
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from botocore.exceptions import ClientError

from serinus.offline.core.clock import ScheduledJob
from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import CloudContext
from serinus.offline.core.schedule_expression import Schedule, parse_schedule
from serinus.offline.core.service import Call, Service
from serinus.offline.services.applicationautoscaling.store import (
    Document,
    ScalableTarget,
    ScheduledAction,
    invalid,
    not_found,
)

NAMESPACE, DIMENSION = "lambda", "lambda:function:ProvisionedConcurrency"
RESOURCE = re.compile(r"^function:(?P<function>[\w-]+):(?P<alias>[\w-]+)$")
#: Lambda's aliases are scaled under it, whatever role a call names.
#: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
ROLE = (
    "arn:aws:iam::{}:role/aws-service-role/lambda.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
)
LOG = logging.getLogger(__name__)


class ApplicationAutoScaling(Service):
    """Operations are coroutines without awaits: actions run on the same event loop."""

    name = "application-autoscaling"
    missing_parameter = "ValidationException"

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.targets: dict[str, dict[str, ScalableTarget]] = {}
        self._jobs: dict[tuple[str, str, str], ScheduledJob] = {}

    async def start(self) -> None:
        """Schedule the restored actions; a run that fell due while the cloud was down is missed."""
        for region, targets in self.targets.items():
            for resource, target in targets.items():
                for action in target.actions.values():
                    self._schedule(region, resource, action, due=action.due)

    def snapshot(self) -> dict[str, dict[str, ScalableTarget]]:
        return self.targets

    def restore(self, saved: dict[str, dict[str, ScalableTarget]]) -> None:
        self.targets = saved

    async def register_scalable_target(self, call: Call) -> Document:
        """New bounds do not change the capacity: a scheduled action or a policy does.

        Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        params = call.params
        _check_lambda(params)
        suspended = params.get("SuspendedState") or {}
        if any(suspended.values()):
            raise NotModelled("application-autoscaling: suspended scaling")
        targets, resource = self.targets.setdefault(call.region, {}), params["ResourceId"]
        previous = targets[resource].document if resource in targets else {}
        arn = previous.get("ScalableTargetARN") or _target_arn(call)
        document = {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
            "RoleARN": ROLE.format(call.account_id),
            "CreationTime": previous.get("CreationTime") or self.context.clock.now(),
            "ScalableTargetARN": arn,
            **_bounds(previous, params),
        }
        if resource in targets:
            targets[resource].document = document
        else:
            targets[resource] = ScalableTarget(document)
        return {"ScalableTargetARN": arn}

    async def describe_scalable_targets(self, call: Call) -> Document:
        resources = call.params.get("ResourceIds")
        return {
            "ScalableTargets": [
                target.document
                for resource, target in self.targets.get(call.region, {}).items()
                if resources is None or resource in resources
            ]
        }

    async def deregister_scalable_target(self, call: Call) -> Document:
        target = self._target(call)
        for name in list(target.actions):
            self._cancel(call.region, call.params["ResourceId"], name)
        del self.targets[call.region][call.params["ResourceId"]]
        return {}

    async def put_scheduled_action(self, call: Call) -> Document:
        params = call.params
        target, name = self._target(call), params["ScheduledActionName"]
        for member in ("StartTime", "EndTime"):
            if params.get(member) is not None:
                raise NotModelled(f"application-autoscaling:PutScheduledAction.{member}")
        previous = target.actions[name].document if name in target.actions else {}
        document = {
            "ScheduledActionName": name,
            "ScheduledActionARN": previous.get("ScheduledActionARN") or _action_arn(call),
            "ServiceNamespace": NAMESPACE,
            "ResourceId": params["ResourceId"],
            "ScalableDimension": DIMENSION,
            "CreationTime": previous.get("CreationTime") or self.context.clock.now(),
        }
        for member in ("Schedule", "Timezone", "ScalableTargetAction"):
            if (value := params.get(member, previous.get(member))) is not None:
                document[member] = value
        _check_action(document)
        action = target.actions[name] = ScheduledAction(document)
        self._schedule(call.region, params["ResourceId"], action)
        return {}

    async def describe_scheduled_actions(self, call: Call) -> Document:
        names, resource = call.params.get("ScheduledActionNames"), call.params.get("ResourceId")
        return {
            "ScheduledActions": [
                action.document
                for target in self.targets.get(call.region, {}).values()
                for name, action in target.actions.items()
                if (names is None or name in names) and resource in (None, target.document["ResourceId"])
            ]
        }

    async def delete_scheduled_action(self, call: Call) -> Document:
        target, name = self._target(call), call.params["ScheduledActionName"]
        if name not in target.actions:
            raise not_found(f"No scheduled action found for scheduled action name: {name}")
        self._cancel(call.region, call.params["ResourceId"], name)
        del target.actions[name]
        return {}

    def _target(self, call: Call) -> ScalableTarget:
        _check_lambda(call.params)
        resource = call.params["ResourceId"]
        target = self.targets.get(call.region, {}).get(resource)
        if target is None:
            raise not_found(
                f"No scalable target registered for service namespace: {NAMESPACE}, resource ID: {resource}, "
                f"scalable dimension: {DIMENSION}"
            )
        return target

    def _schedule(
        self,
        region: str,
        resource: str,
        action: ScheduledAction,
        *,
        after: float | None = None,
        due: float | None = None,
    ) -> None:
        """Set the next run of ``action``: at ``due`` unless that has passed."""
        name = action.document["ScheduledActionName"]
        self._cancel(region, resource, name)
        now = self.context.clock.time()
        if due is None or due < now:
            due = _schedule_of(action.document).next_after(now if after is None else after)
        action.due = due
        if due is None:
            return

        async def run() -> None:
            self._schedule(region, resource, action, after=due)
            await self._act(region, resource, action)

        job_name = f"scheduled action {name} of {resource}"
        self._jobs[region, resource, name] = self.context.clock.call_at(due, run, name=job_name)

    def _cancel(self, region: str, resource: str, name: str) -> None:
        job = self._jobs.pop((region, resource, name), None)
        if job is not None:
            job.cancel()

    async def _act(self, region: str, resource: str, action: ScheduledAction) -> None:
        """Set the target's bounds and bring the capacity between them, as the action says."""
        target = self.targets[region][resource]
        target.document |= _bounds(target.document, action.document["ScalableTargetAction"])
        try:
            await asyncio.to_thread(self._scale, region, resource, *target.bounds)
        except ClientError as error:
            # AWS records a failed activity and leaves the capacity to the next action.
            LOG.warning("%s was not scaled: %s", resource, error)

    def _scale(self, region: str, resource: str, least: int, most: int) -> None:
        match = RESOURCE.match(resource)
        assert match is not None
        functions, where = self.context.client("lambda", region), _qualified(match)
        current = _capacity(functions, where)
        capacity = min(max(current, least), most)
        if capacity != current:
            functions.put_provisioned_concurrency_config(**where, ProvisionedConcurrentExecutions=capacity)


def _qualified(match: re.Match[str]) -> dict[str, str]:
    return {"FunctionName": match["function"], "Qualifier": match["alias"]}


def _capacity(functions: Any, where: dict[str, str]) -> int:
    try:
        settings = functions.get_provisioned_concurrency_config(**where)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ProvisionedConcurrencyConfigNotFoundException":
            return 0
        raise
    capacity: int = settings["RequestedProvisionedConcurrentExecutions"]
    return capacity


def _check_lambda(params: Document) -> None:
    namespace, dimension = params["ServiceNamespace"], params["ScalableDimension"]
    if namespace != NAMESPACE:
        raise NotModelled(f"application-autoscaling: scaling of {namespace}", "It scales Lambda's aliases only.")
    if dimension != DIMENSION or RESOURCE.match(params["ResourceId"]) is None:
        raise invalid(
            f"Unsupported service namespace, resource type or scalable dimension: {params['ResourceId']}, "
            f"{dimension}"
        )


def _bounds(previous: Document, requested: Document) -> Document:
    """Least and largest capacity: those ``requested``, else the ``previous`` ones."""
    bounds: dict[str, int] = {}
    for member in ("MinCapacity", "MaxCapacity"):
        value = requested[member] if requested.get(member) is not None else previous.get(member)
        if value is None:
            raise invalid(f"{member} is required to register a new scalable target")
        bounds[member] = value
    if bounds["MinCapacity"] > bounds["MaxCapacity"]:
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    return bounds


def _check_action(document: Document) -> None:
    changes = document.get("ScalableTargetAction") or {}
    if not changes or "Schedule" not in document:
        raise invalid("A scheduled action requires a schedule and a scalable target action")
    if changes.get("MinCapacity", 0) > changes.get("MaxCapacity", float("inf")):
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    _schedule_of(document)


def _schedule_of(document: Document) -> Schedule:
    schedule: str = document["Schedule"]
    if schedule.startswith("at("):
        raise NotModelled("application-autoscaling: schedules for one time", "Write cron() or rate().")
    try:
        return parse_schedule(schedule, _zone(document.get("Timezone")))
    except NotModelled:
        raise
    except AwsError as error:
        raise invalid(f"Schedule expression {schedule!r} is not valid") from error


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise invalid(f"Time zone {name!r} is not valid") from error


def _target_arn(call: Call) -> str:
    return f"arn:aws:application-autoscaling:{call.region}:{call.account_id}:scalable-target/{uuid.uuid4().hex}"


def _action_arn(call: Call) -> str:
    params = call.params
    return (
        f"arn:aws:autoscaling:{call.region}:{call.account_id}:scheduledAction:{uuid.uuid4()}:resource/"
        f"{NAMESPACE}/{params['ResourceId']}:scheduledActionName/{params['ScheduledActionName']}"
    )
