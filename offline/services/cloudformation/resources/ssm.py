"""SSM in CloudFormation: Parameter."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import missing_ok, retag
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words


class Parameter(ResourceType):
    type = "AWS::SSM::Parameter"
    modelled = words("AllowedPattern DataType Description Name Tags Tier Type Value")
    attributes = words("Arn Type Value")
    taggable = True

    def create(self, request: Request) -> Made:
        name = request.properties.get("Name") or request.name(512)
        extra = {"Tags": to_pairs(request.tags)} if request.tags else {}
        self._put(request, name, **extra)
        return self._made(name, request)

    def update(self, request: Request) -> Made:
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
        return self._made(name, request)

    def delete(self, request: Request) -> None:
        with missing_ok("ParameterNotFound"):
            request.client("ssm").delete_parameter(Name=request.identity)

    def _put(self, request: Request, name: str, **extra: Any) -> None:
        members = ("AllowedPattern", "DataType", "Description", "Tier", "Type", "Value")
        given = {key: str(request.properties[key]) for key in members if key in request.properties}
        request.client("ssm").put_parameter(Name=name, **given, **extra)

    def _made(self, name: str, request: Request) -> Made:
        arn = request.arn("ssm", f"parameter{name}" if name.startswith("/") else f"parameter/{name}")
        properties = request.properties
        return Made(name, {"Arn": arn, "Type": properties["Type"], "Value": str(properties["Value"])})
