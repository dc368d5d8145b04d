"""AWS::Lambda::LayerVersion and its permission."""

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class LambdaLayerVersion(ResourceType):
    type = "AWS::Lambda::LayerVersion"
    modelled = words("CompatibleArchitectures CompatibleRuntimes Content Description LayerName LicenseInfo")
    attributes = words("LayerVersionArn")

    def create(self, request: ResourceRequest) -> ResourceState:
        client, properties = request.client("lambda"), request.properties
        name = properties.get("LayerName") or request.name(140)
        parameters = {**properties, "LayerName": name}
        arn = client.publish_layer_version(**members(client, "PublishLayerVersion", parameters))["LayerVersionArn"]
        return ResourceState(arn, {"LayerVersionArn": arn})

    def update(self, request: ResourceRequest) -> ResourceState:
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        layer, number = _parts(request.identity)
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=number)


class LayerVersionPermission(ResourceType):
    type = "AWS::Lambda::LayerVersionPermission"
    modelled = words("Action LayerVersionArn OrganizationId Principal")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        client, properties = request.client("lambda"), request.properties
        layer, number = _parts(properties["LayerVersionArn"])
        statement = request.name(100)
        client.add_layer_version_permission(
            LayerName=layer,
            VersionNumber=number,
            StatementId=statement,
            **members(client, "AddLayerVersionPermission", properties),
        )
        identity = f"{properties['LayerVersionArn']}#{statement}"
        return ResourceState(identity, {"Id": identity})

    def update(self, request: ResourceRequest) -> ResourceState:
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        arn, statement = request.identity.split("#")
        layer, number = _parts(arn)
        client = request.client("lambda")
        with missing_ok("ResourceNotFoundException"):
            client.remove_layer_version_permission(LayerName=layer, VersionNumber=number, StatementId=statement)


def _parts(arn: str) -> tuple[str, int]:
    layer, number = arn.rsplit(":", 1)
    return layer, int(number)
