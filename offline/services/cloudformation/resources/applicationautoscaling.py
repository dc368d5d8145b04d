"""Application Auto Scaling in CloudFormation: ScalableTarget with its scheduled actions."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

GONE = "ObjectNotFoundException"


class AutoScalingTarget(ResourceType):
    """Its id is "resource|dimension|namespace". A role that a template names is accepted and not used: AWS scales
    Lambda's aliases under its own service-linked role."""

    type = "AWS::ApplicationAutoScaling::ScalableTarget"
    modelled = words(
        "MaxCapacity MinCapacity ResourceId RoleARN ScalableDimension ScheduledActions ServiceNamespace "
        "SuspendedState"
    )
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        where = _where(request.properties)
        identity = "|".join(where[member] for member in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
        self._register(request)
        request.register_id(identity)
        self._put_actions(request)
        return ResourceState(identity, {"Id": identity})

    def update(self, request: ResourceRequest) -> ResourceState:
        client, where = request.client("application-autoscaling"), _where(request.properties)
        kept = {action["ScheduledActionName"] for action in request.properties.get("ScheduledActions") or ()}
        self._register(request)
        for action in (request.previous or {}).get("ScheduledActions") or ():
            if action["ScheduledActionName"] not in kept:
                with missing_ok(GONE):
                    client.delete_scheduled_action(**where, ScheduledActionName=action["ScheduledActionName"])
        self._put_actions(request)
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        resource, dimension, namespace = request.identity.split("|")
        with missing_ok(GONE):
            request.client("application-autoscaling").deregister_scalable_target(
                ServiceNamespace=namespace, ResourceId=resource, ScalableDimension=dimension
            )

    def _register(self, request: ResourceRequest) -> None:
        client = request.client("application-autoscaling")
        properties = {key: value for key, value in request.properties.items() if key != "ScheduledActions"}
        client.register_scalable_target(**members(client, "RegisterScalableTarget", properties))

    def _put_actions(self, request: ResourceRequest) -> None:
        client, where = request.client("application-autoscaling"), _where(request.properties)
        for action in request.properties.get("ScheduledActions") or ():
            client.put_scheduled_action(**where, **members(client, "PutScheduledAction", action))


def _where(properties: dict[str, Any]) -> dict[str, str]:
    return {member: properties[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
