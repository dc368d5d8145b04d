"""AWS::ApiGateway::DomainName and BasePathMapping: custom domain names of REST APIs."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import missing_ok
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words
from serinus.offline.services.cloudformation.resources.apigateway.rest_resource import RestResource


class ApiGatewayDomainName(RestResource):
    type = "AWS::ApiGateway::DomainName"
    noun = "DomainName"
    modelled = words(
        "CertificateArn DomainName EndpointAccessMode EndpointConfiguration RegionalCertificateArn RoutingMode "
        "SecurityPolicy Tags"
    )
    attributes = words(
        "DistributionDomainName DistributionHostedZoneId DomainNameArn RegionalDomainName RegionalHostedZoneId"
    )
    id_member = "domainName"
    id_parameter = "domainName"
    parents = ()
    fixed = words("domainName endpointConfiguration routingMode")
    replacing = words("EndpointConfiguration")
    taggable = True

    def attributes_of(self, request: ResourceRequest, identity: str, response: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        spelled = {name[0].lower() + name[1:]: name for name in self.attributes}
        return {spelled[name]: value for name, value in response.items() if name in spelled}

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/domainnames/{request.identity}"


class BasePathMapping(ResourceType):
    type = "AWS::ApiGateway::BasePathMapping"
    modelled = words("BasePath DomainName RestApiId Stage")

    def create(self, request: ResourceRequest) -> ResourceState:
        desired = request.properties
        parameters = {"domainName": desired["DomainName"], "restApiId": desired["RestApiId"]}
        for name, member in (("BasePath", "basePath"), ("Stage", "stage")):
            if name in desired:
                parameters[member] = desired[name]
        request.client("apigateway").create_base_path_mapping(**parameters)
        return ResourceState("|".join(_identifiers(desired).values()))

    def update(self, request: ResourceRequest) -> ResourceState:
        desired = request.properties
        values = {"/restapiId": desired["RestApiId"], "/stage": desired.get("Stage", "")}
        operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
        request.client("apigateway").update_base_path_mapping(**_identifiers(desired), patchOperations=operations)
        return ResourceState(request.identity)

    def delete(self, request: ResourceRequest) -> None:
        client, identifiers = request.client("apigateway"), _identifiers(request.properties)
        with missing_ok("NotFoundException"):
            client.delete_base_path_mapping(**identifiers)


def _identifiers(properties: dict[str, Any]) -> dict[str, str]:
    return {"domainName": properties["DomainName"], "basePath": properties.get("BasePath") or "(none)"}
