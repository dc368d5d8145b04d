"""What the CDK itself adds to templates: Metadata, which AWS accepts and does nothing with."""

from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words


class Metadata(ResourceType):
    type = "AWS::CDK::Metadata"
    modelled = words("Analytics Modules")
    attributes = words("Id")

    def create(self, request: Request) -> Made:
        name = request.name(128)
        return Made(name, {"Id": name})

    def update(self, request: Request) -> Made:
        return Made(request.identity, request.attributes)

    def delete(self, request: Request) -> None:
        """Nothing stands, so nothing is left."""
