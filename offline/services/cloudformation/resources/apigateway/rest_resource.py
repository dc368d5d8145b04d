"""The types of a REST API whose update is a JSON patch."""

from typing import Any, ClassVar

from botocore import xform_name

from serinus.offline.services.cloudformation.adapter import members
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState
from serinus.offline.services.cloudformation.resources.api_resource import ApiResource
from serinus.offline.services.cloudformation.resources.apigateway.patches import patches


class RestResource(ApiResource):
    """A type of a REST API; its properties have the names of its create call's parameters."""

    service = "apigateway"
    tags_member = "tags"
    id_member: ClassVar[str] = "id"
    parents: ClassVar[tuple[str, ...]] = ("RestApiId",)
    #: CloudFormation's names of properties whose names differ in the API.
    renamed: ClassVar[dict[str, str]] = {}
    #: The parameter that identifies the resource in update and delete.
    id_parameter: ClassVar[str]

    def api_parameters(self, request: ResourceRequest, verb: str, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        named = {self.renamed.get(key, key): value for key, value in properties.items() if key != "Tags"}
        return members(request.client(self.service), f"Create{self.noun}", named)

    def update(self, request: ResourceRequest) -> ResourceState:
        old = self.api_parameters(request, "Update", request.previous or {})
        new = self.api_parameters(request, "Update", request.properties)
        for name in {*self._parent_members(), *self.fixed}:
            old.pop(name, None)
            new.pop(name, None)
        operations = self.patches(old, new)
        if operations:
            self.call(
                request, "update", {**self.parent_parameters(request, "update"), "patchOperations": operations}
            )
        self.finish(request, request.identity)
        self.retag(request)
        return ResourceState(request.identity, request.attributes)

    def patches(self, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
        return patches(old, new)

    def parent_parameters(self, request: ResourceRequest, verb: str) -> dict[str, Any]:  # noqa: ARG002
        parents = {member: request.properties[name] for member, name in self._parent_members().items()}
        return {**parents, self.id_parameter: request.identity}

    def _parent_members(self) -> dict[str, str]:
        return {name[0].lower() + name[1:]: name for name in self.parents}

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/{xform_name(self.noun).replace('_', '')}s/{request.identity}"
