"""API Gateway (REST) in CloudFormation."""

from serinus.offline.services.cloudformation.provider import ResourceType
from serinus.offline.services.cloudformation.resources.apigateway.deployment import (
    ApiGatewayDeployment,
    ApiGatewayStage,
)
from serinus.offline.services.cloudformation.resources.apigateway.domain_name import (
    ApiGatewayDomainName,
    BasePathMapping,
)
from serinus.offline.services.cloudformation.resources.apigateway.method import Method
from serinus.offline.services.cloudformation.resources.apigateway.resources import (
    ApiGatewayAuthorizer,
    ApiGatewayResource,
    GatewayResponse,
    Model,
    RequestValidator,
)
from serinus.offline.services.cloudformation.resources.apigateway.rest_api import Account, ApiGatewayRestApi
from serinus.offline.services.cloudformation.resources.apigateway.usage import (
    ApiGatewayUsagePlan,
    ApiKey,
    UsagePlanKey,
)

TYPES: tuple[type[ResourceType], ...] = (
    Account,
    ApiKey,
    ApiGatewayAuthorizer,
    BasePathMapping,
    ApiGatewayDeployment,
    ApiGatewayDomainName,
    GatewayResponse,
    Method,
    Model,
    RequestValidator,
    ApiGatewayResource,
    ApiGatewayRestApi,
    ApiGatewayStage,
    ApiGatewayUsagePlan,
    UsagePlanKey,
)
