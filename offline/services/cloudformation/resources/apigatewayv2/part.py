"""What the types of an HTTP API are: one create call, one update call with whole members, one delete call."""

from typing import Any, ClassVar

from botocore import xform_name
from botocore.model import ListShape, MapShape

from serinus.offline.services.cloudformation.adapter import members, unless_gone
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType


class Part(ResourceType):
    """A type whose API operations are Create, Update and Delete ``noun``, named by ``id_member``."""

    noun: ClassVar[str]
    id_member: ClassVar[str]
    #: The attribute that repeats the physical id, if one does.
    id_attribute: ClassVar[str | None] = None
    #: Properties that name the resource's parent.
    parents: ClassVar[tuple[str, ...]] = ("ApiId",)
    #: Members that no update takes, because their change is a replacement.
    fixed: ClassVar[frozenset[str]] = frozenset()

    def given(self, request: Request, verb: str, properties: dict[str, Any]) -> dict[str, Any]:
        """The properties as the call takes them."""
        kept = {key: value for key, value in properties.items() if key != "Tags"}
        return members(request.client("apigatewayv2"), f"{verb}{self.noun}", kept)

    def create(self, request: Request) -> Made:
        given = self.given(request, "Create", request.properties)
        if self.taggable and request.tags:
            given["Tags"] = request.tags
        found = self.call(request, "create", given)
        identity = str(found[self.id_member])
        request.claim(identity)
        return Made(identity, self.made_attributes(request, identity, found))

    def made_attributes(self, request: Request, identity: str, found: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {self.id_attribute: identity} if self.id_attribute else {}

    def update(self, request: Request) -> Made:
        old = self.given(request, "Update", request.previous or {})
        new = self.given(request, "Update", request.properties)
        kept = {*self.parents, *self.fixed, self.id_member}
        changes = {name: value for name, value in new.items() if name not in kept and value != old.get(name)}
        for name in old.keys() - new.keys() - kept:
            changes[name] = self._unset(request, name)
        if changes:
            self.call(request, "update", {**self.place(request, "update"), **changes})
        self._retag(request)
        return Made(request.identity, request.attributes)

    def delete(self, request: Request) -> None:
        unless_gone(lambda: self.call(request, "delete", self.place(request, "delete")), "NotFoundException")

    def arn_path(self, request: Request) -> str:
        """The resource's path inside an API Gateway ARN, for its tags."""
        raise NotImplementedError

    def call(self, request: Request, verb: str, given: dict[str, Any]) -> dict[str, Any]:
        method = getattr(request.client("apigatewayv2"), f"{verb}_{xform_name(self.noun)}")
        answer: dict[str, Any] = method(**given)
        return answer

    def place(self, request: Request, verb: str) -> dict[str, Any]:  # noqa: ARG002
        """What names the resource to the call ``verb``."""
        return {name: request.properties[name] for name in self.parents} | {self.id_member: request.identity}

    def _unset(self, request: Request, name: str) -> Any:
        """What the API takes for "no longer given"."""
        model = request.client("apigatewayv2").meta.service_model
        shape = model.operation_model(f"Update{self.noun}").input_shape.members[name]
        if isinstance(shape, ListShape):
            return []
        if isinstance(shape, MapShape) or shape.type_name == "structure":
            return {}
        return False if shape.type_name == "boolean" else ""

    def _retag(self, request: Request) -> None:
        if not self.taggable or request.tags == request.previous_tags:
            return
        client = request.client("apigatewayv2")
        arn = f"arn:aws:apigateway:{request.region}::{self.arn_path(request)}"
        gone = [key for key in request.previous_tags if key not in request.tags]
        if gone:
            client.untag_resource(ResourceArn=arn, TagKeys=gone)
        if request.tags:
            client.tag_resource(ResourceArn=arn, Tags=request.tags)
