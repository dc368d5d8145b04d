"""AWS::ApiGatewayV2::DomainName and ApiMapping: custom domain names of APIs."""

from typing import Any

from serinus.offline.services.cloudformation.provider import ResourceRequest, words
from serinus.offline.services.cloudformation.resources.apigatewayv2.http_resource import HttpResource


class ApiGatewayV2DomainName(HttpResource):
    type = "AWS::ApiGatewayV2::DomainName"
    noun = "DomainName"
    modelled = words("DomainName DomainNameConfigurations RoutingMode Tags")
    attributes = words("DomainNameArn RegionalDomainName RegionalHostedZoneId")
    id_member = "DomainName"
    parents = ()
    fixed = words("RoutingMode")
    taggable = True

    def attributes_of(self, request: ResourceRequest, identity: str, response: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        configuration = response["DomainNameConfigurations"][0]
        return {
            "DomainNameArn": response["DomainNameArn"],
            "RegionalDomainName": configuration["ApiGatewayDomainName"],
            "RegionalHostedZoneId": configuration["HostedZoneId"],
        }

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/domainnames/{request.identity}"


class ApiMapping(HttpResource):
    type = "AWS::ApiGatewayV2::ApiMapping"
    noun = "ApiMapping"
    modelled = words("ApiId ApiMappingKey DomainName Stage")
    attributes = words("ApiMappingId")
    id_member = "ApiMappingId"
    id_attribute = "ApiMappingId"
    parents = ("DomainName", "ApiId")

    def parent_parameters(self, request: ResourceRequest, verb: str) -> dict[str, Any]:
        response = super().parent_parameters(request, verb)
        return response if verb == "update" else {key: value for key, value in response.items() if key != "ApiId"}
