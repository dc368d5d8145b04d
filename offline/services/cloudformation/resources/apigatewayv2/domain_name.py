"""AWS::ApiGatewayV2::DomainName and ApiMapping: APIs under names of their own."""

from typing import Any

from serinus.offline.services.cloudformation.provider import Request, words
from serinus.offline.services.cloudformation.resources.apigatewayv2.http_resource import HttpResource


class DomainName(HttpResource):
    type = "AWS::ApiGatewayV2::DomainName"
    noun = "DomainName"
    modelled = words("DomainName DomainNameConfigurations RoutingMode Tags")
    attributes = words("DomainNameArn RegionalDomainName RegionalHostedZoneId")
    id_member = "DomainName"
    parents = ()
    fixed = words("RoutingMode")
    taggable = True

    def made_attributes(self, request: Request, identity: str, found: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        configuration = found["DomainNameConfigurations"][0]
        return {
            "DomainNameArn": found["DomainNameArn"],
            "RegionalDomainName": configuration["ApiGatewayDomainName"],
            "RegionalHostedZoneId": configuration["HostedZoneId"],
        }

    def arn_path(self, request: Request) -> str:
        return f"/domainnames/{request.identity}"


class ApiMapping(HttpResource):
    type = "AWS::ApiGatewayV2::ApiMapping"
    noun = "ApiMapping"
    modelled = words("ApiId ApiMappingKey DomainName Stage")
    attributes = words("ApiMappingId")
    id_member = "ApiMappingId"
    id_attribute = "ApiMappingId"
    parents = ("DomainName", "ApiId")

    def place(self, request: Request, verb: str) -> dict[str, Any]:
        found = super().place(request, verb)
        return found if verb == "update" else {key: value for key, value in found.items() if key != "ApiId"}
