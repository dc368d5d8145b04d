"""The base of most REST and HTTP API types: one create call, one update call, one delete call."""

from typing import Any, ClassVar

from botocore import xform_name

from serinus.offline.services.cloudformation.adapter import missing_ok, retag
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType


class ApiResource(ResourceType):
    """A type whose API operations are Create, Update and Delete ``noun`` of ``service`` (boto3's name)."""

    service: ClassVar[str]
    noun: ClassVar[str]
    #: The member of the create call's response that is the physical id.
    id_member: ClassVar[str]
    #: The attribute that repeats the physical id, if one does.
    id_attribute: ClassVar[str | None] = None
    #: Properties that name the resource's parent.
    parents: ClassVar[tuple[str, ...]]
    #: Members that the update call does not accept, because their change is a replacement.
    fixed: ClassVar[frozenset[str]] = frozenset()
    tags_member: ClassVar[str]

    def api_parameters(self, request: ResourceRequest, verb: str, properties: dict[str, Any]) -> dict[str, Any]:
        """The properties, without tags, as parameters of the call ``verb``."""
        raise NotImplementedError

    def parent_parameters(self, request: ResourceRequest, verb: str) -> dict[str, Any]:
        """The arguments that identify the resource in the call ``verb``."""
        raise NotImplementedError

    def arn_path(self, request: ResourceRequest) -> str:
        """The resource's path inside an API Gateway ARN, for its tags."""
        raise NotImplementedError

    def defaults(self, request: ResourceRequest) -> dict[str, Any]:  # noqa: ARG002
        """Members that the create call requires although they are optional in a template."""
        return {}

    def create(self, request: ResourceRequest) -> ResourceState:
        api_parameters = self.defaults(request) | self.api_parameters(request, "Create", request.properties)
        if self.taggable and request.tags:
            api_parameters[self.tags_member] = request.tags
        answer = self.call(request, "create", api_parameters)
        identity = str(answer[self.id_member])
        request.register_id(identity)
        self.finish(request, identity)
        return ResourceState(identity, self.attributes_of(request, identity, answer))

    def attributes_of(self, request: ResourceRequest, identity: str, response: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {self.id_attribute: identity} if self.id_attribute else {}

    def finish(self, request: ResourceRequest, identity: str) -> None:
        """Complete the work after the create or update call."""

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("NotFoundException"):
            self.call(request, "delete", self.parent_parameters(request, "delete"))

    def call(self, request: ResourceRequest, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        method = getattr(request.client(self.service), f"{verb}_{xform_name(self.noun)}")
        answer: dict[str, Any] = method(**arguments)
        return answer

    def retag(self, request: ResourceRequest) -> None:
        if self.taggable:
            arn = f"arn:aws:apigateway:{request.region}::{self.arn_path(request)}"
            retag(request.client(self.service), request, ResourceArn=arn)
