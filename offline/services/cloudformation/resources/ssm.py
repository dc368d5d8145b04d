"""SSM in CloudFormation: Parameter."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import missing_ok, retag
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class Parameter(ResourceType):
    type = "AWS::SSM::Parameter"
    modelled = words("AllowedPattern DataType Description Name Tags Tier Type Value")
    attributes = words("Arn Type Value")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        name = request.properties.get("Name") or request.name(512)
        extra = {"Tags": to_pairs(request.tags)} if request.tags else {}
        self._put(request, name, **extra)
        return self._state_of(name, request)

    def update(self, request: ResourceRequest) -> ResourceState:
        ssm, name = request.client("ssm"), request.identity
        self._put(request, name, Overwrite=True)
        retag(
            ssm,
            request,
            ResourceType="Parameter",
            ResourceId=name,
            tag="AddTagsToResource",
            untag="RemoveTagsFromResource",
        )
        return self._state_of(name, request)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("ParameterNotFound"):
            request.client("ssm").delete_parameter(Name=request.identity)

    def _put(self, request: ResourceRequest, name: str, **extra: Any) -> None:
        members = ("AllowedPattern", "DataType", "Description", "Tier", "Type", "Value")
        parameters = {key: str(request.properties[key]) for key in members if key in request.properties}
        request.client("ssm").put_parameter(Name=name, **parameters, **extra)

    def _state_of(self, name: str, request: ResourceRequest) -> ResourceState:
        arn = request.arn("ssm", f"parameter{name}" if name.startswith("/") else f"parameter/{name}")
        properties = request.properties
        return ResourceState(name, {"Arn": arn, "Type": properties["Type"], "Value": str(properties["Value"])})
