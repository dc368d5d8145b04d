"""API Gateway's HTTP APIs in CloudFormation."""

from serinus.offline.services.cloudformation.provider import ResourceType
from serinus.offline.services.cloudformation.resources.apigatewayv2.api import (
    Api,
    ApiGatewayV2Deployment,
    ApiGatewayV2Stage,
)
from serinus.offline.services.cloudformation.resources.apigatewayv2.domain_name import (
    ApiGatewayV2DomainName,
    ApiMapping,
)
from serinus.offline.services.cloudformation.resources.apigatewayv2.parts import (
    ApiGatewayV2Authorizer,
    ApiGatewayV2Integration,
    ApiGatewayV2Route,
)

TYPES: tuple[type[ResourceType], ...] = (
    Api,
    ApiMapping,
    ApiGatewayV2Authorizer,
    ApiGatewayV2Deployment,
    ApiGatewayV2DomainName,
    ApiGatewayV2Integration,
    ApiGatewayV2Route,
    ApiGatewayV2Stage,
)
