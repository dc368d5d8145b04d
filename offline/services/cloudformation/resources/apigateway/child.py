"""What most API Gateway types are: one create call, one patching update call, one delete call."""

from typing import Any, ClassVar

from botocore import xform_name

from serinus.offline.services.cloudformation.adapter import members, unless_gone
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType
from serinus.offline.services.cloudformation.resources.apigateway.patches import patches


class Child(ResourceType):
    """A type whose API operations are Create, Update and Delete ``noun``."""

    noun: ClassVar[str]
    #: CloudFormation's names of properties that the API calls otherwise.
    renamed: ClassVar[dict[str, str]] = {}
    #: The member of the API's answer that is the physical id.
    id_member: ClassVar[str] = "id"
    #: The parameter by which update and delete name the resource.
    id_parameter: ClassVar[str]
    #: The attribute that repeats the physical id, if one does.
    id_attribute: ClassVar[str | None] = None
    #: Properties that name the resource's parent.
    parents: ClassVar[tuple[str, ...]] = ("RestApiId",)
    #: Members that no update may patch, because their change is a replacement.
    fixed: ClassVar[frozenset[str]] = frozenset()

    def given(self, request: Request, properties: dict[str, Any]) -> dict[str, Any]:
        """The properties under the names that the API has for them."""
        named = {self.renamed.get(key, key): value for key, value in properties.items() if key != "Tags"}
        return members(request.client("apigateway"), f"Create{self.noun}", named)

    def defaults(self, request: Request) -> dict[str, Any]:  # noqa: ARG002
        """Members that the API wants although a template need not give them."""
        return {}

    def create(self, request: Request) -> Made:
        given = self.defaults(request) | self.given(request, request.properties)
        if self.taggable and request.tags:
            given["tags"] = request.tags
        found = self._call(request, "create", given)
        identity = str(found[self.id_member])
        request.claim(identity)
        self.finish(request, identity)
        return Made(identity, self.made_attributes(identity, found))

    def made_attributes(self, identity: str, found: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {self.id_attribute: identity} if self.id_attribute else {}

    def finish(self, request: Request, identity: str) -> None:
        """What is left to do after the create or update call."""

    def update(self, request: Request) -> Made:
        old, new = self.given(request, request.previous or {}), self.given(request, request.properties)
        for name in ({name[0].lower() + name[1:] for name in self.parents} | self.fixed) & (set(old) | set(new)):
            old.pop(name, None)
            new.pop(name, None)
        operations = self.patches(old, new)
        if operations:
            self._call(request, "update", {**self._place(request), "patchOperations": operations})
        self.finish(request, request.identity)
        self._retag(request)
        return Made(request.identity, request.attributes)

    def patches(self, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
        return patches(old, new)

    def delete(self, request: Request) -> None:
        unless_gone(lambda: self._call(request, "delete", self._place(request)), "NotFoundException")

    def _place(self, request: Request) -> dict[str, Any]:
        place = {name[0].lower() + name[1:]: request.properties[name] for name in self.parents}
        return {**place, self.id_parameter: request.identity}

    def _call(self, request: Request, verb: str, given: dict[str, Any]) -> dict[str, Any]:
        method = getattr(request.client("apigateway"), f"{verb}_{xform_name(self.noun)}")
        answer: dict[str, Any] = method(**given)
        return answer

    def arn_path(self, request: Request) -> str:
        """The resource's path inside an API Gateway ARN."""
        return f"/{xform_name(self.noun).replace('_', '')}s/{request.identity}"

    def _retag(self, request: Request) -> None:
        if not self.taggable or request.tags == request.previous_tags:
            return
        client = request.client("apigateway")
        arn = f"arn:aws:apigateway:{request.region}::{self.arn_path(request)}"
        gone = [key for key in request.previous_tags if key not in request.tags]
        if gone:
            client.untag_resource(resourceArn=arn, tagKeys=gone)
        if request.tags:
            client.tag_resource(resourceArn=arn, tags=request.tags)
