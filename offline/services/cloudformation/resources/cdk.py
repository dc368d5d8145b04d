"""The CDK's own addition to templates: Metadata, which AWS accepts and ignores."""

from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class Metadata(ResourceType):
    type = "AWS::CDK::Metadata"
    modelled = words("Analytics Modules")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        name = request.name(128)
        return ResourceState(name, {"Id": name})

    def update(self, request: ResourceRequest) -> ResourceState:
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        """There is nothing to delete."""
