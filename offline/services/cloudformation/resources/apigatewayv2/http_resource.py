"""The types of an HTTP API, whose update call accepts whole members."""

from typing import Any, ClassVar

from botocore.model import ListShape, MapShape

from serinus.offline.services.cloudformation.adapter import members
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState
from serinus.offline.services.cloudformation.resources.api_resource import ApiResource


class HttpResource(ApiResource):
    """A type of an HTTP API, identified by ``id_member`` in every call."""

    service = "apigatewayv2"
    tags_member = "Tags"
    parents: ClassVar[tuple[str, ...]] = ("ApiId",)

    def api_parameters(self, request: ResourceRequest, verb: str, properties: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in properties.items() if key != "Tags"}
        return members(request.client(self.service), f"{verb}{self.noun}", kept)

    def update(self, request: ResourceRequest) -> ResourceState:
        old = self.api_parameters(request, "Update", request.previous or {})
        new = self.api_parameters(request, "Update", request.properties)
        kept = {*self.parents, *self.fixed, self.id_member}
        changes = {name: value for name, value in new.items() if name not in kept and value != old.get(name)}
        for name in old.keys() - new.keys() - kept:
            changes[name] = self._unset(request, name)
        if changes:
            self.call(request, "update", {**self.parent_parameters(request, "update"), **changes})
        self.retag(request)
        return ResourceState(request.identity, request.attributes)

    def parent_parameters(self, request: ResourceRequest, verb: str) -> dict[str, Any]:  # noqa: ARG002
        return {name: request.properties[name] for name in self.parents} | {self.id_member: request.identity}

    def _unset(self, request: ResourceRequest, name: str) -> Any:
        """The API's value for a removed property."""
        model = request.client(self.service).meta.service_model
        shape = model.operation_model(f"Update{self.noun}").input_shape.members[name]
        if isinstance(shape, ListShape):
            return []
        if isinstance(shape, MapShape) or shape.type_name == "structure":
            return {}
        return False if shape.type_name == "boolean" else ""
