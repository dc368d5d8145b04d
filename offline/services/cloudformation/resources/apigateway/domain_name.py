"""AWS::ApiGateway::DomainName and BasePathMapping: REST APIs under names of their own."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import missing_ok
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words
from serinus.offline.services.cloudformation.resources.apigateway.rest_resource import RestResource


class DomainName(RestResource):
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

    def made_attributes(self, request: Request, identity: str, found: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        spelled = {name[0].lower() + name[1:]: name for name in self.attributes}
        return {spelled[name]: value for name, value in found.items() if name in spelled}

    def arn_path(self, request: Request) -> str:
        return f"/domainnames/{request.identity}"


class BasePathMapping(ResourceType):
    type = "AWS::ApiGateway::BasePathMapping"
    modelled = words("BasePath DomainName RestApiId Stage")

    def create(self, request: Request) -> Made:
        wanted = request.properties
        given = {"domainName": wanted["DomainName"], "restApiId": wanted["RestApiId"]}
        for name, member in (("BasePath", "basePath"), ("Stage", "stage")):
            if name in wanted:
                given[member] = wanted[name]
        request.client("apigateway").create_base_path_mapping(**given)
        return Made("|".join(_place(wanted).values()))

    def update(self, request: Request) -> Made:
        wanted = request.properties
        values = {"/restapiId": wanted["RestApiId"], "/stage": wanted.get("Stage", "")}
        operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
        request.client("apigateway").update_base_path_mapping(**_place(wanted), patchOperations=operations)
        return Made(request.identity)

    def delete(self, request: Request) -> None:
        client, place = request.client("apigateway"), _place(request.properties)
        with missing_ok("NotFoundException"):
            client.delete_base_path_mapping(**place)


def _place(properties: dict[str, Any]) -> dict[str, str]:
    return {"domainName": properties["DomainName"], "basePath": properties.get("BasePath") or "(none)"}
