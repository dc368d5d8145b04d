"""EventBridge in CloudFormation: Rule."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import members, missing_ok, retag
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

DEFAULT_BUS = "default"


class EventsRule(ResourceType):
    type = "AWS::Events::Rule"
    modelled = words("Description EventBusName EventPattern Name RoleArn ScheduleExpression State Tags Targets")
    attributes = words("Arn")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        events, properties = request.client("events"), request.properties
        name, bus = properties.get("Name") or request.name(64), properties.get("EventBusName", DEFAULT_BUS)
        arn = self._put_rule(request, name, tags=True)
        identity = name if bus == DEFAULT_BUS else f"{bus}|{name}"
        request.register_id(identity)
        self._put_targets(events, name, bus, properties.get("Targets") or [])
        return ResourceState(identity, {"Arn": arn})

    def update(self, request: ResourceRequest) -> ResourceState:
        events, properties = request.client("events"), request.properties
        bus, name = _bus_and_name(request.identity)
        arn = self._put_rule(request, name, tags=False)
        targets = properties.get("Targets") or []
        kept = {target["Id"] for target in targets}
        gone = [
            target["Id"] for target in (request.previous or {}).get("Targets") or () if target["Id"] not in kept
        ]
        if gone:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=gone)
        self._put_targets(events, name, bus, targets)
        retag(events, request, ResourceArn=arn)
        return ResourceState(request.identity, {"Arn": arn})

    def delete(self, request: ResourceRequest) -> None:
        events = request.client("events")
        bus, name = _bus_and_name(request.identity)
        ids = [target["Id"] for target in request.properties.get("Targets") or ()]
        if ids:
            with missing_ok("ResourceNotFoundException"):
                events.remove_targets(Rule=name, EventBusName=bus, Ids=ids)
        with missing_ok("ResourceNotFoundException"):
            events.delete_rule(Name=name, EventBusName=bus)

    def _put_rule(self, request: ResourceRequest, name: str, *, tags: bool) -> str:
        events = request.client("events")
        rest = {key: value for key, value in request.properties.items() if key not in ("Name", "Tags", "Targets")}
        extra: dict[str, Any] = {"Tags": to_pairs(request.tags)} if tags and request.tags else {}
        response = events.put_rule(Name=name, **members(events, "PutRule", rest), **extra)
        arn: str = response["RuleArn"]
        return arn

    def _put_targets(self, events: Any, name: str, bus: str, targets: list[dict[str, Any]]) -> None:
        if targets:
            properties = {"Rule": name, "EventBusName": bus, "Targets": targets}
            events.put_targets(**members(events, "PutTargets", properties))


def _bus_and_name(identity: str) -> tuple[str, str]:
    bus, bar, name = identity.partition("|")
    return (bus, name) if bar else (DEFAULT_BUS, identity)
